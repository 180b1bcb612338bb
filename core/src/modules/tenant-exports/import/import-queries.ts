import { type Insertable, sql, type Tx, type Updateable } from '#kernel'
import type { ImportRow, TenantImportPersonTable, TenantImportTable } from '../table.ts'

/** An import that has begun and is not complete. */
export const findImport = (tx: Tx, tenantId: string): Promise<ImportRow | undefined> =>
  tx.selectFrom('tenant_imports').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()

export const lockImport = (tx: Tx, tenantId: string): Promise<ImportRow | undefined> =>
  tx.selectFrom('tenant_imports').selectAll().where('tenant_id', '=', tenantId).forUpdate().executeTakeFirst()

/** Imports that are not complete, by the id or the slug that their tenant has, or is to have. */
export const listImportsNamed = (tx: Tx, name: string): Promise<ImportRow[]> =>
  tx
    .selectFrom('tenant_imports')
    .selectAll()
    .where((eb) => eb.or([eb('slug', '=', name), eb(sql`tenant_id::text`, '=', name)]))
    .execute()

/** Violates `tenant_imports_pkey` when another process has begun the same. */
export const insertImport = (tx: Tx, row: Insertable<TenantImportTable>): Promise<unknown> =>
  tx.insertInto('tenant_imports').values(row).execute()

/** How far a step has come; false when another process has done this part. */
export async function updateImportStep(
  tx: Tx,
  { tenant_id, step, lines_done }: Pick<ImportRow, 'tenant_id' | 'step' | 'lines_done'>,
  change: Updateable<TenantImportTable>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('tenant_imports')
    .set(change)
    .where('tenant_id', '=', tenant_id)
    .where('step', '=', step)
    .where('lines_done', '=', lines_done)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** False: it has ended meanwhile. */
export async function updateImport(tx: Tx, tenantId: string, change: Updateable<TenantImportTable>): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('tenant_imports')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

export async function deleteImport(tx: Tx, tenantId: string): Promise<void> {
  await tx.deleteFrom('tenant_import_people').where('tenant_id', '=', tenantId).execute()
  await tx.deleteFrom('tenant_imports').where('tenant_id', '=', tenantId).execute()
}

/** Forgets who is who in an import, so many at most. */
export async function deleteImportPeople(tx: Tx, tenantId: string, most: number): Promise<number> {
  const some = tx.selectFrom('tenant_import_people').select('exported_id').where('tenant_id', '=', tenantId).limit(most)
  const { numDeletedRows } = await tx
    .deleteFrom('tenant_import_people')
    .where('tenant_id', '=', tenantId)
    .where('exported_id', 'in', some)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** The row of an import alone; gives how many that were. */
export async function deleteImportRow(tx: Tx, tenantId: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('tenant_imports')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Of any status. */
export const findTenantHere = (tx: Tx, tenantId: string) =>
  tx.selectFrom('tenants').select('id').where('id', '=', tenantId).executeTakeFirst()

export const findSlugHere = (tx: Tx, slug: string) =>
  tx.selectFrom('tenant_slugs').select('tenant_id').where('slug', '=', slug).executeTakeFirst()

/** Violates `tenant_slugs_pkey` when another tenant has it. */
export const insertImportedSlug = (tx: Tx, slug: string, tenantId: string): Promise<unknown> =>
  tx.insertInto('tenant_slugs').values({ slug, tenant_id: tenantId }).execute()

export const deleteImportedSlug = (tx: Tx, tenantId: string): Promise<unknown> =>
  tx.deleteFrom('tenant_slugs').where('tenant_id', '=', tenantId).execute()

/** The first of these values that no row of a global table has. */
export async function findLacking(
  tx: Tx,
  { table, to }: { table: string; to: string },
  values: readonly string[],
): Promise<string | undefined> {
  const { rows } = await sql<{ value: string }>`
    select v.value from unnest(${values}::text[]) v (value)
    where not exists (select from ${sql.table(table)} g where g.${sql.id(to)}::text = v.value) limit 1`.execute(tx)
  return rows[0]?.value
}

/** Which of these ids are those of accounts. */
export const listAccountsAmong = async (tx: Tx, ids: readonly string[]): Promise<string[]> =>
  (await tx.selectFrom('users').select('id').where(sql<boolean>`id = any(${ids}::uuid[])`).execute()).map(
    ({ id }) => id,
  )

/** Who of an export is who here, as far as it is known. */
export const listImportPeople = (tx: Tx, tenantId: string) =>
  tx
    .selectFrom('tenant_import_people')
    .select(['exported_id', 'user_id', 'kind'])
    .where('tenant_id', '=', tenantId)
    .execute()

/** The same of some of them. */
export const listImportPeopleAmong = (tx: Tx, tenantId: string, ids: readonly string[]) =>
  tx
    .selectFrom('tenant_import_people')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(sql<boolean>`exported_id = any(${ids}::uuid[])`)
    .execute()

export const insertImportPeople = (tx: Tx, people: Insertable<TenantImportPersonTable>[]): Promise<unknown> =>
  tx.insertInto('tenant_import_people').values(people).execute()

/** People who were added for an import and whom nothing but it knows: nobody has ever used their accounts, and no other tenant has them. */
export async function deletePeopleOfImport(tx: Tx, tenantId: string): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from users u using tenant_import_people p
    where p.tenant_id = ${tenantId} and p.user_id = u.id and p.kind <> 'linked' and u.email_verified_at is null and not u.is_super_admin
      and not exists (select from user_passwords w where w.user_id = u.id)
      and not exists (select from user_tenants t where t.user_id = u.id)
      and not exists (select from members m where m.id = u.id)
      and not exists (select from tenant_import_people o where o.user_id = u.id and o.tenant_id <> p.tenant_id)`.execute(
    tx,
  )
  return Number(numAffectedRows ?? 0)
}

/** Accounts that nobody can use. */
export const insertUnusableAccounts = (tx: Tx, people: Insertable<UserColumns>[]): Promise<unknown> =>
  tx
    .insertInto('users')
    .values(people)
    .onConflict((known) => known.doNothing())
    .execute()

type UserColumns = import('#kernel').Tables['users']

export interface RowsToInsert {
  table: string
  /** Columns that the rows have. */
  columns: readonly string[]
  /** Each as JSON. */
  rows: readonly string[]
}

/** Inserts rows, read by PostgreSQL from the JSON in which it writes them. */
export const insertRows = (tx: Tx, { table, columns, rows }: RowsToInsert): Promise<unknown> => {
  const names = sql.join(columns.map((column) => sql.id(column)))
  const picked = sql.join(columns.map((column) => sql`r.${sql.id(column)}`))
  // On a cluster such a statement needs to return something.
  return sql`insert into ${sql.table(table)} (${names}) select ${picked}
    from unnest(${rows}::text[]) l (line) cross join lateral json_populate_record(null::${sql.table(table)}, l.line::json) r returning 1`.execute(
    tx,
  )
}

/** The directory of tenants of each person: of those who are in. */
export const insertMemberships = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`insert into user_tenants (user_id, tenant_id, joined_at)
    select m.id, m.tenant_id, m.joined_at from members m where m.tenant_id = ${tenantId} and m.status = 'active' on conflict do nothing`.execute(
    tx,
  )

export async function updateTenantComplete(tx: Tx, tenantId: string, now: string): Promise<void> {
  await sql`select tenantry.complete_import(${tenantId}::uuid)`.execute(tx)
  await tx
    .updateTable('tenants')
    .set({ status: 'active', suspended_at: null, suspended_reason: null, updated_at: now })
    .where('id', '=', tenantId)
    .execute()
}

/** Where the bytes of its files are. */
export const listStoredFiles = (tx: Tx, tenantId: string, after: string, limit: number) =>
  tx
    .selectFrom('files')
    .select(['id', 'storage_backend', 'storage_path'])
    .where('tenant_id', '=', tenantId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()

/** Removes what a tenant whose import is not complete has in a table. */
export const deleteHalfImported = (tx: Tx, table: string, tenantId: string): Promise<unknown> =>
  sql`select tenantry.remove_half_imported(${table}, ${tenantId}::uuid)`.execute(tx)

export const deleteTenantOfImport = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`select tenantry.remove_half_tenant(${tenantId}::uuid)`.execute(tx)
