import { type Core, every, systemActor } from '#kernel'
import { LEAST_ID } from '../sealing/sealing.ts'
import { keptFrom } from './keeping.ts'
import { removeExpired } from './removing.ts'
import { listRetentions, listTenantsWithRecords, type StoredRetention } from './retention-queries.ts'

/** Tenants looked at at once. */
const BATCH = 500

/**
 * Has the records removed whose time is over, tenant by tenant. Months that every tenant is done with are left to be
 * dropped whole, which costs nothing: their records are only given up. Should that not have happened by the next day (one
 * tenant's job fails, somebody is always in the way), everybody's own records of them go one by one.
 */
export const findExpired = every('40 2 * * *', 'audit.find_expired', async ({ core, clock }) => {
  const now = clock.ms()
  let wholeBefore: string | null = null
  for await (const tenants of readRetentions(core))
    for (const { days } of tenants) wholeBefore = least(wholeBefore, keptFrom(now, days))
  if (wholeBefore === null) return
  for await (const tenants of readRetentions(core))
    for (const [before, sameMonth] of byMonth(now, tenants)) await removeOf(core, sameMonth, { before, wholeBefore })
})

/** All tenants that have sealed records, whatever became of them; each batch in a transaction of its own. */
async function* readRetentions(core: Core): AsyncGenerator<StoredRetention[]> {
  for (let after: string | null = null; ; ) {
    const position: { after: string | null; limit: number } = { after, limit: BATCH }
    const tenants: StoredRetention[] = await core.run(({ tx }) => listRetentions(tx, position), { role: 'system' })
    yield tenants
    if (tenants.length < BATCH) return
    after = tenants.at(-1)?.tenant_id ?? null
  }
}

function byMonth(now: number, tenants: readonly StoredRetention[]): Map<string, StoredRetention[]> {
  return Map.groupBy(tenants, ({ days }) => keptFrom(now, days))
}

/** Of tenants that keep the same: has those do it that have something to remove. One that fails keeps no other from it. */
async function removeOf(
  core: Core,
  tenants: readonly StoredRetention[],
  { before, wholeBefore }: { before: string; wholeBefore: string },
): Promise<void> {
  const removedTo = new Map(tenants.map(({ tenant_id, removed_to }) => [tenant_id, removed_to]))
  const expired = await core.run(({ tx }) => listTenantsWithRecords(tx, [...removedTo.keys()], before), {
    role: 'system',
  })
  for (const tenantId of expired) {
    const isGivenUp = (removedTo.get(tenantId) ?? LEAST_ID) >= wholeBefore
    const payload = { before, from: isGivenUp ? LEAST_ID : wholeBefore }
    await core
      .run((ctx) => ctx.as(systemActor).enqueue(removeExpired, payload, { dedupeKey: removeExpired.name }), {
        tenantId,
      })
      .catch((error: Error) => core.log.error({ err: error, tenant_id: tenantId }, 'audit records are not removed'))
  }
}

function least(one: string | null, other: string): string {
  return one === null || other < one ? other : one
}
