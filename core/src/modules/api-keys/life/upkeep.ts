import { type Ctx, DAYS, every, fromNow } from '#kernel'
import { deleteOldHashes, deleteUsageBefore } from '../queries.ts'

const USAGE_KEPT_MS = 400 * DAYS
const HASH_KEPT_MS = 400 * DAYS

/**
 * Once a day: removes counts of long ago, and from the directory the keys that were revoked or replaced long ago. The hashes of imported keys
 * stay: whoever imported such a hash next would get the requests of clients that still send the key.
 */
export const sweep = every('47 3 * * *', 'api_keys.sweep', async (ctx) => {
  await asSystem(ctx, ({ tx, clock }) => deleteUsageBefore(tx, fromNow(clock, -USAGE_KEPT_MS).slice(0, 10)))
  await asSystem(ctx, ({ tx, clock }) => deleteOldHashes(tx, fromNow(clock, -HASH_KEPT_MS)))
})

async function asSystem(ctx: Ctx, work: (ctx: Ctx) => Promise<unknown>): Promise<void> {
  await ctx.transaction(work, { role: 'system' })
}
