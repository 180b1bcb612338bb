import { type Backend, sql, type Tx } from '#kernel'

// Everything here is for the system role. Rows go through functions of the database that look at each call whether they may.

/** Tables of tenants but for `tenants` itself, and which of them refer to which. */
export interface TableGraph {
  tables: string[]
  references: { child: string; parent: string }[]
}

export async function listTables(tx: Tx): Promise<TableGraph> {
  const owned = sql`tenantry.tables t join pg_class c on c.oid = to_regclass(format('core.%I', t.name)) where t.kind = 'tenant' and t.name <> 'tenants'`
  const [tables, references] = await Promise.all([
    sql<{ name: string }>`select t.name from ${owned} order by t.name`.execute(tx),
    sql<{ child: string; parent: string }>`
      with owned as (select t.name, c.oid from ${owned})
      select distinct child.name as child, parent.name as parent from pg_constraint f
      join owned child on child.oid = f.conrelid join owned parent on parent.oid = f.confrelid
      where f.contype = 'f' and f.conparentid = 0 order by 1, 2`.execute(tx),
  ])
  return { tables: tables.rows.map(({ name }) => name), references: references.rows }
}

/** Columns of global tables whose name says that they name tenants. */
export async function listColumnsNaming(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ place: string }>`
    select t.name || '.' || a.attname as place from tenantry.tables t
    join pg_attribute a on a.attrelid = to_regclass(format('core.%I', t.name)) and a.attnum > 0 and not a.attisdropped
    where t.kind = 'global' and a.attname ~ 'tenant' order by 1`.execute(tx)
  return rows.map(({ place }) => place)
}

/** The storages that rows of a tenant say their files are in. */
export async function listBackends(tx: Tx, tenantId: string): Promise<Backend[]> {
  const { rows: tables } = await sql<{ name: string; tenant_key: string }>`
    select t.name, t.tenant_key from tenantry.tables t join pg_attribute a on a.attrelid = to_regclass(format('core.%I', t.name))
    where t.kind = 'tenant' and a.attname = 'storage_backend' and not a.attisdropped order by 1`.execute(tx)
  const found = new Set<Backend>()
  for (const { name, tenant_key } of tables) {
    const { rows } = await sql<{ backend: Backend }>`
      select distinct storage_backend as backend from ${sql.table(name)}
      where ${sql.id(tenant_key)} = ${tenantId} and storage_backend is not null`.execute(tx)
    for (const { backend } of rows) found.add(backend)
  }
  return [...found]
}

/** Locks the tenant's row until the transaction ends. Fails with 42501 unless it is being removed. */
export const lockRemoving = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`select tenantry.assert_removing(${tenantId}::uuid)`.execute(tx)

export async function deleteRows(
  tx: Tx,
  tenantId: string,
  table: string,
  most: number,
): Promise<{ removed: number; is_last: boolean }> {
  const { rows } = await sql<{ removed: number; is_last: boolean }>`
    select removed, is_last from tenantry.remove_rows(${tenantId}::uuid, ${table}, ${most})`.execute(tx)
  return rows[0]! // a function gives one row
}

/** Of tables that refer to each other: rows to which none of theirs refers. */
export async function deleteLeaves(
  tx: Tx,
  tenantId: string,
  table: string,
  among: readonly string[],
  most: number,
): Promise<number> {
  const { rows } = await sql<{ removed: number }>`
    select tenantry.remove_leaves(${tenantId}::uuid, ${table}, ${among}::text[], ${most}) as removed`.execute(tx)
  return rows[0]?.removed ?? 0
}

/** Has rows of a table refer to those tables no more. */
export async function updateLoosened(
  tx: Tx,
  tenantId: string,
  table: string,
  among: readonly string[],
  most: number,
): Promise<number> {
  const { rows } = await sql<{ loosened: number }>`
    select tenantry.loosen_rows(${tenantId}::uuid, ${table}, ${among}::text[], ${most}) as loosened`.execute(tx)
  return rows[0]?.loosened ?? 0
}

/** Removes the tenant itself; gives the first table that has a row of it still, and then nothing was done. */
export async function deleteTenantItself(tx: Tx, tenantId: string): Promise<string | null> {
  const { rows } = await sql<{ left: string | null }>`
    select tenantry.remove_tenant(${tenantId}::uuid) as left`.execute(tx)
  return rows[0]?.left ?? null
}

/** The next people of a tenant that are not written down yet. */
export async function listPeopleToNote(tx: Tx, tenantId: string, limit: number): Promise<string[]> {
  const noted = await tx
    .selectFrom('tenant_removal_people')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .orderBy('user_id', 'desc')
    .limit(1)
    .executeTakeFirst()
  const query = tx.selectFrom('members').select('id').where('tenant_id', '=', tenantId).orderBy('id').limit(limit)
  const rows = await (noted ? query.where('id', '>', noted.user_id) : query).execute()
  return rows.map(({ id }) => id)
}

export const insertPeople = (tx: Tx, tenantId: string, ids: readonly string[]): Promise<unknown> =>
  tx
    .insertInto('tenant_removal_people')
    .values(ids.map((user_id) => ({ tenant_id: tenantId, user_id })))
    .execute()

export async function listPeople(tx: Tx, tenantId: string, limit: number): Promise<string[]> {
  const query = tx.selectFrom('tenant_removal_people').select('user_id').where('tenant_id', '=', tenantId)
  return (await query.orderBy('user_id').limit(limit).execute()).map(({ user_id }) => user_id)
}

export const deletePeople = (tx: Tx, tenantId: string, ids: readonly string[]): Promise<unknown> =>
  tx
    .deleteFrom('tenant_removal_people')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', sql<string>`any(${ids}::uuid[])`)
    .execute()
