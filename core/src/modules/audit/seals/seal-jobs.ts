import {
  Closed,
  type Ctx,
  defineJob,
  every,
  everyTenant,
  firstIdAt,
  fromNow,
  HOURS,
  LEAST_ID,
  MINUTES,
  newId,
  SECONDS,
  timeOfId,
} from '#kernel'
import { sealTenant } from './seal.ts'
import { listTenantsBehind, listTenantsSince } from './seal-queries.ts'

/** More than a minute, in case a run is missed. */
const RECENT_MS = 10 * MINUTES

/** Seals the tenant's records. Sealing emits no event, which would have to be sealed in turn. */
export const seal = defineJob('audit.seal', {
  payload: Closed({}),
  transaction: 'manual',
  handler: async (ctx) => {
    const { isDone, looksAgainAt } = await sealTenant(ctx)
    const runAt = isDone ? looksAgainAt : ctx.clock.now()
    if (runAt !== null) await ctx.transaction((ctx) => enqueueSealing(ctx, runAt))
  },
})

/** Enqueues sealing for tenants with records of the last minutes. */
export const findUnsealed = every('* * * * *', 'audit.find_unsealed', (ctx) => {
  // Ids contain the machine's time even if the clock differs, and a process whose time was ahead keeps making later
  // ids.
  const since = firstIdAt(Math.min(timeOfId(newId()), Date.now()) - RECENT_MS)
  return everyTenant(ctx, {
    name: 'audit.find_unsealed',
    list: (tx, page) => listTenantsSince(tx, { ...page, since }),
    work: (ctx) => enqueueSealing(ctx, ctx.clock.now()),
  })
})

/** Enqueues sealing of older unsealed records: from before there were seals, or from a time without a worker. */
export const findBehind = every('23 * * * *', 'audit.find_behind', (ctx) => {
  const [olderThan, notedBefore] = [firstIdAt(ctx.clock.ms() - 10 * SECONDS), fromNow(ctx.clock, -1 * HOURS)]
  return everyTenant(ctx, {
    name: 'audit.find_behind',
    list: (tx, { after, limit }) => listTenantsBehind(tx, { olderThan, notedBefore, after: after ?? LEAST_ID, limit }),
    work: (ctx) => enqueueSealing(ctx, ctx.clock.now()),
  })
})

function enqueueSealing(ctx: Ctx, runAt: string): Promise<void> {
  return ctx.enqueue(seal, {}, { dedupeKey: seal.name, runAt })
}
