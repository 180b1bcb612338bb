import { type Ctx, every, everyTenant } from '#kernel'
import { listTenantsWithExpired, lockExpired } from './queries.ts'
import { giveUp } from './reservation.ts'

/** Uploads of one tenant given up in one transaction. */
const BATCH = 100
/** Of one tenant in one run of the clock. */
const BATCHES = 100

/** Every ten minutes: gives up uploads that have stood still, whose process has died, or that nobody has completed. */
export const giveUpExpired = every('*/10 * * * *', 'files.give_up_uploads', async (ctx) => {
  for (let batch = 0, isMore = true; isMore && batch < BATCHES; batch++) {
    isMore = false
    await everyTenant(ctx, {
      name: 'files.give_up_uploads',
      list: (tx, page) => listTenantsWithExpired(tx, ctx.clock.now(), page),
      work: async (ctx) => {
        if ((await giveUpSome(ctx)) === BATCH) isMore = true
      },
    })
  }
})

async function giveUpSome(ctx: Ctx): Promise<number> {
  const expired = await lockExpired(ctx.tx, ctx.tenantId, ctx.clock.now(), BATCH)
  for (const upload of expired) await giveUp(ctx, upload)
  return expired.length
}
