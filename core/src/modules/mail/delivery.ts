import {
  type Brand,
  Closed,
  type Ctx,
  defineJob,
  type Id,
  type MailDefinition,
  type MailSender,
  newId,
  systemActor,
  Uuid,
} from '#kernel'
import { mailBounced } from './events.ts'
import { mailer } from './mailer.ts'
import { sealContextOf } from './new-mail.ts'
import { takeResendTurn, takeTurn } from './pauses.ts'
import { lockMail, updateClaimedMail, updateMail } from './queries.ts'
import { recordMail } from './schema.ts'
import { sendParcel, subscriptionOf } from './send.ts'
import { type Happening, isWaiting, transition } from './states.ts'
import { findBlock, recordDeadAddress } from './suppressions.ts'
import type { MailRow } from './table.ts'

/** What is sent at one attempt. */
export interface Parcel {
  row: MailRow
  /** The attempt: whoever takes the mail over writes another one. */
  claim: Id
  mail: MailDefinition
  data: unknown
  sender: MailSender | null
  /** What the tenant looks like whose mail it is. */
  brand: Brand | null
}

/** What became of an attempt. `isDead`: nobody is at the address, says its mail server. */
export type Outcome = Happening & { name: 'taken' | 'put_off' | 'refused' | 'bounced'; isDead?: boolean }

/**
 * One attempt at a mail, which is all that the job names. No transaction is open while it talks to the mail server. After
 * a crash just after sending, the mail is sent once more, with the same Message-ID.
 */
export const deliverMail = defineJob('mail.deliver', {
  payload: Closed({ id: Uuid }),
  transaction: 'manual',
  maxAttempts: 25,
  handler: async (of, { id }) => {
    // Whoever caused the mail has not decided what becomes of it.
    const ctx = of.as(mailActor)
    const parcel = await ctx.transaction((inner) => beginAttempt(inner, id))
    if (parcel === null) return
    const outcome = await sendParcel(ctx, parcel)
    await ctx.transaction((inner) => endAttempt(inner, parcel, outcome))
  },
})

/** Who records name of what becomes of mails. */
export const mailActor = { ...systemActor, label: 'mail' }

/** The one place where mails leave: takes one for an attempt. Null when it is not sent, or not yet. */
export async function beginAttempt(ctx: Ctx, id: Id): Promise<Parcel | null> {
  const row = await lockMail(ctx.tx, ctx.tenant, id)
  if (!row || !isWaiting(row)) return null
  if (ctx.config.mail.off) return settle(ctx, row, { name: 'canceled', reason: 'mail_off' })
  const opened = openMail(ctx, row)
  if (!opened) {
    const tried = { ...row, attempts: row.attempts + 1 }
    return settle(ctx, tried, { name: 'put_off', reply: row.server_reply, reason: 'unreadable' })
  }
  const { mail, data } = opened
  if (!(await isStillGood(ctx, mail, data)) || (await isUnwanted(ctx, row)))
    return settle(ctx, row, { name: 'canceled', reason: 'no_longer_valid' })
  const block = await findBlock(ctx, mail, row)
  if (block) return settle(ctx, { ...row, attempts: row.attempts + block.attempts }, block.happening)
  if (row.waits_turn) {
    const until = await (row.resend_of ? takeResendTurn(ctx, mail, row.to) : takeTurn(ctx, mail, row.to, 'wait'))
    if (until !== null && until > ctx.clock.now()) return settle(ctx, row, { name: 'told_to_wait', until })
  }
  const claim = newId()
  const change = { claimed_by: claim, attempts: row.attempts + 1, waits_turn: false, updated_at: ctx.clock.now() }
  const claimed = await updateMail(ctx.tx, ctx.tenant, id, change)
  const { senders, brands } = ctx.registry
  const sender = await senders?.senderOf(ctx, ctx.tenant)
  const brand = ctx.tenant === null ? null : await brands?.(ctx, ctx.tenant)
  return { row: claimed, claim, mail, data, sender: sender ?? null, brand: brand ?? null }
}

/** Writes down what became of an attempt, unless another process has taken the mail over. */
export async function endAttempt(ctx: Ctx, { row: taken, claim }: Parcel, outcome: Outcome): Promise<void> {
  // Nobody but a process that takes it over changes a claimed mail, so that what was read is still so.
  if (outcome.name === 'taken') {
    const change = { ...transition(taken, outcome, ctx.clock), ...(ctx.tenant === null && { data: null }) }
    if (await updateClaimedMail(ctx.tx, ctx.tenant, { id: taken.id, claim }, change))
      ctx.afterCommit(() => ctx.use(mailer).count('sent'))
    return
  }
  const row = await lockMail(ctx.tx, ctx.tenant, taken.id)
  if (row?.claimed_by !== claim) return
  if (outcome.name === 'bounced' && outcome.isDead) await recordDeadAddress(ctx, row, outcome.reply)
  await settle(ctx, row, outcome)
}

/** What was posted, and what it is told; null when its module is gone or its data cannot be read. */
export function openMail(ctx: Ctx, { id, kind, data }: MailRow): { mail: MailDefinition; data: unknown } | null {
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

/** Writes down what happened to a locked mail, and what follows from it. */
export async function settle(ctx: Ctx, row: MailRow, happening: Happening): Promise<null> {
  const change = transition(row, happening, ctx.clock)
  const after = { ...row, ...change }
  // Nobody can have a mail without a tenant sent once more.
  if (ctx.tenant === null && !isWaiting(after)) change.data = null
  await updateMail(ctx.tx, ctx.tenant, row.id, { attempts: row.attempts, ...change })
  if (isWaiting(after)) await ctx.enqueue(deliverMail, { id: row.id }, { runAt: after.next_attempt_at ?? undefined })
  if (happening.name === 'bounced')
    await ctx.emit(mailBounced, { before: recordMail(row), after: recordMail(after), label: after.to })
  ctx.afterCommit(() => ctx.use(mailer).count(after.status))
  return null
}
