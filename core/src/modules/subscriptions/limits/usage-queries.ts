import { prepared, sql, type Tx } from '#kernel'
import type { PlanTerms } from '../plans.ts'
import type { Status, SubscriptionRow } from '../table.ts'
import { selectRollouts } from '../terms/queries.ts'
import type { Rollout } from '../terms/terms.ts'

/** The stored subscription and its plan, and what the tenant may get in place of what the plan says. */
export interface StoredTerms
  extends PlanTerms,
    Pick<SubscriptionRow, 'tenant_id' | 'limits_override' | 'features_override'> {
  status: Status
  current_period_start: string
  next_change_at: string | null
  rollouts: Rollout[]
}

const selectTerms = (tx: Tx, tenantId: string) =>
  tx
    .selectFrom('subscriptions as s')
    .innerJoin('plans as p', 'p.id', 's.plan_id')
    .select(['s.tenant_id', 's.status', 's.current_period_start', 's.next_change_at'])
    .select(['p.code', 'p.limits', 'p.features', 's.limits_override', 's.features_override'])
    .select(selectRollouts.as('rollouts'))
    .where('s.tenant_id', '=', tenantId)

export const findTerms = (tx: Tx, tenantId: string): Promise<StoredTerms | undefined> =>
  selectTerms(tx, tenantId).executeTakeFirst()

/**
 * Locks the plan against changes until the transaction ends, without blocking other consumers. Undefined also when the
 * plan was changed while this waited: the join then misses the row, and a second call finds it.
 */
export async function lockTerms(tx: Tx, tenantId: string): Promise<StoredTerms | undefined> {
  return (await selectLocked(tx, tenantId))[0]
}

const selectLocked = prepared((tx: Tx, tenantId: string) => selectTerms(tx, tenantId).forKeyShare('s'))

/** Serialises transactions that add rows counted by a limit. */
export const lockCounting = (tx: Tx, tenantId: string) =>
  tx.selectFrom('subscriptions').select('id').where('tenant_id', '=', tenantId).forNoKeyUpdate().executeTakeFirst()

/** Rows counted by a limit; those whose column `until` is past `now` do not count. */
export interface Counted {
  table: string
  until: string | undefined
  now: string
}

/** The number of rows of the tenant, counting up to `most`. */
export async function countRows(
  tx: Tx,
  tenantId: string,
  { table, until, now }: Counted,
  most: number | null = null,
): Promise<number> {
  const alive = until === undefined ? sql`` : sql`and (${sql.ref(until)} is null or ${sql.ref(until)} > ${now})`
  const counted = sql<{ used: number }>`
    select count(*) as used from (select from ${sql.table(table)} where tenant_id = ${tenantId} ${alive} limit ${most}) as counted`
  const { rows } = await counted.execute(tx)
  return rows[0]?.used ?? 0
}

/** The period of what is held in amounts, which no period ends. */
export const HELD = '1970-01-01T00:00:00.000Z'

interface Counter {
  tenant_id: string
  limit_name: string
  period_start: string
}

/** Adds to a counter unless that exceeds `max` (null: any number); the new value, or undefined. */
export async function upsertUsage(
  tx: Tx,
  counter: Counter,
  { amount, max }: { amount: number; max: number | null },
): Promise<number | undefined> {
  if (max !== null && amount > max) return undefined
  const row = await tx
    .insertInto('limit_usage')
    .values({ ...counter, used: amount })
    .onConflict((conflict) => {
      const added = sql<number>`limit_usage.used + excluded.used`
      const update = conflict.columns(['tenant_id', 'limit_name', 'period_start']).doUpdateSet({ used: added })
      return max === null ? update : update.where(added, '<=', max)
    })
    .returning('used')
    .executeTakeFirst()
  return row?.used
}

/** Sets a counter. */
export const updateUsage = (tx: Tx, { tenant_id, limit_name, period_start }: Counter, used: number) =>
  tx
    .updateTable('limit_usage')
    .set({ used })
    .where('tenant_id', '=', tenant_id)
    .where('limit_name', '=', limit_name)
    .where('period_start', '=', period_start)
    .execute()

/** Subtracts from a counter, down to zero. */
export const updateUsageReleased = (tx: Tx, { tenant_id, limit_name, period_start }: Counter, amount: number) =>
  tx
    .updateTable('limit_usage')
    .set({ used: sql<number>`greatest(used - ${amount}, 0)` })
    .where('tenant_id', '=', tenant_id)
    .where('limit_name', '=', limit_name)
    .where('period_start', '=', period_start)
    .execute()

export const findUsage = async (tx: Tx, { tenant_id, limit_name, period_start }: Counter): Promise<number> => {
  const row = await tx
    .selectFrom('limit_usage')
    .select('used')
    .where('tenant_id', '=', tenant_id)
    .where('limit_name', '=', limit_name)
    .where('period_start', '=', period_start)
    .executeTakeFirst()
  return row?.used ?? 0
}

/** Deletes the counters of periods that began before; `held` is the period of what no period ends. */
export const deleteUsageBefore = (tx: Tx, tenantId: string, { start, held }: { start: string; held: string }) =>
  tx
    .deleteFrom('limit_usage')
    .where('tenant_id', '=', tenantId)
    .where('period_start', '<', start)
    .where('period_start', '>', held)
    .execute()
