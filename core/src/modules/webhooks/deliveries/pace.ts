import { type Clock, fromNow, least, SECONDS } from '#kernel'
import type { WebhookRow } from '../table.ts'
import { AT_ONCE } from './line.ts'

/** Sent together at most, when nothing is known of how large they are. */
const BATCH = 100
/** And to a receiver that took nothing of late. */
const BATCH_WHILE_FAILING = 5
/** While a receiver takes everything. What comes twice when its sender dies is twice as much: one is written down while the next is sent. */
export const BATCH_WHILE_SMOOTH = 500
/** What is sent together takes memory of about this size, and the next as much. */
const BATCH_BYTES = 4 * 1024 * 1024

interface Pace {
  /** Sent together at most. */
  batch: number
  /** After the last of them was begun, nothing is for so long. */
  pauseMs: number
}

/** How many are sent together, so that a rate holds in any second and not only on average. */
export function paceOf({ max_per_second, failures }: Pick<WebhookRow, 'max_per_second' | 'failures'>): Pace {
  const most = failures > 0 ? BATCH_WHILE_FAILING : BATCH
  if (max_per_second === null) return { batch: most, pauseMs: 0 }
  const inSecond = Math.ceil(max_per_second / BATCH)
  return { batch: Math.min(Math.floor(max_per_second / inSecond), most), pauseMs: Math.ceil(SECONDS / inSecond) }
}

/** How many are sent together after these, if they are about as large. */
export function batchAfter(sent: readonly { readonly bytes: number }[]): number {
  const bytes = sent.reduce((sum, each) => sum + each.bytes, 0)
  const fitting = Math.floor((BATCH_BYTES * sent.length) / Math.max(1, bytes))
  return Math.max(AT_ONCE, Math.min(BATCH_WHILE_SMOOTH, fitting))
}

/** Until when nothing is sent to a webhook whose failures are forgotten: its rate holds, whatever else it waited for. */
export function pauseOfRate(
  { max_per_second, next_attempt_at }: Pick<WebhookRow, 'max_per_second' | 'next_attempt_at'>,
  clock: Clock,
): string | null {
  if (max_per_second === null || next_attempt_at === null) return null
  return least(next_attempt_at, fromNow(clock, SECONDS))
}
