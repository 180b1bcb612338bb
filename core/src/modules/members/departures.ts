import { DAYS, every, fromNow } from '#kernel'
import { deleteDeparturesBefore } from './departure-queries.ts'

/** Whoever asks why they cannot get in does so soon. */
const KEPT_MS = 90 * DAYS

/** Once a day: forgets where people were members a quarter of a year ago. */
export const forgetDepartures = every('52 2 * * *', 'members.forget_departures', async (ctx) => {
  await ctx.transaction(({ tx, clock }) => deleteDeparturesBefore(tx, fromNow(clock, -KEPT_MS)), { role: 'system' })
})
