import { DAYS, sql } from '#kernel'

/** However often it shows life: what has begun takes its part of the quota with it. */
const LONGEST_SECONDS = (7 * DAYS) / 1000

/** Until when an upload may stand still, and no longer than a week after it began. */
export const untilAtMost = (expiresAt: string) =>
  sql<string>`least(${expiresAt}::timestamptz, created_at + make_interval(secs => ${LONGEST_SECONDS}))`
