import { Closed, type Ctx, defineJob, every, fromNow, HOURS, SECONDS } from '#kernel'
import { carryOutNext } from './purge/carry-out.ts'
import { dueMoments } from './purge/run.ts'
import { listDue } from './queries.ts'

const system = { role: 'system', tenantId: null } as const // a literal of TransactionOptions

/** Goes on with a removal that is due. Its payload names no tenant: such jobs go with it. */
export const purge = defineJob('tenant_removal.purge', {
  payload: Closed({}),
  transaction: 'manual',
  outbound: true,
  // Storages with millions of objects are counted in one go.
  leaseMs: 12 * HOURS,
  handler: async (ctx) => {
    const outcome = await carryOutNext(ctx)
    if (outcome !== 'none') await ctx.transaction((ctx) => goOn(ctx, fromNow(ctx.clock, 1 * SECONDS)), system)
  },
})

/** Every five minutes: has removals that are due carried out, those that were given up too. */
export const findDue = every('*/5 * * * *', 'tenant_removal.find_due', (ctx) =>
  ctx.transaction((ctx) => goOn(ctx, ctx.clock.now()), system),
)

async function goOn(ctx: Ctx, runAt: string): Promise<void> {
  const due = await listDue(ctx.tx, dueMoments(ctx), 1)
  if (due.length > 0) await ctx.enqueue(purge, {}, { dedupeKey: purge.name, runAt })
}
