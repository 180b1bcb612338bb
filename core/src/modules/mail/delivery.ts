import { Closed, type Ctx, defineJob, type Id, SECONDS, systemActor, Uuid } from '#kernel'
import { type Begun, beginAttempts, type Outcome, type Parcel } from './attempts.ts'
import { mailBounced } from './events.ts'
import { mailer } from './mailer.ts'
import { lockMail, updateMail, updateMailsReleased, updateMailsSent } from './queries.ts'
import { recordMail } from './schema.ts'
import { sendParcel } from './send.ts'
import { type Happening, isWaiting, transition } from './states.ts'
import { recordDeadAddress } from './suppressions.ts'
import type { MailRow } from './table.ts'

/**
 * An attempt at each of some mails, which are all that the jobs name. No transaction is open while it talks to the mail
 * server. After a crash mails that were just sent are sent once more, with the same Message-ID.
 */
export const deliverMail = defineJob('mail.deliver', {
  payload: Closed({ id: Uuid }),
  transaction: 'manual',
  maxAttempts: 25,
  together: {
    max: 20,
    // Whoever caused a mail has not decided what becomes of it.
    handler: (ctx, mails) =>
      deliver(
        ctx.as(mailActor),
        mails.map(({ id }) => id),
      ),
  },
})

/** Who records name of what becomes of mails. */
export const mailActor = { ...systemActor, label: 'mail' }

/** Written down so long after the mail server took a mail, at most: what is not may be sent once more. */
const UNWRITTEN_MS = 100
/** So many are with the mail server at a time. */
const AT_ONCE = 5

/** A mail server that is slow holds no place in a worker for longer than this and one mail. */
const SLICE_MS = 1 * SECONDS

async function deliver(ctx: Ctx, ids: readonly Id[]): Promise<void> {
  const { parcels, alone } = await begin(ctx, ids)
  const begun = performance.now()
  let unwritten: Tried[] = []
  let since = begun
  let next = 0
  while (next < parcels.length && performance.now() - begun < SLICE_MS) {
    const some = parcels.slice(next, next + AT_ONCE)
    next += some.length
    const tried = some.map(async (parcel) => ({ parcel, outcome: await sendParcel(ctx, parcel) }))
    unwritten.push(...(await Promise.all(tried)))
    if (performance.now() - since < UNWRITTEN_MS) continue
    await endAttempts(ctx, unwritten)
    unwritten = []
    since = performance.now()
  }
  await endAttempts(ctx, unwritten)
  await handBack(ctx, parcels.slice(next))
  for (const id of alone) await deliver(ctx, [id])
}

/** Leaves mails that were not tried to another job. */
async function handBack(ctx: Ctx, [first, ...others]: readonly Parcel[]): Promise<void> {
  if (!first) return
  const ids = [first, ...others].map(({ row }) => row.id)
  await ctx.transaction(async (inner) => {
    const left = await updateMailsReleased(inner.tx, inner.tenant, ids, first.claim)
    for (const { id } of left) await inner.enqueue(deliverMail, { id })
  })
}

async function begin(ctx: Ctx, ids: readonly Id[]): Promise<Pick<Begun, 'parcels' | 'alone'>> {
  try {
    return await ctx.transaction(async (inner) => {
      const begun = await beginAttempts(inner, ids)
      for (const { row, happening } of begun.others) await settle(inner, row, happening)
      return begun
    })
  } catch (error) {
    // Which of several it is shows when each is tried alone.
    const [id, ...more] = ids
    if (id === undefined || more.length > 0) throw error
    await ctx.transaction((inner) => putOff(inner, id, error))
    return { parcels: [], alone: [] }
  }
}

/** Its module cannot say whether it is still of use, for example: it is tried again as any other, and given up in the end. */
async function putOff(ctx: Ctx, id: Id, error: unknown): Promise<void> {
  const row = await lockMail(ctx.tx, ctx.tenant, id)
  if (!row || !isWaiting(row)) return
  ctx.log.error({ err: error, mail_id: id, kind: row.kind }, 'an attempt at a mail failed')
  const tried = { ...row, attempts: row.attempts + 1 }
  await settle(ctx, tried, { name: 'put_off', reply: row.server_reply, reason: 'unreadable' })
}

/** An attempt that was made. */
interface Tried {
  parcel: Parcel
  outcome: Outcome
}

/** Writes down what became of attempts, unless another process has taken a mail over. */
async function endAttempts(ctx: Ctx, tried: readonly Tried[]): Promise<void> {
  const taken = tried.flatMap(({ parcel, outcome }) => (outcome.name === 'taken' ? [{ ...parcel, ...outcome }] : []))
  const [first] = taken
  if (first) {
    // Nobody but a process that takes it over changes a claimed mail, so that what was read is still so.
    for (const { row, reply } of taken) transition(row, { name: 'taken', reply }, ctx.clock)
    const replies = taken.map(({ row: { id }, reply }) => ({ id, server_reply: reply }))
    const { server_reply: _, ...sent } = transition(first.row, { name: 'taken', reply: null }, ctx.clock)
    const change = { ...sent, ...(ctx.tenant === null && { data: null }) }
    await ctx.transaction(async (inner) => {
      const written = await updateMailsSent(inner.tx, inner.tenant, { claim: first.claim, replies }, change)
      inner.afterCommit(() => ctx.use(mailer).count('sent', written))
    })
  }
  for (const { parcel, outcome } of tried)
    if (outcome.name !== 'taken') await ctx.transaction((inner) => endAttempt(inner, parcel, outcome))
}

/** Writes down why a mail was not taken. */
async function endAttempt(ctx: Ctx, { row: { id }, claim }: Parcel, outcome: Outcome): Promise<void> {
  const row = await lockMail(ctx.tx, ctx.tenant, id)
  if (row?.claimed_by !== claim) return
  if (outcome.name === 'bounced' && outcome.isDead) await recordDeadAddress(ctx, row, outcome.reply)
  await settle(ctx, row, outcome)
}

/** Writes down what happened to a locked mail, and what follows from it. */
export async function settle(ctx: Ctx, row: MailRow, happening: Happening): Promise<void> {
  const change = transition(row, happening, ctx.clock)
  const after = { ...row, ...change }
  // Nobody can have a mail without a tenant sent once more.
  if (ctx.tenant === null && !isWaiting(after)) change.data = null
  await updateMail(ctx.tx, ctx.tenant, row.id, { attempts: row.attempts, ...change })
  if (isWaiting(after)) await ctx.enqueue(deliverMail, { id: row.id }, { runAt: after.next_attempt_at ?? undefined })
  if (happening.name === 'bounced')
    await ctx.emit(mailBounced, { before: recordMail(row), after: recordMail(after), label: after.to })
  ctx.afterCommit(() => ctx.use(mailer).count(after.status))
}
