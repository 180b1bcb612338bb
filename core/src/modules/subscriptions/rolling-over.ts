import { type Ctx, every, fromNow, HOURS, systemActor } from '#kernel'
import { rollForwardIfDue } from './changing.ts'
import { openSubscription } from './opening.ts'
import { type Due, listDue, listTenantsWithout } from './sweep-queries.ts'

const BATCH = 500
/** Longer than it takes to replace old processes, which know nothing of subscriptions, by new ones. */
const RECENT_MS = 48 * HOURS

/**
 * Writes down what the clock has done: trials and periods that ended, grace that ran out, ends to warn of. However many
 * periods were missed, and however many processes do this at the same time, each thing is recorded once. Rights do not
 * wait for it: they are reckoned by the clock whenever they are asked for.
 */
export const rollOver = every('*/10 * * * *', 'subscriptions.roll_over', async (ctx) => {
  for (let last: Due | null = null; ; ) {
    const due: Due[] = await listDue(ctx.tx, { now: ctx.clock.now(), after: last, limit: BATCH })
    for (const { tenant_id } of due) await inTenant(ctx, tenant_id, rollForwardIfDue)
    last = due.at(-1) ?? null
    if (due.length < BATCH) break
  }
  for (const tenantId of await listTenantsWithout(ctx.tx, fromNow(ctx.clock, -RECENT_MS), BATCH))
    await inTenant(ctx, tenantId, (ctx) => openSubscription(ctx))
})

/** In a transaction of that tenant alone; one that fails keeps no other from its turn. */
async function inTenant({ core }: Ctx, tenantId: string, work: (ctx: Ctx) => Promise<void>): Promise<void> {
  try {
    await core.run((ctx) => work(ctx.as(systemActor)), { tenantId })
  } catch (error) {
    core.log.error({ err: error, tenant_id: tenantId }, 'a subscription could not be rolled over')
  }
}
