import { type Ctx, linkTo, type Subscription } from '#kernel'
import type { MailRow } from '../table.ts'
import { unsubscribeToken } from './tokens.ts'

/** How somebody ends mails of a kind: by a program (RFC 8058), or on a page. */
export interface UnsubscribeOffer {
  /** Takes the POST of mail programs. */
  oneClickUrl: string
  /** Where people are asked first, since programs open whatever links a mail has. */
  pageUrl: string
}

/** The path at the root of the server, under which programs and people end mails. */
export const UNSUBSCRIBE_PATH = '/unsubscribe'

/** What a mail of a tenant offers; null where nobody could switch it off. */
export function offerOf(ctx: Ctx, subscription: Subscription | null | undefined): UnsubscribeOffer | null {
  if (!subscription || ctx.tenant === null || ctx.registry.unsubscribers === undefined) return null
  const { http, pages } = ctx.config
  const token = unsubscribeToken(ctx, { tenantId: ctx.tenant, ...subscription })
  return {
    oneClickUrl: linkTo({ publicUrl: http.publicUrl }, UNSUBSCRIBE_PATH, token),
    pageUrl: linkTo({ publicUrl: http.publicUrl, pages }, UNSUBSCRIBE_PATH, token),
  }
}

/** What its recipient can switch off; null: nothing. */
export function subscriptionOf({ unsubscribe_kind: kind, unsubscribe_user_id: userId }: MailRow) {
  return kind === null || userId === null ? null : { kind, userId }
}
