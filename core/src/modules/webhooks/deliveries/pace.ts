import { SECONDS } from '#kernel'

/** Sent together at most. What comes twice when its sender dies is twice as much: one is written down while the next is sent. */
export const BATCH = 500
/** And to a receiver that took nothing of late. */
const BATCH_WHILE_FAILING = 5

interface Pace {
  /** Sent together at most. */
  batch: number
  /** After the last of them was begun, nothing is for so long. */
  pauseMs: number
}

/** How many are sent together, so that a rate holds in any second and not only on average. */
export function paceOf({ max_per_second, failures }: { max_per_second: number | null; failures: number }): Pace {
  const most = failures > 0 ? BATCH_WHILE_FAILING : BATCH
  if (max_per_second === null) return { batch: most, pauseMs: 0 }
  const inSecond = Math.ceil(max_per_second / BATCH)
  return { batch: Math.min(Math.floor(max_per_second / inSecond), most), pauseMs: Math.ceil(SECONDS / inSecond) }
}
