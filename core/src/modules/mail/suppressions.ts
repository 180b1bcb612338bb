import { type Ctx, DAYS, type MailDefinition, momentAfter, notFound, page, sha256, stamp } from '#kernel'
import {
  type DeadAddress,
  deleteDeadAddress,
  deleteSuppression,
  listDeadAddresses,
  listSuppressed,
  listSuppressions,
  upsertDeadAddress,
  upsertSuppression,
} from './address-queries.ts'
import { suppressionAdded, suppressionRemoved } from './events.ts'
import { recordSuppression, type SuppressionFilter } from './schema.ts'
import type { Happening } from './states.ts'
import type { MailRow, MailSuppressionTable, SuppressionRow } from './table.ts'

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

/** What stands against addresses. */
interface KnownAddresses {
  listed: ReadonlyMap<string, SuppressionRow>
  dead: ReadonlyMap<string, DeadAddress>
}

/** Reads what the tenant's own list says of addresses, and at which of them nobody is. */
export async function readAddresses(ctx: Ctx, addresses: readonly string[]): Promise<KnownAddresses> {
  const [listed, dead] = await Promise.all([
    ctx.tenant === null ? [] : listSuppressed(ctx.tx, ctx.tenant, addresses),
    listDeadAddresses(ctx.tx, addresses.map(deadKeyOf)),
  ])
  return {
    listed: new Map(listed.map((each) => [each.email, each])),
    dead: new Map(dead.map((each) => [each.key, each])),
  }
}

/**
 * What keeps a mail from leaving, if anything:
 * - the tenant's own list, which no mail passes but one for security that a complaint alone stands against;
 * - that nobody is at the address, whoever found out. The tenant is told what its own mail would have been told, so it
 *   learns of the address, and nothing of other tenants. A mail for security is tried again a day after a bounce.
 */
export async function findBlock(
  ctx: Ctx,
  mail: Secured,
  { id, address }: Bounced,
  known: KnownAddresses,
): Promise<Block | null> {
  const listed = standing(ctx, mail, known.listed.get(address))
  if (listed) return { happening: { name: 'suppressed', reason: listed.reason }, attempts: 0 }
  const dead = known.dead.get(deadKeyOf(address))
  if (!dead || !isFresh(ctx, dead.bounced_at, mail.security ? DEAD_FOR_SECURITY_MS : DEAD_MS)) return null
  if (ctx.tenant === null) return { happening: { name: 'suppressed', reason: 'hard_bounce' }, attempts: 0 }
  await recordBounce(ctx, { id, address }, dead.server_reply)
  return { happening: { name: 'bounced', reply: dead.server_reply }, attempts: 1 }
}

type Secured = Pick<MailDefinition, 'security'>

const isFresh = ({ clock }: Ctx, since: string, ms: number) => momentAfter(since, ms) > clock.now()

/** What stands on the tenant's own list against a mail. */
export async function findListed(ctx: Ctx, mail: Secured, address: string): Promise<SuppressionRow | undefined> {
  if (ctx.tenant === null) return undefined
  const [listed] = await listSuppressed(ctx.tx, ctx.tenant, [address])
  return standing(ctx, mail, listed)
}

function standing(ctx: Ctx, { security }: Secured, listed: SuppressionRow | undefined): SuppressionRow | undefined {
  if (!listed || !security) return listed
  const isHeld = listed.reason === 'hard_bounce' && isFresh(ctx, listed.updated_at, DEAD_FOR_SECURITY_MS)
  return isHeld ? listed : undefined
}

/** A mail, and whom it did not reach or please. */
type Bounced = Pick<MailRow, 'id' | 'address'>

/** Nobody is at the address of a mail: it gets no mails of the tenant, nor of others for a while. */
export async function recordDeadAddress(ctx: Ctx, row: Bounced, server_reply: string | null): Promise<void> {
  await upsertDeadAddress(ctx.tx, { key: deadKeyOf(row.address), server_reply, bounced_at: ctx.clock.now() })
  await recordBounce(ctx, row, server_reply)
}

/** A mail of the tenant came back from its address, which gets no more of that tenant. Others are not concerned. */
export const recordBounce = (ctx: Ctx, { id, address }: Bounced, server_reply: string | null): Promise<void> =>
  suppress(ctx, { email: address, reason: 'hard_bounce', server_reply, mail_id: id })

/** The recipient of a mail calls it unwanted: it gets no more of that tenant. Others are not concerned. */
export const recordComplaint = (ctx: Ctx, { id, address }: Bounced): Promise<void> =>
  suppress(ctx, { email: address, reason: 'complaint', server_reply: null, mail_id: id })

/** The tenant's list, newest first. */
export async function pageSuppressions(ctx: Ctx, filter: SuppressionFilter) {
  const { data, next_cursor } = await page(ctx, listSuppressions(ctx.tx, ctx.tenantId, filter), {
    by: ['created_at', 'id'],
  })
  return { data: data.map(recordSuppression), next_cursor }
}

/** Lets mails go to an address again: the next one is tried, whatever is known of the address. Throws 404. */
export async function removeSuppression(ctx: Ctx, id: string): Promise<undefined> {
  const row = await deleteSuppression(ctx.tx, ctx.tenantId, id)
  if (!row) throw notFound()
  if (row.reason === 'hard_bounce') await deleteDeadAddress(ctx.tx, deadKeyOf(row.email))
  await ctx.emit(suppressionRemoved, { before: recordSuppression(row), label: row.email })
}

type NewSuppression = Pick<MailSuppressionTable, 'email' | 'reason' | 'server_reply' | 'mail_id'>

async function suppress(ctx: Ctx, suppression: NewSuppression): Promise<void> {
  if (ctx.tenant === null) return
  const row = await upsertSuppression(ctx.tx, { ...stamp(ctx), ...suppression })
  if (row) await ctx.emit(suppressionAdded, { after: recordSuppression(row), label: row.email })
}
