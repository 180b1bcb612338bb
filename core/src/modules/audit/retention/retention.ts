import { type Ctx, every, everyTenant, LEAST_ID, least, type SweepPage, systemActor, type Tx } from '#kernel'
import { keptFrom } from './kept-from.ts'
import { removeExpired } from './remove-expired.ts'
import { listRetentions, listTenantsWithRecords, type StoredRetention } from './retention-queries.ts'

/** Tenants checked at once. */
const BATCH = 500

/**
 * Enqueues the removal of expired records for each tenant. Records of months that no tenant keeps are only marked as
 * removed, because dropping the whole partition costs nothing. If that has not happened by the next day, for example
 * because one tenant's job fails, each tenant deletes its own records of these months.
 */
export const findExpired = every('40 2 * * *', 'audit.find_expired', async (ctx) => {
  const now = ctx.clock.ms()
  const wholeBefore = await findWholeBefore(ctx, now)
  if (wholeBefore === null) return
  await everyTenant(ctx, {
    name: 'audit.find_expired',
    list: (tx, page) => listExpired(tx, page, now),
    work: async (ctx, { removed_to, before }) => {
      const isGivenUp = (removed_to ?? LEAST_ID) >= wholeBefore
      const payload = { before, from: isGivenUp ? LEAST_ID : wholeBefore }
      await ctx.as(systemActor).enqueue(removeExpired, payload, { dedupeKey: removeExpired.name })
    },
  })
})

/**
 * The id below which no tenant keeps records; null: nobody has sealed records. Each batch is read in its own
 * transaction.
 */
async function findWholeBefore(ctx: Ctx, now: number): Promise<string | null> {
  let wholeBefore: string | null = null
  for (let after: string | null = null; ; ) {
    const page: SweepPage = { after, limit: BATCH }
    const tenants: StoredRetention[] = await ctx.transaction(({ tx }) => listRetentions(tx, page), { role: 'system' })
    for (const { days } of tenants) wholeBefore = least(keptFrom(now, days), wholeBefore)
    if (tenants.length < BATCH) return wholeBefore
    after = tenants.at(-1)?.tenant_id ?? null
  }
}

/** A tenant with records to remove: those with ids below `before`. */
type Expired = StoredRetention & { before: string }

/** Skips tenants without anything to remove, also whole pages of them. Deleted and suspended tenants count too. */
async function listExpired(tx: Tx, { after, limit }: SweepPage, now: number): Promise<Expired[]> {
  for (let position = after; ; ) {
    const tenants: StoredRetention[] = await listRetentions(tx, { after: position, limit })
    const expired: Expired[] = []
    for (const [before, sameMonth] of byMonth(now, tenants)) {
      const ids = sameMonth.map(({ tenant_id }) => tenant_id)
      const found = new Set(await listTenantsWithRecords(tx, ids, before))
      for (const tenant of sameMonth) if (found.has(tenant.tenant_id)) expired.push({ ...tenant, before })
    }
    if (expired.length > 0 || tenants.length < limit)
      return expired.sort((one, other) => (one.tenant_id < other.tenant_id ? -1 : 1))
    position = tenants.at(-1)?.tenant_id ?? null
  }
}

function byMonth(now: number, tenants: readonly StoredRetention[]): Map<string, StoredRetention[]> {
  return Map.groupBy(tenants, ({ days }) => keptFrom(now, days))
}
