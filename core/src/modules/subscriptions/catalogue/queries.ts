import { json, sql, type Tx } from '#kernel'
import type { PlanRow } from '../table.ts'

const lockOf = (id: string) => sql`hashtextextended(${`plan:${id}`}, 0)`

/**
 * Keeps a plan as it is until the transaction ends, beside any number of others. Not by its row: whoever acts for a tenant
 * may not lock that.
 */
export async function lockPlanAsItIs(tx: Tx, id: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${lockOf(id)})`.execute(tx)
}

/** The plan, locked against being changed and chosen until the transaction ends. */
export async function lockPlan(tx: Tx, id: string): Promise<PlanRow | undefined> {
  await sql`select pg_advisory_xact_lock(${lockOf(id)})`.execute(tx)
  // Whoever founds a tenant refers to the row without the lock above.
  return tx.selectFrom('plans').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
}

/** Unordered and unbounded, for `page`. */
export const selectPlans = (tx: Tx) => tx.selectFrom('plans').selectAll()

export const findPlan = (tx: Tx, id: string): Promise<PlanRow | undefined> =>
  selectPlans(tx).where('id', '=', id).executeTakeFirst()

/** How many tenants have each of these plans, now or from the next period on, across tenants; those of none are left out. */
export const countSubscriptions = (
  tx: Tx,
  ids: readonly string[],
): Promise<{ plan_id: string; subscriptions: number; pending: number }[]> =>
  tx
    .selectFrom('subscriptions as s')
    .innerJoin('plans as p', (join) =>
      join.on((eb) => eb.or([eb('p.id', '=', eb.ref('s.plan_id')), eb('p.id', '=', eb.ref('s.pending_plan_id'))])),
    )
    .select('p.id as plan_id')
    .select(sql<number>`count(*) filter (where s.plan_id = p.id)`.as('subscriptions'))
    .select(sql<number>`count(*) filter (where s.pending_plan_id = p.id)`.as('pending'))
    .where(sql<boolean>`p.id = any(${ids}::uuid[])`)
    .groupBy('p.id')
    .execute()

/** Undefined when there is one of that code. */
export const insertPlan = (tx: Tx, plan: PlanRow): Promise<PlanRow | undefined> =>
  tx
    .insertInto('plans')
    .values({ ...plan, ...asJson(plan) })
    .onConflict((conflict) => conflict.column('code').doNothing())
    .returningAll()
    .executeTakeFirst()

export const updatePlan = (tx: Tx, { id, created_at, ...values }: PlanRow): Promise<PlanRow> =>
  tx
    .updateTable('plans')
    .set({ ...values, ...asJson(values) })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const deletePlan = (tx: Tx, id: string): Promise<unknown> =>
  tx.deleteFrom('plans').where('id', '=', id).execute()

const asJson = ({ limits, features }: Pick<PlanRow, 'limits' | 'features'>) => ({
  limits: json(limits),
  features: json(features),
})
