import { type Ctx, every, everyTenant } from '#kernel'
import { listTenantsWithExpired, lockExpired } from './queries.ts'
import { giveUp } from './reservation.ts'

/** Uploads of one tenant given up in one transaction. */
const BATCH = 100

/** Every ten minutes: gives up uploads that have stood still, whose process has died, or that nobody has completed. */
export const giveUpExpired = every('*/10 * * * *', 'files.give_up_uploads', (ctx) =>
  everyTenant(ctx, {
    name: 'files.give_up_uploads',
    list: (tx, page) => listTenantsWithExpired(tx, ctx.clock.now(), page),
    work: (ctx) => giveUpSome(ctx),
  }),
)

async function giveUpSome(ctx: Ctx): Promise<void> {
  for (const upload of await lockExpired(ctx.tx, ctx.tenantId, ctx.clock.now(), BATCH)) await giveUp(ctx, upload)
}
