import { json, type SweepPage, sql, type Tx } from '#kernel'
import type { PlanRow, Status, SubscriptionRow } from './table.ts'

const select = (tx: Tx, tenantId: string) =>
  tx.selectFrom('subscriptions').selectAll().where('tenant_id', '=', tenantId)

export const findSubscription = (tx: Tx, tenantId: string): Promise<SubscriptionRow | undefined> =>
  select(tx, tenantId).executeTakeFirst()

/** Waits for transactions that consume the tenant's limits, and blocks others until the transaction ends. */
export const lockSubscription = (tx: Tx, tenantId: string): Promise<SubscriptionRow | undefined> =>
  select(tx, tenantId).forUpdate().executeTakeFirst()

/** The subscription if a change is due and no other transaction has locked it. */
export const lockDueSubscription = (tx: Tx, tenantId: string, now: string): Promise<SubscriptionRow | undefined> =>
  select(tx, tenantId).where('next_change_at', '<=', now).forUpdate().skipLocked().executeTakeFirst()

/** The columns that decide whether the tenant may write. */
export const findStanding = (
  tx: Tx,
  tenantId: string,
): Promise<{ status: Status; next_change_at: string | null } | undefined> =>
  tx
    .selectFrom('subscriptions')
    .select(['status', 'next_change_at'])
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst()

/** Undefined when the tenant has a subscription already. */
export const insertSubscription = (tx: Tx, subscription: SubscriptionRow): Promise<SubscriptionRow | undefined> =>
  tx
    .insertInto('subscriptions')
    .values({ ...subscription, ...asJson(subscription) })
    .onConflict((conflict) => conflict.column('tenant_id').doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateSubscription = (tx: Tx, row: SubscriptionRow): Promise<SubscriptionRow> => {
  // What operators give is written by `updateOverrides` alone, as the system role.
  const { tenant_id, id, created_at, limits_override, features_override, ...values } = row
  return tx
    .updateTable('subscriptions')
    .set({ ...values, ...asJson(row) })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

const asJson = ({ payment_method, charge }: Pick<SubscriptionRow, 'payment_method' | 'charge'>) => ({
  payment_method: payment_method && json(payment_method),
  charge: charge && json(charge),
})

/** The public plans, cheapest first. */
export const listPublicPlans = (tx: Tx): Promise<PlanRow[]> =>
  tx
    .selectFrom('plans')
    .selectAll()
    .where('is_public', '=', true)
    .where('is_active', '=', true)
    .orderBy('price_cents')
    .orderBy('code')
    .execute()

export const findPublicPlan = (tx: Tx, id: string): Promise<PlanRow | undefined> =>
  tx
    .selectFrom('plans')
    .selectAll()
    .where('id', '=', id)
    .where('is_public', '=', true)
    .where('is_active', '=', true)
    .executeTakeFirst()

/** A plan that can be chosen, also a private one. */
export const findActivePlan = (tx: Tx, id: string): Promise<PlanRow | undefined> =>
  tx.selectFrom('plans').selectAll().where('id', '=', id).where('is_active', '=', true).executeTakeFirst()

export const findPlanByCode = (tx: Tx, code: string): Promise<PlanRow | undefined> =>
  tx.selectFrom('plans').selectAll().where('code', '=', code).executeTakeFirst()

export const listPlansById = (tx: Tx, ids: readonly string[]): Promise<PlanRow[]> =>
  tx.selectFrom('plans').selectAll().where('id', 'in', ids).execute()

/** The codes of all plans, also private and inactive ones. */
export const listPlanCodes = async (tx: Tx): Promise<string[]> =>
  (await tx.selectFrom('plans').select('code').distinct().orderBy('code').execute()).map(({ code }) => code)

/** Across tenants, by id: those with a change of the subscription that is due. */
export async function listDue(
  tx: Tx,
  { now, after, limit }: SweepPage & { now: string },
): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('subscriptions')
    .select('tenant_id')
    .where('next_change_at', '<=', now)
    .orderBy('tenant_id')
    .limit(limit)
  return (after === null ? query : query.where('tenant_id', '>', after)).execute()
}

/** Across tenants, by id: those without a subscription, of all or of those founded since then. One that is still being imported gets its own. */
export async function listTenantsWithout(
  tx: Tx,
  { since, after, limit }: SweepPage & { since: string | null },
): Promise<{ tenant_id: string }[]> {
  const query = tx
    .selectFrom('tenants as t')
    .leftJoin('subscriptions as s', 's.tenant_id', 't.id')
    .select('t.id as tenant_id')
    .where('s.tenant_id', 'is', null)
    .where('t.is_incomplete', '=', false)
    .orderBy('t.id')
    .limit(limit)
  const recent = since === null ? query : query.where('t.id', '>', sql<string>`tenantry.uuid_at(${since})`)
  return (after === null ? recent : recent.where('t.id', '>', after)).execute()
}

/** Counts a trial of a person; false when they have had as many as allowed. */
export async function upsertTrial(tx: Tx, userId: string, most: number): Promise<boolean> {
  if (most < 1) return false
  const taken = await tx
    .insertInto('person_trials')
    .values({ user_id: userId, trials: 1 })
    .onConflict((conflict) =>
      conflict
        .column('user_id')
        .doUpdateSet({ trials: sql`person_trials.trials + 1` })
        .where('person_trials.trials', '<', most),
    )
    .returning('user_id')
    .executeTakeFirst()
  return taken !== undefined
}

/** Uncounts a trial that did not start. */
export const updateTrialReturned = (tx: Tx, userId: string): Promise<unknown> =>
  tx.updateTable('person_trials').set({ trials: sql`trials - 1` }).where('user_id', '=', userId).execute()
