import { type Insertable, sql, type Tables, type Tx, type Updateable } from '#kernel'
import type { TenantImportTable } from '../table.ts'

/** An import that has begun and is not complete. */
export const findImport = (tx: Tx, tenantId: string) =>
  tx.selectFrom('tenant_imports').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()

/** Violates `tenant_imports_pkey` when another process has begun the same. */
export const insertImport = (tx: Tx, row: Insertable<TenantImportTable>): Promise<unknown> =>
  tx.insertInto('tenant_imports').values(row).execute()

/** How far a step has come; false when another process has done this part. */
export async function updateImportStep(
  tx: Tx,
  { tenant_id, step, lines_done }: Pick<TenantImportTable, 'tenant_id' | 'step'> & { lines_done: number },
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

export const deleteImport = (tx: Tx, tenantId: string): Promise<unknown> =>
  tx.deleteFrom('tenant_imports').where('tenant_id', '=', tenantId).execute()

/** Of any status. */
export const findTenantHere = (tx: Tx, tenantId: string) =>
  tx.selectFrom('tenants').select('id').where('id', '=', tenantId).executeTakeFirst()

export const findSlugHere = (tx: Tx, slug: string) =>
  tx.selectFrom('tenant_slugs').select('slug').where('slug', '=', slug).executeTakeFirst()

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

/** People by id or by address. Across tenants. */
export const listPeopleToLink = (tx: Tx, ids: readonly string[], addresses: readonly string[]) =>
  tx
    .selectFrom('users')
    .select(['id', 'email_normalized'])
    .where(sql<boolean>`id = any(${ids}::uuid[]) or email_normalized = any(${addresses}::text[])`)
    .execute()

export interface RowsToInsert {
  table: string
  tenant_key: string
  /** Columns that the rows have, or are given anew. */
  columns: readonly string[]
  tenantId: string
  lines: readonly string[]
  /** What each row says in place of what stands there, or null: nothing. */
  anew: readonly string[] | null
}

/**
 * Inserts rows as they were exported, read by PostgreSQL as it wrote them; says how many. A row that is not the tenant's is not inserted, and so
 * is not counted.
 */
export async function insertRows(
  tx: Tx,
  { table, tenant_key, columns, tenantId, lines, anew }: RowsToInsert,
): Promise<number> {
  const names = sql.join(columns.map((column) => sql.id(column)))
  const picked = sql.join(columns.map((column) => sql`r.${sql.id(column)}`))
  const row = sql`null::${sql.table(table)}`
  const rows = anew
    ? sql`unnest(${lines}::text[], ${anew}::text[]) l (line, anew) cross join lateral jsonb_populate_record(${row}, l.line::jsonb || l.anew::jsonb) r`
    : sql`unnest(${lines}::text[]) l (line) cross join lateral json_populate_record(${row}, l.line::json) r`
  const { numAffectedRows } = await sql`
    insert into ${sql.table(table)} (${names}) select ${picked} from ${rows} where r.${sql.id(tenant_key)} = ${tenantId}`.execute(
    tx,
  )
  return Number(numAffectedRows ?? 0)
}

/** The directory of tenants of each person. */
export const insertMemberships = (tx: Tx, tenantId: string): Promise<unknown> =>
  sql`insert into user_tenants (user_id, tenant_id, joined_at)
    select m.id, m.tenant_id, m.joined_at from members m where m.tenant_id = ${tenantId} on conflict do nothing`.execute(
    tx,
  )

export const updateTenantStatus = (
  tx: Tx,
  tenantId: string,
  status: 'active' | 'suspended' | 'deleted',
): Promise<unknown> => tx.updateTable('tenants').set({ status }).where('id', '=', tenantId).execute()

/** Those that are not there yet, by id or address. */
export const insertPeople = (tx: Tx, people: readonly Insertable<Tables['users']>[]): Promise<unknown> =>
  tx
    .insertInto('users')
    .values([...people])
    .onConflict((known) => known.doNothing())
    .execute()

/** Violates `tenant_slugs_pkey` when another tenant has it. */
export const insertImportedSlug = (tx: Tx, slug: string, tenantId: string): Promise<unknown> =>
  tx.insertInto('tenant_slugs').values({ slug, tenant_id: tenantId }).execute()
