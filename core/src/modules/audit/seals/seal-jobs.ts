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

/** Longer than a minute, should a run be left out. */
const RECENT_MS = 10 * MINUTES

/** Seals what the tenant has recorded. Sealing is no event: it would have to be sealed in its turn. */
export const seal = defineJob('audit.seal', {
  payload: Closed({}),
  transaction: 'manual',
  handler: async (ctx) => {
    const { isDone, looksAgainAt } = await sealTenant(ctx)
    const runAt = isDone ? looksAgainAt : ctx.clock.now()
    if (runAt !== null) await ctx.transaction((ctx) => enqueueSealing(ctx, runAt))
  },
})

/** Has the records of the last minutes sealed. */
export const findUnsealed = every('* * * * *', 'audit.find_unsealed', (ctx) => {
  // Ids carry the machine's time, whatever the clock says; a process whose clock was ahead still makes such ones.
  const since = firstIdAt(Math.min(timeOfId(newId()), Date.now()) - RECENT_MS)
  return everyTenant(ctx, {
    name: 'audit.find_unsealed',
    list: (tx, page) => listTenantsSince(tx, { ...page, since }),
    work: (ctx) => enqueueSealing(ctx, ctx.clock.now()),
  })
})

/** Has sealed what nobody came to: records from before there were seals, or of a time when no worker ran. */
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
