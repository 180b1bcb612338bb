import { type Ctx, every, everyTenant, fromNow, HOURS, systemActor } from '#kernel'
import { rollForwardIfDue } from './lifecycle.ts'
import { listDue, listTenantsWithout } from './queries.ts'
import { openSubscription } from './trial.ts'

/**
 * Longer than it takes to replace old processes, which know nothing of subscriptions, by new ones. Among these alone it is
 * looked often, because that takes no longer however many tenants there are.
 */
const RECENT_MS = 48 * HOURS

/**
 * Writes down what the clock has done: trials and periods that ended, grace that ran out, ends to warn of. However many
 * periods were missed, and however many processes do this at the same time, each thing is recorded once. Rights do not
 * wait for it: they are reckoned by the clock whenever they are asked for.
 */
export const rollOver = every('*/10 * * * *', 'subscriptions.roll_over', async (ctx) => {
  await everyTenant(ctx, {
    name: 'subscriptions.roll_over',
    list: (tx, page) => listDue(tx, { ...page, now: ctx.clock.now() }),
    work: (ctx) => rollForwardIfDue(ctx.as(systemActor)),
  })
  await openMissing(ctx, 'subscriptions.open_missing', fromNow(ctx.clock, -RECENT_MS))
})

/** Who has no subscription may only read, so nobody is left without one for ever, whatever has become of it. */
export const openAllMissing = every('25 * * * *', 'subscriptions.open_all_missing', (ctx) =>
  openMissing(ctx, 'subscriptions.open_all_missing', null),
)

const openMissing = (ctx: Ctx, name: string, since: string | null): Promise<void> =>
  everyTenant(ctx, {
    name,
    list: (tx, page) => listTenantsWithout(tx, { ...page, since }),
    work: (ctx) => openSubscription(ctx.as(systemActor)),
  })
