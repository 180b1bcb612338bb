import { type Ctx, fromNow, HOURS, SECONDS } from '#kernel'
import { auditSinkFailing, auditSinkPaused } from './events.ts'
import { labelOf, recordSink } from './present.ts'
import { lockSink, updateSink } from './queries.ts'
import type { SinkRow } from './table.ts'

const MAX_DELAY_MS = 1 * HOURS
/** Some ten minutes of failures, of which it is time to tell. */
const TOLD_AFTER = 10
/** A receiver that has taken nothing for so long gets nothing more until somebody resumes the sink. */
export const GIVE_UP_MS = 72 * HOURS

/**
 * Writes down that an attempt has failed; `sink` as it was when the attempt began. Gives the time of the next one, null
 * when there is none: the sink has gone, is paused or pauses itself, or somebody else sends by now.
 */
export async function noteFailure(ctx: Ctx, { id, locked_by }: SinkRow, error: string): Promise<string | null> {
  const before = await lockSink(ctx.tx, ctx.tenantId, id)
  if (!before || before.locked_by !== locked_by) return null
  const now = ctx.clock.now()
  const failures = before.failures + 1
  const failing_since = before.failing_since ?? now
  const failed = { failures, failing_since, last_error: error, locked_by: null, locked_until: null }
  if (before.status === 'paused') {
    await updateSink(ctx.tx, before, failed)
    return null
  }
  if (Date.parse(now) - Date.parse(failing_since) >= GIVE_UP_MS) {
    const pause = { status: 'paused', paused_reason: 'failing', next_attempt_at: null, updated_at: now } as const // words are types
    const after = await updateSink(ctx.tx, before, { ...failed, ...pause })
    await ctx.emit(auditSinkPaused, {
      before: recordSink(before),
      after: recordSink(after),
      label: labelOf(after),
      storeId: null,
    })
    return null
  }
  const next_attempt_at = fromNow(ctx.clock, delayMs(failures))
  const after = await updateSink(ctx.tx, before, { ...failed, next_attempt_at })
  if (failures === TOLD_AFTER)
    await ctx.emit(auditSinkFailing, { after: recordSink(after), label: labelOf(after), storeId: null })
  return next_attempt_at
}

/** 1 s, 2 s, 4 s … an hour, with a quarter of jitter. */
export function delayMs(failures: number): number {
  return Math.round(Math.min(2 ** (failures - 1) * SECONDS, MAX_DELAY_MS) * (0.875 + Math.random() / 4))
}
