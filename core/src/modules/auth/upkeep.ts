import { type Ctx, DAYS, every, fromNow } from '#kernel'
import { deleteRefusalsBefore } from './refusals/refusal-queries.ts'
import { REFUSALS_KEPT_MS } from './refusals/refusals.ts'
import { deleteDead, deleteKnownDevices } from './sessions/session-queries.ts'
import { deleteClosedFailures } from './sign-in/failure-queries.ts'
import { renewSigningKey } from './tokens/key-rotation.ts'

// Spent tokens stay a while, so that one that is presented again is recognised; a session in use spends 144 a day.
const KEPT_MS = 7 * DAYS
const DEVICE_KEPT_MS = 365 * DAYS

/** Once a day: asks for a new signing key when the newest is old enough, whatever the calendar. */
export const rotateKeys = every('7 2 * * *', 'auth.rotate_keys', (ctx) => asSystem(ctx, renewSigningKey))

/** Once a day: removes what nobody can use any more. */
export const sweep = every('37 2 * * *', 'auth.sweep', async (ctx) => {
  await asSystem(ctx, ({ tx, clock }) => deleteDead(tx, fromNow(clock, -KEPT_MS)))
  await asSystem(ctx, ({ tx, clock }) => deleteClosedFailures(tx, clock.now()))
  await asSystem(ctx, ({ tx, clock }) => deleteRefusalsBefore(tx, fromNow(clock, -REFUSALS_KEPT_MS)))
  await asSystem(ctx, ({ tx, clock }) => deleteKnownDevices(tx, fromNow(clock, -DEVICE_KEPT_MS)))
})

async function asSystem(ctx: Ctx, work: (ctx: Ctx) => Promise<unknown>): Promise<void> {
  await ctx.transaction(work, { role: 'system' })
}
