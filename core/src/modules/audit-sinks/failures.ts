import { afterFailure, type Ctx, HOURS, isHeld, NO_LEASE, type RetryPolicy, SECONDS } from '#kernel'
import { auditSinkFailing, auditSinkPaused } from './events.ts'
import { labelOf, recordSink } from './present.ts'
import { lockSink, updateSink } from './queries.ts'
import type { SinkRow } from './table.ts'

/** Failures before it is reported, after about ten minutes. */
const TOLD_AFTER = 10

/** Retries after 1 s, 2 s, 4 s … and then every hour; a sink whose receiver accepts nothing for 72 hours is paused. */
export const RETRIES: RetryPolicy = {
  delaysMs: [...Array.from({ length: 12 }, (_, index) => 2 ** index * SECONDS), 1 * HOURS],
  lastRepeats: true,
  giveUpMs: 72 * HOURS,
}

/**
 * Stores a failed attempt; `sink` as it was when the attempt started. Returns the time of the next one; null when there
 * is none: the sink was deleted, is paused or pauses now, or another process sends.
 */
export async function noteFailure(ctx: Ctx, sink: SinkRow, error: string): Promise<string | null> {
  const before = await lockSink(ctx.tx, ctx.tenantId, sink.id)
  if (!before || !isHeld(before, sink)) return null
  const failed = { ...NO_LEASE, ...afterFailure(before, error, ctx.clock, RETRIES) }
  if (before.status === 'paused') {
    await updateSink(ctx.tx, before, { ...failed, next_attempt_at: null })
    return null
  }
  const givesUp = failed.next_attempt_at === null
  const pause = { status: 'paused', paused_reason: 'failing', updated_at: ctx.clock.now() } as const // words are types
  const after = await updateSink(ctx.tx, before, { ...failed, ...(givesUp && pause) })
  const record = { after: recordSink(after), label: labelOf(after), storeId: null }
  if (givesUp) await ctx.emit(auditSinkPaused, { before: recordSink(before), ...record })
  else if (after.failures === TOLD_AFTER) await ctx.emit(auditSinkFailing, record)
  return after.next_attempt_at
}
