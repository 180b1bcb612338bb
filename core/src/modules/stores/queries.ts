import { columnsOf, containing, json, notFound, prepared, preparedList, preparedRow, sql, type Tx } from '#kernel'
import { Store } from './schema.ts'
import type { StoreRow, StoreSettingsRow } from './table.ts'

const columns = columnsOf(Store)

/** The start of every query that reads stores. */
function selectStores(tx: Tx, tenantId: string) {
  return tx.selectFrom('stores').select(columns).where('tenant_id', '=', tenantId)
}

export interface StoreFilter {
  q?: string
  status?: 'active' | 'inactive'
}

/** Unordered and unbounded, for `page`. */
export const listStores = preparedList((tx, tenantId, { q, status }: StoreFilter) => {
  let query = selectStores(tx, tenantId)
  if (status) query = query.where('status', '=', status)
  if (q) {
    const part = containing(q)
    query = query.where((where) => where.or([where('name', 'ilike', part), where('code', 'ilike', part)]))
  }
  return query
})

const selectById = prepared((tx: Tx, tenantId: string, id: string) => selectStores(tx, tenantId).where('id', '=', id))

export async function findStore(tx: Tx, tenantId: string, id: string): Promise<StoreRow | undefined> {
  return (await selectById(tx, tenantId, id))[0]
}

/** Throws 404 when the tenant has no such store. */
export async function getStore(tx: Tx, tenantId: string, id: string): Promise<StoreRow> {
  const store = await findStore(tx, tenantId, id)
  if (!store) throw notFound()
  return store
}

/** Those of the ids that are stores of the tenant, oldest first. */
export function findStores(tx: Tx, tenantId: string, ids: readonly string[]): Promise<StoreRow[]> {
  return selectStores(tx, tenantId).where(sql<boolean>`id = any(${ids}::uuid[])`).orderBy('id').execute()
}

/** Locks the row until the transaction ends; rows that refer to the store can still be added. Throws 404. */
export function lockStore(tx: Tx, tenantId: string, id: string): Promise<StoreRow> {
  return selectStores(tx, tenantId)
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => notFound())
}

/** Keeps the store from being deleted until the transaction ends, and nobody from changing it. Throws 404. */
export async function lockStoreThere(tx: Tx, tenantId: string, id: string): Promise<void> {
  await tx
    .selectFrom('stores')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirstOrThrow(() => notFound())
}

/** Stored as it is given. Violates `stores_name_key` or `stores_code_key` when another store has them. */
export const insertStore = preparedRow(columns, (tx, store: StoreRow) => tx.insertInto('stores').values(store))

/** Undefined when another store has the code; violates `stores_name_key` when one has the name. */
export async function insertStoreUnlessTaken(tx: Tx, store: StoreRow): Promise<StoreRow | undefined> {
  return (await insertRow(tx, store))[0]
}

const insertRow = preparedRow(columns, (tx, store: StoreRow) =>
  tx
    .insertInto('stores')
    .values(store)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'code']).doNothing())
    .returning(columns),
)

/** Violates `stores_name_key` or `stores_code_key` when another store has them. */
export function updateStore(tx: Tx, store: StoreRow): Promise<StoreRow> {
  const { tenant_id, id, created_at, address, ...values } = store
  return tx
    .updateTable('stores')
    .set({ ...values, address: address && json(address) })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Clears the flag of the current default store and returns that store. */
export function updateFormerDefault(tx: Tx, tenantId: string, updatedAt: string): Promise<StoreRow | undefined> {
  return tx
    .updateTable('stores')
    .set({ is_default: false, updated_at: updatedAt })
    .where('tenant_id', '=', tenantId)
    .where('is_default', '=', true)
    .returning(columns)
    .executeTakeFirst()
}

export const findDefault = (tx: Tx, tenantId: string) =>
  tx
    .selectFrom('stores')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('is_default', '=', true)
    .executeTakeFirst()

/** Makes the oldest active store the default one; undefined when there is none. */
export const updateOldestToDefault = (tx: Tx, tenantId: string, updatedAt: string) =>
  tx
    .updateTable('stores')
    .set({ is_default: true, updated_at: updatedAt })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', (eb) =>
      eb
        .selectFrom('stores as s')
        .select('s.id')
        .where('s.tenant_id', '=', tenantId)
        .where('s.status', '=', 'active')
        .orderBy('s.created_at')
        .orderBy('s.id')
        .limit(1),
    )
    .returning('id')
    .executeTakeFirst()

/** Undefined when there is no such store, or when it is the default one, which stays. */
export function deleteStore(tx: Tx, tenantId: string, id: string): Promise<StoreRow | undefined> {
  return tx
    .deleteFrom('stores')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .where('is_default', '=', false)
    .returning(columns)
    .executeTakeFirst()
}

const settingsColumns = ['tenant_id', 'id', 'name', 'timezone', 'settings', 'created_at', 'updated_at'] as const // the literal names type the row

/** Throws 404 when the tenant has no such store. */
export function getSettings(tx: Tx, tenantId: string, id: string): Promise<StoreSettingsRow> {
  return selectSettings(tx, tenantId, id).executeTakeFirstOrThrow(() => notFound())
}

export function lockSettings(tx: Tx, tenantId: string, id: string): Promise<StoreSettingsRow> {
  return selectSettings(tx, tenantId, id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow(() => notFound())
}

export function updateSettings(tx: Tx, row: StoreSettingsRow): Promise<StoreSettingsRow> {
  const { timezone, settings, updated_at } = row
  return tx
    .updateTable('stores')
    .set({ timezone, settings: json(settings), updated_at })
    .where('tenant_id', '=', row.tenant_id)
    .where('id', '=', row.id)
    .returning(settingsColumns)
    .executeTakeFirstOrThrow()
}

function selectSettings(tx: Tx, tenantId: string, id: string) {
  return tx.selectFrom('stores').select(settingsColumns).where('tenant_id', '=', tenantId).where('id', '=', id)
}
