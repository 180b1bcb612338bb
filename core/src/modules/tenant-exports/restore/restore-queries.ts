import { type Insertable, json, sql, type Tx } from '#kernel'
import type { Column } from '../content/content-queries.ts'
import type { RestoreCounts, RestoreRow, TenantRestoreTable } from '../table.ts'

export const findRestore = (tx: Tx, tenantId: string): Promise<RestoreRow | undefined> =>
  tx.selectFrom('tenant_restores').selectAll().where('tenant_id', '=', tenantId).executeTakeFirst()

export const lockRestore = (tx: Tx, tenantId: string): Promise<RestoreRow | undefined> =>
  tx.selectFrom('tenant_restores').selectAll().where('tenant_id', '=', tenantId).forUpdate().executeTakeFirst()

/** Violates `tenant_restores_tenant_key` when another process has begun one. */
export const insertRestore = (tx: Tx, row: Insertable<TenantRestoreTable>): Promise<unknown> =>
  tx
    .insertInto('tenant_restores')
    .values({ ...row, counts: json(row.counts) })
    .execute()

/** How far a restore has come; false when another process has done this part. */
export async function updateRestoreStep(
  tx: Tx,
  { tenant_id, id, step, lines_done }: RestoreRow,
  change: Pick<RestoreRow, 'step' | 'lines_done' | 'updated_at'> & { counts: Record<string, RestoreCounts> },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('tenant_restores')
    .set({ ...change, counts: json(change.counts) })
    .where('tenant_id', '=', tenant_id)
    .where('id', '=', id)
    .where('step', '=', step)
    .where('lines_done', '=', lines_done)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

export const deleteRestore = (tx: Tx, tenantId: string): Promise<unknown> =>
  tx.deleteFrom('tenant_restores').where('tenant_id', '=', tenantId).execute()

/** The tenant as a restore needs it, by its id or slug. */
export const listTenantsToRestore = (tx: Tx, name: string) =>
  tx
    .selectFrom('tenants')
    .select(['id', 'name', 'slug', 'status', 'is_incomplete'])
    .where((eb) => eb.or([eb('slug', '=', name), eb(sql`id::text`, '=', name)]))
    .execute()

/** A table, and rows of it in the JSON that PostgreSQL writes. */
export interface RowsHere {
  table: string
  tenantKey: string
  tenantId: string
  /** The rest of the primary key. */
  key: readonly Column[]
  columns: readonly string[]
  rows: readonly string[]
}

const given = ({ table, rows }: RowsHere) => sql`unnest(${rows}::text[]) with ordinality l (line, place)
  cross join lateral json_populate_record(null::${sql.table(table)}, l.line::json) g`

const tenantIs = ({ tenantKey, tenantId }: RowsHere) => sql`t.${sql.id(tenantKey)} = ${tenantId}`

const sameKey = ({ key, tenantKey }: RowsHere) =>
  sql.join(
    [tenantKey, ...key.map(({ name }) => name)].map((name) => sql`t.${sql.id(name)} = g.${sql.id(name)}`),
    sql` and `,
  )

const picked = (alias: string, columns: readonly string[]) =>
  sql`(select to_jsonb(p) from (select ${sql.join(columns.map((name) => sql`${sql.id(alias, name)}`))}) p)`

/** What is here of each of these rows, in their order. `columns` are those that are compared; none are: a row that is there is the same. */
export async function listStates(tx: Tx, here: RowsHere): Promise<('missing' | 'changed' | 'same')[]> {
  const { table, columns } = here
  const isChanged =
    columns.length > 0 ? sql`${picked('t', columns)} is distinct from ${picked('g', columns)}` : sql`false`
  const { rows } = await sql<{ state: 'missing' | 'changed' | 'same' }>`
    select case when t.${sql.id(here.tenantKey)} is null then 'missing' when ${isChanged} then 'changed' else 'same' end as state
    from ${given(here)} left join ${sql.table(table)} t on ${tenantIs(here)} and ${sameKey(here)} order by l.place`.execute(
    tx,
  )
  return rows.map(({ state }) => state)
}

/** Adds rows; those in whose place something else is stay out. Says how many were added. */
export async function insertMissing(tx: Tx, here: RowsHere): Promise<number> {
  const { table, columns } = here
  const names = sql.join(columns.map((name) => sql.id(name)))
  const values = sql.join(columns.map((name) => sql`g.${sql.id(name)}`))
  const { rows } = await sql`insert into ${sql.table(table)} (${names}) select ${values} from ${given(here)}
    where g.${sql.id(here.tenantKey)} = ${here.tenantId} on conflict do nothing returning 1`.execute(tx)
  return rows.length
}

/** Rows become what they were in these columns. */
export const updateChanged = (tx: Tx, here: RowsHere): Promise<unknown> => {
  const set = sql.join(here.columns.map((name) => sql`${sql.id(name)} = g.${sql.id(name)}`))
  return sql`update ${sql.table(here.table)} t set ${set} from ${given(here)} where ${tenantIs(here)} and ${sameKey(here)}`.execute(
    tx,
  )
}

/** Between two places in the order of the primary key: behind the first, up to the second; null: no bound. */
export interface Range {
  after: readonly string[] | null
  upTo: readonly string[] | null
}

const inRange = ({ key }: RowsHere, { after, upTo }: Range) => {
  const names = sql.join(key.map(({ name }) => sql`t.${sql.id(name)}`))
  const place = (values: readonly string[]) =>
    sql.join(values.map((value, at) => sql`${value}::${sql.raw(key[at]?.type ?? 'text')}`))
  return sql`${after ? sql`and (${names}) > (${place(after)})` : sql``} ${upTo ? sql`and (${names}) <= (${place(upTo)})` : sql``}`
}

/** The keys of rows that are not among these, in their order. */
export async function listExtra(
  tx: Tx,
  here: RowsHere,
  { limit, ...range }: Range & { limit: number },
): Promise<string[][]> {
  const key = here.key.map(({ name }) => sql`t.${sql.id(name)}`)
  const texts = sql.join(key.map((column) => sql`${column}::text`))
  const { rows } = await sql<{ place: string[] }>`
    select array[${texts}] as place from ${sql.table(here.table)} t where ${tenantIs(here)} ${inRange(here, range)}
    and not exists (select from ${given(here)} where ${sameKey(here)}) order by ${sql.join(key)} limit ${limit}`.execute(
    tx,
  )
  return rows.map(({ place }) => place)
}

/** Removes the rows with these keys. */
export const deleteExtra = (tx: Tx, here: RowsHere, keys: readonly (readonly string[])[]): Promise<unknown> => {
  const names = sql.join(here.key.map(({ name }) => sql`t.${sql.id(name)}`))
  const places = keys.map(
    (place) => sql`(${sql.join(place.map((value, at) => sql`${value}::${sql.raw(here.key[at]?.type ?? 'text')}`))})`,
  )
  return sql`delete from ${sql.table(here.table)} t where ${tenantIs(here)} and (${names}) in (${sql.join(places)})`.execute(
    tx,
  )
}
