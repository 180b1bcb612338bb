import { type Ctx, DAYS, every, fromNow, MINUTES } from '#kernel'
import { deleteEmptyTotals, deleteMergedMinutes, deleteQuartersBefore } from './queries.ts'

/** What the longer window shows, in quarters of an hour; of the first of them the whole, and of the last minutes nothing. */
export const LONG_MS = 1 * DAYS
/** What the shorter one shows, in minutes, besides the one that has begun. */
export const SHORT_MS = 5 * MINUTES
/** Minutes are merged once no window shows them, and what a process writes late has come. */
const MERGED_AFTER_MS = SHORT_MS + 2 * MINUTES
/** Clocks of one installation differ by less. */
const SKEW_MS = 5 * MINUTES

/** Keeps the figures few: a day of them is a row of each tenant, and a quarter of an hour another one. */
export const mergeLoad = every('* * * * *', 'load.merge', (ctx) =>
  ctx.transaction(merge, { role: 'system', tenantId: null }),
)

async function merge(ctx: Ctx): Promise<void> {
  const { tx, clock } = ctx
  await deleteMergedMinutes(tx, {
    now: clock.now(),
    before: fromNow(clock, -MERGED_AFTER_MS),
    furthest: fromNow(clock, SKEW_MS),
  })
  if (await deleteQuartersBefore(tx, fromNow(clock, -LONG_MS))) await deleteEmptyTotals(tx)
}
