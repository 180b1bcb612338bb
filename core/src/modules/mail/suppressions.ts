import { type Ctx, DAYS, type MailDefinition, momentAfter, sha256, stamp } from '#kernel'
import { suppressionAdded } from './events.ts'
import { findDeadAddress, findSuppression, upsertDeadAddress, upsertSuppression } from './queries.ts'
import { recordSuppression } from './schema.ts'
import type { Happening } from './states.ts'
import type { MailRow, MailSuppressionTable } from './table.ts'

/** For how long an address counts as dead without another bounce: mailboxes are made again. */
export const DEAD_MS = 90 * DAYS
/** After this a mail that concerns the safety of an account is tried at a dead address again. */
const DEAD_FOR_SECURITY_MS = 1 * DAYS

/** The key of an address among those at which nobody is. */
export const deadKeyOf = (email: string): string => sha256(`dead\0${email}`).toString('base64url')

/** What keeps a mail from an address, and whether that counts as an attempt. */
interface Block {
  happening: Happening
  attempts: number
}

/**
 * What keeps a mail from leaving, if anything:
 * - the tenant's own list, which no mail passes but one for security that a complaint alone stands against;
 * - that nobody is at the address, whoever found out. The tenant is told what its own mail would have been told, so it
 *   learns of the address, and nothing of other tenants. A mail for security is tried again a day after a bounce.
 */
export async function findBlock(ctx: Ctx, { security }: MailDefinition, to: string): Promise<Block | null> {
  const [listed, dead] = await Promise.all([
    ctx.tenant === null ? undefined : findSuppression(ctx.tx, ctx.tenant, to),
    findDeadAddress(ctx.tx, deadKeyOf(to)),
  ])
  const isFresh = (since: string, ms: number) => momentAfter(since, ms) > ctx.clock.now()
  const deadMs = security ? DEAD_FOR_SECURITY_MS : DEAD_MS
  if (listed && (!security || (listed.reason === 'hard_bounce' && isFresh(listed.updated_at, deadMs))))
    return { happening: { name: 'suppressed', reason: listed.reason }, attempts: 0 }
  if (!dead || !isFresh(dead.bounced_at, deadMs)) return null
  if (ctx.tenant === null) return { happening: { name: 'suppressed', reason: 'hard_bounce' }, attempts: 0 }
  await suppress(ctx, { email: to, reason: 'hard_bounce', server_reply: dead.server_reply, mail_id: null })
  return { happening: { name: 'bounced', reply: dead.server_reply }, attempts: 1 }
}

/** Nobody is at the address of a mail: it gets no mails of the tenant, nor of others for a while. */
export async function recordDeadAddress(ctx: Ctx, { id, to }: MailRow, server_reply: string | null): Promise<void> {
  await upsertDeadAddress(ctx.tx, { key: deadKeyOf(to), server_reply, bounced_at: ctx.clock.now() })
  await suppress(ctx, { email: to, reason: 'hard_bounce', server_reply, mail_id: id })
}

/** The recipient of a mail calls it unwanted: it gets no more of that tenant. Others are not concerned. */
export const recordComplaint = (ctx: Ctx, { id, to }: MailRow): Promise<void> =>
  suppress(ctx, { email: to, reason: 'complaint', server_reply: null, mail_id: id })

type NewSuppression = Pick<MailSuppressionTable, 'email' | 'reason' | 'server_reply' | 'mail_id'>

async function suppress(ctx: Ctx, suppression: NewSuppression): Promise<void> {
  if (ctx.tenant === null) return
  const row = await upsertSuppression(ctx.tx, { ...stamp(ctx), ...suppression })
  if (row) await ctx.emit(suppressionAdded, { after: recordSuppression(row), label: row.email })
}
