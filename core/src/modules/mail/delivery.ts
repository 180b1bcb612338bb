import { Closed, type Ctx, defineJob, type Id, SECONDS, systemActor, Uuid } from '#kernel'
import { type Begun, beginAttempts, laterOf, type Outcome, type Parcel } from './attempts.ts'
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
    handler: async (of, mails) => {
      // Whoever caused a mail has not decided what becomes of it.
      const ctx = of.as(mailActor)
      const places = new Map(mails.map(({ id }, place) => [id, place]))
      const failures = await deliver(ctx, [...places.keys()])
      return new Map([...places].flatMap(([id, place]) => (failures.has(id) ? [[place, failures.get(id)]] : [])))
    },
  },
})

/** Who records name of what becomes of mails. */
export const mailActor = { ...systemActor, label: 'mail' }

/** Written down so long after the mail server took a mail, at most: what is not may be sent once more. */
const UNWRITTEN_MS = 100
/** A mail server that is slow holds no place in a worker for longer than this and one mail. */
const SLICE_MS = 1 * SECONDS

/** Mails of which something could not be written down, and why: their jobs run again. */
type Failed = Map<Id, unknown>

/** Throws when nothing has been done yet. */
async function deliver(ctx: Ctx, ids: readonly Id[]): Promise<Failed> {
  const { parcels, alone } = await begin(ctx, ids)
  const failed: Failed = new Map()
  const until = performance.now() + SLICE_MS
  const isOver = () => performance.now() > until
  await handBack(ctx, await sendAll(ctx, parcels, { isOver, failed }), failed)
  for (const [place, { id }] of alone.entries()) {
    // One at least: whatever comes meanwhile, none waits for ever.
    if (place > 0 && isOver()) {
      await leaveToOthers(ctx, alone.slice(place), failed)
      break
    }
    const own = await deliver(ctx, [id]).catch((error: unknown): Failed => new Map([[id, error]]))
    for (const [of, failure] of own) failed.set(of, failure)
  }
  return failed
}

/** Sends one after the other, as many at a time as the mail server has connections free; gives those there was no time for. */
async function sendAll(
  ctx: Ctx,
  parcels: readonly Parcel[],
  { isOver, failed }: { isOver: () => boolean; failed: Failed },
): Promise<readonly Parcel[]> {
  let unwritten: Tried[] = []
  let since = performance.now()
  let next = 0
  // What cannot be written down would be sent once more.
  const before = failed.size
  while (next < parcels.length && failed.size === before && !(isOver() && next > 0)) {
    const some = parcels.slice(next, next + Math.max(1, ctx.use(mailer).free()))
    next += some.length
    const tried = some.map(async (parcel) => ({ parcel, outcome: await sendParcel(ctx, parcel) }))
    unwritten.push(...(await Promise.all(tried)))
    if (performance.now() - since < UNWRITTEN_MS) continue
    await endAttempts(ctx, unwritten, failed)
    unwritten = []
    since = performance.now()
  }
  await endAttempts(ctx, unwritten, failed)
  return parcels.slice(next)
}

/** Leaves mails that were not tried to other jobs. */
async function handBack(ctx: Ctx, [first, ...others]: readonly Parcel[], failed: Failed): Promise<void> {
  if (!first) return
  const ids = [first, ...others].map(({ row }) => row.id)
  await noting(failed, ids, () =>
    ctx.transaction(async (inner) => {
      const left = await updateMailsReleased(inner.tx, inner.tenant, ids, first.claim)
      for (const row of left) await enqueueAgain(inner, row)
    }),
  )
}

async function leaveToOthers(ctx: Ctx, rows: readonly MailRow[], failed: Failed): Promise<void> {
  if (rows.length === 0) return
  const ids = rows.map(({ id }) => id)
  await noting(failed, ids, () =>
    ctx.transaction(async (inner) => {
      for (const row of rows) await enqueueAgain(inner, row)
    }),
  )
}

/** It keeps its place before those that came later. */
const enqueueAgain = (
  ctx: Ctx,
  { id, next_attempt_at, created_at }: Pick<MailRow, 'id' | 'next_attempt_at' | 'created_at'>,
) => ctx.enqueue(deliverMail, { id }, { runAt: next_attempt_at ?? created_at })

/** Notes these mails where work on them fails. */
async function noting(failed: Failed, ids: readonly Id[], work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    for (const id of ids) failed.set(id, error)
  })
}

async function begin(ctx: Ctx, ids: readonly Id[]): Promise<Pick<Begun, 'parcels' | 'alone'>> {
  try {
    return await ctx.transaction(async (inner) => {
      const begun = await beginAttempts(inner, ids)
      for (const { row, happening } of begun.others) await settle(inner, row, happening)
      for (const { id, at } of begun.later) await inner.enqueue(deliverMail, { id }, { runAt: at })
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
  const at = laterOf(ctx, row)
  if (at !== null) return ctx.enqueue(deliverMail, { id }, { runAt: at })
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
async function endAttempts(ctx: Ctx, tried: readonly Tried[], failed: Failed): Promise<void> {
  const taken = tried.flatMap(({ parcel, outcome }) => (outcome.name === 'taken' ? [{ ...parcel, ...outcome }] : []))
  // One that cannot be written takes no others with it: they would leave once more.
  await writeTaken(ctx, taken).catch(async () => {
    for (const each of taken) await noting(failed, [each.row.id], () => writeTaken(ctx, [each]))
  })
  for (const { parcel, outcome } of tried)
    if (outcome.name !== 'taken')
      await noting(failed, [parcel.row.id], () => ctx.transaction((inner) => endAttempt(inner, parcel, outcome)))
}

async function writeTaken(ctx: Ctx, taken: readonly (Parcel & { reply: string | null })[]): Promise<void> {
  const [first] = taken
  if (!first) return
  // Nobody but a process that takes it over changes a claimed mail, so that what was read is still so.
  const { server_reply: _, ...sent } = transition(first.row, { name: 'taken', reply: null }, ctx.clock)
  const change = { ...sent, ...(ctx.tenant === null && { data: null }) }
  const replies = taken.map(({ row: { id }, reply }) => ({ id, server_reply: reply }))
  await ctx.transaction(async (inner) => {
    const written = await updateMailsSent(inner.tx, inner.tenant, { claim: first.claim, replies }, change)
    inner.afterCommit(() => ctx.use(mailer).count('sent', written))
  })
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
