import { sql, type Tx } from '#kernel'
import type { Counted } from './limits/usage-queries.ts'
import type { PlanRow, SubscriptionRow } from './table.ts'

// Across tenants: for the system role.

/** The stored subscriptions of these tenants. */
export const listSubscriptionsOf = (tx: Tx, tenantIds: readonly string[]): Promise<SubscriptionRow[]> =>
  tx
    .selectFrom('subscriptions')
    .selectAll()
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .orderBy('tenant_id')
    .execute()

/** Every plan: there are few. */
export const listAllPlans = (tx: Tx): Promise<PlanRow[]> => tx.selectFrom('plans').selectAll().execute()

/** What is counted up of these limits, in all periods that are kept. */
export const listUsageOf = (tx: Tx, tenantIds: readonly string[], limits: readonly string[]) =>
  tx
    .selectFrom('limit_usage')
    .select(['tenant_id', 'limit_name', 'period_start', 'used'])
    .where(sql<boolean>`tenant_id = any(${tenantIds}::uuid[])`)
    .where(sql<boolean>`limit_name = any(${limits}::text[])`)
    .execute()

/** How many rows of a table each of these tenants has, counted up to its `most`. */
export async function listCountsOf(
  tx: Tx,
  { table, until, now }: Counted,
  tenants: readonly { id: string; most: number }[],
): Promise<{ tenant_id: string; used: number }[]> {
  const alive = until === undefined ? sql`` : sql`and (${sql.ref(until)} is null or ${sql.ref(until)} > ${now})`
  const [ids, mosts] = [tenants.map(({ id }) => id), tenants.map(({ most }) => most)]
  const counted = sql<{ tenant_id: string; used: number }>`
    select t.id as tenant_id, c.used from unnest(${ids}::uuid[], ${mosts}::bigint[]) as t (id, most)
    cross join lateral (select count(*) as used from
      (select from ${sql.table(table)} as counted where counted.tenant_id = t.id ${alive} limit t.most) as bounded) as c`
  return (await counted.execute(tx)).rows
}
