import {
  type Ctx,
  DELIVERY_LEASE_MS,
  defineJob,
  deliver,
  deliverInTurns,
  isFree,
  NO_FAILURES,
  NO_LEASE,
  newLease,
  type Outcome,
  systemActor,
  Type,
} from '#kernel'
import { findTenant } from '../tenants/index.ts'
import { type Batch, readNext } from './batches.ts'
import { noteFailure } from './failures.ts'
import { lockSink, updateSink, updateSinkSent } from './queries.ts'
import { sinkSecrets } from './secrets.ts'
import type { SinkRow } from './table.ts'

/** The body has a record per line. */
export const CONTENT_TYPE = 'application/x-ndjson'

/** Sends records to a sink, batch by batch. */
export const sendBatches = defineJob('audit_sinks.send', {
  payload: Type.Object({ sink_id: Type.String() }),
  transaction: 'manual',
  outbound: 'receiver',
  handler: (ctx, { sink_id }) =>
    deliverInTurns(ctx.as(systemActor), { begin: (inner) => takeTurn(inner, sink_id), send, end: endTurn }),
})

/** Enqueues sending after the commit, or at `runAt`; a waiting job is not added twice. */
export function enqueueSending(ctx: Ctx, sinkId: string, runAt?: string): Promise<void> {
  const dedupeKey = `${sendBatches.name}:${sinkId}`
  return ctx.as(systemActor).enqueue(sendBatches, { sink_id: sinkId }, { dedupeKey, ...(runAt && { runAt }) })
}

/** A batch, the lease to send it, and the sink's row at that time. */
interface Turn {
  sink: SinkRow
  batch: Batch
}

/** Null when there is nothing to send, or another process sends. */
async function takeTurn(ctx: Ctx, sinkId: string): Promise<Turn | null> {
  const sink = await lockSink(ctx.tx, ctx.tenantId, sinkId)
  return sink && isFree(sink, ctx.clock) ? nextTurn(ctx, sink) : null
}

/** The next batch of a sink whose row is locked and to which no process sends; this process gets the lease. */
async function nextTurn(ctx: Ctx, sink: SinkRow): Promise<Turn | null> {
  const isWanted = sink.status === 'active' && (await findTenant(ctx.tx, ctx.tenantId))?.status !== 'deleted'
  const next = isWanted ? await readNext(ctx, sink) : null
  if (next && 'body' in next) {
    const { end: batch_end } = next
    const lease = newLease(ctx.clock, DELIVERY_LEASE_MS)
    return { sink: await updateSink(ctx.tx, sink, { ...lease, batch_end }), batch: next }
  }
  const position = next?.skipTo ?? sink.position
  const batch_end = sink.batch_end !== null && sink.batch_end > position ? sink.batch_end : null
  await updateSink(ctx.tx, sink, { ...NO_LEASE, position, batch_end })
  return null
}

function send(ctx: Ctx, { sink, batch }: Turn): Promise<Outcome> {
  const id = `${sink.id}_${batch.first}_${batch.end}`
  return deliver(ctx, sinkSecrets, sink, { id, body: batch.body, contentType: CONTENT_TYPE })
}

/** Stores success or failure; returns the next turn when there is one and `goesOn`. */
async function endTurn(ctx: Ctx, turn: Turn, { error }: Outcome, goesOn: boolean): Promise<Turn | null> {
  if (error !== null) {
    const retryAt = await noteFailure(ctx, turn.sink, error)
    if (retryAt !== null) await enqueueSending(ctx, turn.sink.id, retryAt)
    return null
  }
  const sink = await updateSinkSent(ctx.tx, turn.sink, {
    ...NO_LEASE,
    ...NO_FAILURES,
    position: turn.batch.end,
    batch_end: null,
    sent_until: turn.batch.until,
    last_sent_at: ctx.clock.now(),
  })
  if (!sink) return null
  if (goesOn) return nextTurn(ctx, sink)
  await enqueueSending(ctx, sink.id)
  return null
}
