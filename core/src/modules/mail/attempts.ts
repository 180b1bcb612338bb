import {
  type Brand,
  type Ctx,
  greatest,
  HOURS,
  type Id,
  type MailDefinition,
  type MailSender,
  momentAfter,
  newId,
  SECONDS,
} from '#kernel'
import { sealContextOf } from './new-mail.ts'
import { takeResendTurn, takeTurn } from './pauses.ts'
import { lockMails, updateMailsClaimed } from './queries.ts'
import { type Happening, isWaiting } from './states.ts'
import { findBlock, readAddresses } from './suppressions.ts'
import type { MailRow } from './table.ts'
import { subscriptionOf } from './unsubscribe/offer.ts'

/** What was posted, and what it is told. */
interface Letter {
  mail: MailDefinition
  data: unknown
}

/** What is sent at one attempt. */
export interface Parcel extends Letter {
  row: MailRow
  /** The attempt: whoever takes the mail over writes another one. */
  claim: Id
  sender: MailSender | null
  /** What the tenant looks like whose mail it is. */
  brand: Brand | null
}

/** What became of an attempt. `isDead`: nobody is at the address, says its mail server. */
export type Outcome = Happening & { name: 'taken' | 'put_off' | 'refused' | 'bounced'; isDead?: boolean }

/** What an attempt at some mails begins with. */
export interface Begun {
  /** They are sent now. */
  parcels: Parcel[]
  /** They are not, or not yet. */
  others: { row: MailRow; happening: Happening }[]
  /** They wait for a lock that no other mail is to be held up with. */
  alone: MailRow[]
  /** They are looked at then: another process is at them, or was when it died; or they were put off until then. */
  later: { id: Id; at: string }[]
}

/** An attempt is over by then, or its process is gone. */
const UNDER_WAY_MS = 90 * SECONDS
/** So often a mail is taken over from an attempt that did not come to its end. */
const MOST_UNWRITTEN = 3
/** Nothing is put off for longer, unless by a clock that was wrong. */
const LATEST_MS = 25 * HOURS

/** When a mail may be tried that has more jobs than one: null, now. */
export function laterOf({ clock }: Ctx, { claimed_by, updated_at, next_attempt_at }: MailRow): string | null {
  const now = clock.now()
  const free = claimed_by === null ? now : momentAfter(updated_at, UNDER_WAY_MS)
  const at = greatest(free, next_attempt_at ?? now)
  return at > now && at < momentAfter(now, LATEST_MS) ? at : null
}

/** The one place where mails leave: takes them for an attempt. */
export async function beginAttempts(ctx: Ctx, ids: readonly Id[]): Promise<Begun> {
  const now = ctx.clock.now()
  const rows: MailRow[] = []
  const later: Begun['later'] = []
  for (const row of await lockMails(ctx.tx, ctx.tenant, ids)) {
    const at = laterOf(ctx, row)
    if (at === null && isWaiting(row)) rows.push(row)
    else if (at !== null && isWaiting(row)) later.push({ id: row.id, at })
  }
  const addresses = rows.map(({ address }) => address)
  const known = await readAddresses(ctx, addresses)
  const letters = new Map<Id, Letter>()
  const [others, alone]: [Begun['others'], MailRow[]] = [[], []]
  for (const row of rows) {
    // A turn is a lock on what tenants share.
    if (row.waits_turn && rows.length > 1) alone.push(row)
    else {
      const judged = await judge(ctx, row, known)
      if ('name' in judged)
        others.push({ row: { ...row, attempts: row.attempts + (judged.attempts ?? 0) }, happening: judged })
      else letters.set(row.id, judged)
    }
  }
  if (letters.size === 0) return { parcels: [], others, alone, later }
  const claim = newId()
  const change = { claimed_by: claim, updated_at: now }
  const claimed = await updateMailsClaimed(ctx.tx, ctx.tenant, [...letters.keys()], change)
  const { senders, brands } = ctx.registry
  const sender = (await senders?.senderOf(ctx, ctx.tenant)) ?? null
  const brand = (ctx.tenant === null ? null : await brands?.(ctx, ctx.tenant)) ?? null
  const parcels = claimed.flatMap((row) => {
    const letter = letters.get(row.id)
    return letter ? [{ row, claim, ...letter, sender, brand }] : []
  })
  return { parcels, others, alone, later }
}

/** What a mail says; or what happens to it in place of being sent, and whether that counts as an attempt. */
async function judge(
  ctx: Ctx,
  row: MailRow,
  known: Awaited<ReturnType<typeof readAddresses>>,
): Promise<Letter | (Happening & { attempts?: number })> {
  if (ctx.config.mail.off) return { name: 'canceled', reason: 'mail_off' }
  const opened = openMail(ctx, row)
  if (!opened) return { name: 'put_off', reply: row.server_reply, reason: 'unreadable', attempts: 1 }
  const { mail, data } = opened
  // Of attempts in a row nobody could write down what became: it is spared as one that fails.
  if (row.claimed_by !== null && row.attempts >= MOST_UNWRITTEN)
    return { name: 'put_off', reply: row.server_reply, reason: 'unreadable' }
  if (!(await isStillGood(ctx, mail, data)) || (await isUnwanted(ctx, row)))
    return { name: 'canceled', reason: 'no_longer_valid' }
  const block = await findBlock(ctx, mail, row, known)
  if (block) return { ...block.happening, attempts: block.attempts }
  if (row.waits_turn) {
    const until = await (row.resend_of ? takeResendTurn(ctx, mail, row.to) : takeTurn(ctx, mail, row.to, 'wait'))
    if (until !== null && until > ctx.clock.now()) return { name: 'told_to_wait', until }
  }
  return opened
}

/** Null when its module is gone or its data cannot be read. */
export function openMail(ctx: Ctx, { id, kind, data }: MailRow): Letter | null {
  const mail = ctx.registry.mails.get(kind)
  if (!mail || data === null) return null
  try {
    return { mail, data: JSON.parse(ctx.secrets.openText(data, sealContextOf(id))) }
  } catch (error) {
    ctx.log.error({ err: error, mail_id: id }, 'the data of a mail cannot be read')
    return null
  }
}

/** Whether what a mail says is still of use. */
export async function isStillGood(ctx: Ctx, mail: MailDefinition, data: unknown): Promise<boolean> {
  // Checked against the schema before it was sealed.
  return mail.stillGood === null || (await mail.stillGood(ctx, data as Record<string, unknown>))
}

/** Whether its recipient has switched such mails off since, or has left the tenant. */
export async function isUnwanted(ctx: Ctx, row: MailRow): Promise<boolean> {
  const subscription = subscriptionOf(row)
  if (!subscription || ctx.tenant === null) return false
  return (await ctx.registry.unsubscribers?.isEnded(ctx, subscription)) ?? false
}
