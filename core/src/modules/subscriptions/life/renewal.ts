import { type Ctx, every, everyTenant, fromNow, HOURS, systemActor } from '#kernel'
import { listDue, listTenantsWithout } from '../queries.ts'
import { rollForwardIfDue } from './lifecycle.ts'
import { openSubscription } from './trial.ts'

/**
 * Longer than it takes to replace processes of a version without subscriptions. Only tenants founded in this time are
 * searched often, which costs the same however many tenants there are.
 */
const RECENT_MS = 48 * HOURS

/**
 * Stores the changes that have become due: ended trials, periods and grace, and warnings of ends. However many periods
 * were missed and however many processes run this, each change is recorded once. Rights do not depend on it: they are
 * computed from the time of each request.
 */
export const rollOver = every('*/10 * * * *', 'subscriptions.roll_over', async (ctx) => {
  await everyTenant(ctx, {
    name: 'subscriptions.roll_over',
    list: (tx, page) => listDue(tx, { ...page, now: ctx.clock.now() }),
    work: (ctx) => rollForwardIfDue(ctx.as(systemActor)),
  })
  await openMissing(ctx, 'subscriptions.open_missing', fromNow(ctx.clock, -RECENT_MS))
})

/** A tenant without a subscription can only read, so every tenant without one gets one sooner or later. */
export const openAllMissing = every('25 * * * *', 'subscriptions.open_all_missing', (ctx) =>
  openMissing(ctx, 'subscriptions.open_all_missing', null),
)

const openMissing = (ctx: Ctx, name: string, since: string | null): Promise<void> =>
  everyTenant(ctx, {
    name,
    list: (tx, page) => listTenantsWithout(tx, { ...page, since }),
    work: (ctx) => openSubscription(ctx.as(systemActor)),
  })
