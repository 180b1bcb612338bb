import { type Ctx, NO_FAILURES, notFound } from '#kernel'
import { auditSinkPaused, auditSinkResumed } from './events.ts'
import { answerSink, labelOf, recordSink } from './present.ts'
import { lockSink, updateSink } from './queries.ts'
import type { AuditSink } from './schema.ts'
import { enqueueSending } from './send.ts'
import type { SinkRow } from './table.ts'

/** Pauses a sink; a batch being sent is finished, and new records wait. Throws 404. */
export async function pauseSink(ctx: Ctx, id: string): Promise<AuditSink> {
  const before = await getLocked(ctx, id)
  if (before.paused_reason === 'by_hand') return answerSink(ctx, before)
  const after = await updateSink(ctx.tx, before, {
    status: 'paused',
    paused_reason: 'by_hand',
    next_attempt_at: null,
    updated_at: ctx.clock.now(),
  })
  await ctx.emit(auditSinkPaused, { before: recordSink(before), after: recordSink(after), label: labelOf(after) })
  return answerSink(ctx, after)
}

/** Resumes a sink at once after the last sent record. Throws 404. */
export async function resumeSink(ctx: Ctx, id: string): Promise<AuditSink> {
  const before = await getLocked(ctx, id)
  if (before.status === 'active') return answerSink(ctx, before)
  const after = await updateSink(ctx.tx, before, {
    ...NO_FAILURES, // whoever still sends goes on
    status: 'active',
    paused_reason: null,
    updated_at: ctx.clock.now(),
  })
  await ctx.emit(auditSinkResumed, { before: recordSink(before), after: recordSink(after), label: labelOf(after) })
  await enqueueSending(ctx, id)
  return answerSink(ctx, after)
}

async function getLocked({ tx, tenantId }: Ctx, id: string): Promise<SinkRow> {
  const sink = await lockSink(tx, tenantId, id)
  if (!sink) throw notFound()
  return sink
}
