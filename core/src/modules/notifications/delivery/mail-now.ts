import { type Ctx, linkTo, mailNotice, type NotificationDefinition, type NotifiedPerson } from '#kernel'
import type { TenantRecord as Tenant } from '../../tenants/index.ts'
import { notificationMail, securityNotificationMail } from '../mails.ts'
import { textsOf } from '../texts.ts'

/** For so long the same words are not mailed again. */
const ONCE_IN_MINUTES = 60

/** A notification for one person's mail. */
export interface MailedNotice {
  data: Readonly<Record<string, unknown>>
  person: NotifiedPerson
  tenant: Tenant
}

/** Posts the mail of a kind: its own, or the common one with its texts. */
export async function mailNow(
  ctx: Ctx,
  kind: NotificationDefinition,
  { data, person, tenant }: MailedNotice,
): Promise<void> {
  if (kind.mail) return mailNotice(ctx, kind, data as never, person) // of this kind, checked when it was told
  const { title, message, actions } = textsOf(ctx, kind.kind, data, person)
  const [action] = actions
  const letter = {
    to: person.email,
    locale: person.locale,
    timezone: person.timezone,
    fromName: tenant.branding.email_from_name,
    // What can be replaced can come and go: whoever makes it do so must not fill mailboxes.
    onceInMinutes: kind.groupKey ? ONCE_IN_MINUTES : undefined,
    unsubscribe: kind.canSwitchOff ? { kind: kind.kind, userId: person.id } : null,
  }
  const told = {
    name: person.name,
    tenantName: tenant.name,
    title,
    message,
    action: action ? { label: action.label, url: addressOf(ctx, action) } : null,
  }
  if (kind.security) await ctx.mail(securityNotificationMail, { ...letter, data: told })
  else await ctx.mail(notificationMail, { ...letter, data: { ...told, canSwitchOff: kind.canSwitchOff } })
}

/** Where an action leads to in a mail. */
export function addressOf({ config }: Ctx, { route, link }: { route: string | null; link: string | null }): string {
  return link ?? linkTo({ publicUrl: config.http.publicUrl, pages: config.pages }, (route ?? '/') as `/${string}`) // a route begins with /
}
