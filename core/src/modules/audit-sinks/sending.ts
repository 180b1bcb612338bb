import { type Ctx, defineJob, fromNow, newId, OutboundError, SECONDS, systemActor, Type, userAgentOf } from '#kernel'
import { findTenant } from '../tenants/index.ts'
import { type Batch, readNext } from './batches.ts'
import { noteFailure } from './failing.ts'
import { lockSink, updateSink, updateSinkSent } from './queries.ts'
import { type Message, SecretsLost, signedHeaders } from './secrets.ts'
import type { SinkRow } from './table.ts'

/** A receiver that needs longer to take a batch has not taken it. */
const ANSWER_MS = 15 * SECONDS
/** Longer than one batch can take: a sender that is silent for so long is taken for dead. */
const LOCK_MS = 60 * SECONDS
/** After so long a job gives the worker's place to others and goes on later. */
const RUN_MS = 10 * SECONDS

/** Sends what a sink has not got yet, batch by batch. */
export const sendBatches = defineJob('audit_sinks.send', {
  payload: Type.Object({ sink_id: Type.String() }),
  transaction: 'manual',
  outbound: true,
  handler: (ctx, { sink_id }) => sendBacklog(ctx.as(systemActor), sink_id),
})

/** Has the sink's backlog sent after the commit, or at `runAt`; while that waits, a second one is not added. */
export function enqueueSending(ctx: Ctx, sinkId: string, runAt?: string): Promise<void> {
  const dedupeKey = `${sendBatches.name}:${sinkId}`
  return ctx.as(systemActor).enqueue(sendBatches, { sink_id: sinkId }, { dedupeKey, ...(runAt && { runAt }) })
}

/** One batch and the right to send it; the sink's row as it was when that was given. */
interface Turn {
  sink: SinkRow
  batch: Batch
}

/**
 * Reading, sending and moving on are three steps, so that no transaction is open while the receiver takes its time. A
 * process that dies after the second leaves the batch to be sent again; none can be left out.
 */
async function sendBacklog(ctx: Ctx, sinkId: string): Promise<void> {
  const until = performance.now() + RUN_MS
  let turn = await ctx.transaction((inner) => takeTurn(inner, sinkId))
  while (turn) {
    const current: Turn = turn
    const failure = await deliver(ctx, current)
    turn = await ctx.transaction((inner) => endTurn(inner, current, failure, performance.now() < until))
  }
}

/** Null when there is nothing to do, or somebody else is at it. */
async function takeTurn(ctx: Ctx, sinkId: string): Promise<Turn | null> {
  const now = ctx.clock.now()
  const isOver = (time: string | null) => time === null || time <= now
  const sink = await lockSink(ctx.tx, ctx.tenantId, sinkId)
  return sink && isOver(sink.next_attempt_at) && isOver(sink.locked_until) ? nextTurn(ctx, sink) : null
}

/** The next batch of a sink that nobody sends to and whose row is locked; the turn is this process's from then on. */
async function nextTurn(ctx: Ctx, sink: SinkRow): Promise<Turn | null> {
  const isWanted = sink.status === 'active' && (await findTenant(ctx.tx, ctx.tenantId))?.status !== 'deleted'
  const next = isWanted ? await readNext(ctx, sink) : null
  if (next && 'body' in next) {
    const { end: batch_end } = next
    const lock = { locked_by: newId(), locked_until: fromNow(ctx.clock, LOCK_MS) }
    return { sink: await updateSink(ctx.tx, sink, { ...lock, batch_end }), batch: next }
  }
  const position = next?.skipTo ?? sink.position
  const batch_end = sink.batch_end !== null && sink.batch_end > position ? sink.batch_end : null
  await updateSink(ctx.tx, sink, { ...UNLOCKED, position, batch_end })
  return null
}

const UNLOCKED = { locked_by: null, locked_until: null }

/** Null when the receiver has taken the batch, otherwise why it has not. */
async function deliver(ctx: Ctx, { sink, batch }: Turn): Promise<string | null> {
  const id = `${sink.id}_${batch.first}_${batch.end}`
  return (await post(ctx, sink, { id, body: batch.body })).error
}

/** What a receiver made of a message: `error` is null when it has taken it. */
export interface Outcome {
  status: number | null
  error: string | null
}

/** Signs and sends a message. Errors are short, the same for the same reason, and name no address. */
export async function post(ctx: Ctx, sink: SinkRow, message: Message): Promise<Outcome> {
  try {
    const { status } = await ctx.outbound.send({
      url: sink.url,
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        'user-agent': userAgentOf(ctx.product),
        ...signedHeaders(ctx, sink, message),
      },
      body: message.body,
      timeoutMs: ANSWER_MS,
      maxAnswerBytes: 0,
    })
    return { status, error: status >= 200 && status < 300 ? null : `The server answered ${status}` }
  } catch (error) {
    if (!(error instanceof OutboundError || error instanceof SecretsLost)) throw error
    const { reason, code } = error instanceof OutboundError ? error : { reason: 'secrets_lost', code: null }
    ctx.log.info({ tenant_id: sink.tenant_id, sink_id: sink.id, reason, code }, 'a sink could not be reached')
    return { status: null, error: error.message }
  }
}

/** Moves on, or notes the failure; gives the next turn when there is one and `goesOn`. */
async function endTurn(ctx: Ctx, turn: Turn, failure: string | null, goesOn: boolean): Promise<Turn | null> {
  if (failure !== null) {
    const retryAt = await noteFailure(ctx, turn.sink, failure)
    if (retryAt !== null) await enqueueSending(ctx, turn.sink.id, retryAt)
    return null
  }
  const sink = await updateSinkSent(ctx.tx, turn.sink, {
    ...UNLOCKED,
    position: turn.batch.end,
    batch_end: null,
    sent_until: turn.batch.until,
    last_sent_at: ctx.clock.now(),
    failures: 0,
    failing_since: null,
    last_error: null,
    next_attempt_at: null,
  })
  if (!sink) return null
  if (goesOn) return nextTurn(ctx, sink)
  await enqueueSending(ctx, sink.id)
  return null
}
