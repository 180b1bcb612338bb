// catalog/schedules.ts: what happens by the clock, in UTC, once however many processes run
import { type Core, type Ctx, every, everyTenant } from 'tenantry'
import { retireEnded } from './operations.ts'
import { listTenantsWithEnded } from './queries.ts'

/** Of a schedule's context, or of the core that a command gets. */
export const retireEverywhere = (of: Ctx | Core) =>
  everyTenant(of, {
    name: 'catalog.retire',
    // As the system role, which sees all tenants, in a short read of its own.
    list: (tx, page) => listTenantsWithEnded(tx, { ...page, now: of.clock.now() }),
    // In a transaction of that tenant alone; one that fails keeps no other from its turn.
    work: (ctx) => retireEnded(ctx),
  })

export const retireAll = every('*/15 * * * *', 'catalog.retire', retireEverywhere)
