import {
  Closed,
  type Ctx,
  defineJob,
  every,
  firstIdAt,
  fromNow,
  HOURS,
  MINUTES,
  newId,
  SECONDS,
  timeOfId,
} from '#kernel'
import { listTenantsBehind, listTenantsSince } from './seal-queries.ts'
import { LEAST_ID, sealTenant } from './sealing.ts'

/** Longer than a minute, should a run be left out. */
const RECENT_MS = 10 * MINUTES
const BATCH = 1_000

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
export const findUnsealed = every('* * * * *', 'audit.find_unsealed', async (ctx) => {
  // Ids carry the machine's time, whatever the clock says.
  const since = firstIdAt(timeOfId(newId()) - RECENT_MS)
  for (const tenantId of await listTenantsSince(ctx.tx, since)) await haveSealed(ctx, tenantId)
})

/** Has sealed what nobody came to: records from before there were seals, or of a time when no worker ran. */
export const findBehind = every('23 * * * *', 'audit.find_behind', async (ctx) => {
  const [olderThan, notedBefore] = [firstIdAt(ctx.clock.ms() - 10 * SECONDS), fromNow(ctx.clock, -1 * HOURS)]
  for (let after = LEAST_ID; ; ) {
    const tenants = await listTenantsBehind(ctx.tx, { olderThan, notedBefore, after, limit: BATCH })
    for (const tenantId of tenants) await haveSealed(ctx, tenantId)
    after = tenants.at(-1) ?? after
    if (tenants.length < BATCH) return
  }
})

/** One tenant that fails keeps no other from its turn. */
async function haveSealed({ core }: Ctx, tenantId: string): Promise<void> {
  try {
    await core.run((ctx) => enqueueSealing(ctx, ctx.clock.now()), { tenantId })
  } catch (error) {
    core.log.error({ err: error, tenant_id: tenantId }, 'records could not be had sealed')
  }
}

function enqueueSealing(ctx: Ctx, runAt: string): Promise<void> {
  return ctx.enqueue(seal, {}, { dedupeKey: seal.name, runAt })
}
