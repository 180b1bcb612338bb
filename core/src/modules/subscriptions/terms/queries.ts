import { json, type RawBuilder, sql, type Tx } from '#kernel'
import type { RolloutRow, SubscriptionRow } from '../table.ts'
import type { Rollout } from './terms.ts'

/** All rollouts, as a column of a statement that asks for a tenant's terms: one more would be one more round trip. */
export const selectRollouts: RawBuilder<Rollout[]> = sql<Rollout[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('name', r.name, 'value', r.value, 'share', r.share,
    'until', to_char(r.until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), '[]') from rollouts as r)`

export const listRollouts = (tx: Tx): Promise<RolloutRow[]> => tx.selectFrom('rollouts').selectAll().execute()

/** Unordered and unbounded, for `page`. */
export const selectAllRollouts = (tx: Tx) => tx.selectFrom('rollouts').selectAll()

export const findRollout = (tx: Tx, name: string): Promise<RolloutRow | undefined> =>
  tx.selectFrom('rollouts').selectAll().where('name', '=', name).executeTakeFirst()

export const lockRollout = (tx: Tx, name: string): Promise<RolloutRow | undefined> =>
  tx.selectFrom('rollouts').selectAll().where('name', '=', name).forUpdate().executeTakeFirst()

/** Undefined when there is one of that name. */
export const insertRollout = (tx: Tx, row: RolloutRow): Promise<RolloutRow | undefined> =>
  tx
    .insertInto('rollouts')
    .values({ ...row, value: json(row.value) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateRollout = (
  tx: Tx,
  { name, value, share, until, updated_at }: Omit<RolloutRow, 'created_at'>,
): Promise<RolloutRow> =>
  tx
    .updateTable('rollouts')
    .set({ value: json(value), share, until, updated_at })
    .where('name', '=', name)
    .returningAll()
    .executeTakeFirstOrThrow()

export const deleteRollout = (tx: Tx, name: string): Promise<RolloutRow | undefined> =>
  tx.deleteFrom('rollouts').where('name', '=', name).returningAll().executeTakeFirst()

/** What a tenant gets in place of what its plan says. For the system role. */
export const updateOverrides = (
  tx: Tx,
  tenantId: string,
  {
    id,
    limits_override,
    features_override,
    updated_at,
  }: Pick<SubscriptionRow, 'id' | 'limits_override' | 'features_override' | 'updated_at'>,
): Promise<SubscriptionRow> =>
  tx
    .updateTable('subscriptions')
    .set({ limits_override: json(limits_override), features_override: json(features_override), updated_at })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
