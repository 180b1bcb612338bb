import { sql, type Tx } from '#kernel'

/** A column, by its name and its type as PostgreSQL writes it. */
export interface Column {
  name: string
  type: string
}

export interface TableColumn extends Column {
  /** A row must say something of it. */
  is_required: boolean
  is_nullable: boolean
}

/** A tenant-owned table as the catalogue describes it. */
export interface TableShape {
  name: string
  /** The column that names the tenant. */
  tenant_key: string
  /** Rows are added, never changed. */
  append_only: boolean
  columns: TableColumn[]
  /** The rest of the primary key, in its order: what rows are read by. */
  key: Column[]
  /** Other tenant-owned tables that its rows refer to. */
  refers_to: string[]
  /** Columns that refer to people. */
  people: string[]
  /** Columns that refer to rows of other global tables: of a plan, say. */
  globals: { column: string; table: string; to: string }[]
}

/** The tenant-owned tables of the database, also those of modules that are not there any more. For the system role. */
export async function listTableShapes(tx: Tx): Promise<TableShape[]> {
  const { rows } = await sql<TableShape>`
    select t.name, t.tenant_key, t.append_only,
      (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'is_required', a.attnotnull and not a.atthasdef, 'is_nullable', not a.attnotnull) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      coalesce((select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by k.place)
        from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality k (attnum, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary and a.attname <> t.tenant_key), '[]') as key,
      coalesce((select json_agg(distinct o.name) from pg_constraint f join tenantry.tables o on o.kind = 'tenant' and to_regclass(format('core.%I', o.name)) = f.confrelid
        where f.conrelid = c.oid and f.contype = 'f' and o.name <> t.name), '[]') as refers_to,
      coalesce((select json_agg(distinct a.attname) from pg_constraint f join pg_attribute a on a.attrelid = c.oid and a.attnum = any (f.conkey)
        where f.conrelid = c.oid and f.contype = 'f' and f.confrelid = to_regclass('core.users')), '[]') as people,
      coalesce((select json_agg(json_build_object('column', a.attname, 'table', g.name, 'to', b.attname)) from pg_constraint f
        join tenantry.tables g on g.kind = 'global' and g.name <> 'users' and to_regclass(format('core.%I', g.name)) = f.confrelid
        join pg_attribute a on a.attrelid = c.oid and a.attnum = f.conkey[1] join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
        where f.conrelid = c.oid and f.contype = 'f' and cardinality(f.conkey) = 1), '[]') as globals
    from tenantry.tables t join pg_class c on c.oid = to_regclass(format('core.%I', t.name))
    where t.kind = 'tenant' order by t.name`.execute(tx)
  return rows
}

/** Those of these tables of which requests may not read each of these columns. */
export async function listUnreadable(
  tx: Tx,
  tables: readonly { name: string; columns: readonly Column[] }[],
): Promise<string[]> {
  const wanted = tables.flatMap(({ name, columns }) => columns.map((column) => ({ name, column: column.name })))
  const { rows } = await sql<{ name: string }>`
    select distinct w.name from json_to_recordset(${JSON.stringify(wanted)}::json) as w (name text, "column" text)
    where not has_column_privilege(to_regclass(format('core.%I', w.name)), w."column", 'select')`.execute(tx)
  return rows.map(({ name }) => name)
}

/** Of a row: the text of its JSON, and its place in the order that rows are read in. */
export interface RowText {
  row: string
  place: string[]
}

export interface RowPage {
  after: readonly string[] | null
  limit: number
}

type Readable = Pick<TableShape, 'name' | 'tenant_key' | 'key'> & { columns: readonly Column[] }

/**
 * Rows of a tenant in the order of their keys. PostgreSQL writes each as JSON, in which a later version of it reads every value
 * back as it was: no value passes through a number or a date of this language.
 */
export async function listRows(
  tx: Tx,
  { name, tenant_key, columns, key }: Readable,
  tenantId: string,
  { after, limit }: RowPage,
) {
  const picked = sql.join(columns.map((column) => sql`t.${sql.id(column.name)}`))
  const keys = key.map((column) => sql`t.${sql.id(column.name)}`)
  const places = sql.join(keys.map((column) => sql`${column}::text`))
  const place = key.length > 0 ? sql`array[${places}]` : sql`'{}'::text[]`
  const values = after && sql.join(after.map((value, at) => sql`${value}::${sql.raw(key[at]?.type ?? 'text')}`))
  const { rows } = await sql<RowText>`
    select (select row_to_json(picked) from (select ${picked}) picked)::text as row, ${place} as place
    from ${sql.table(name)} t where t.${sql.id(tenant_key)} = ${tenantId}
    ${values ? sql`and (${sql.join(keys)}) > (${values})` : sql``}
    ${keys.length > 0 ? sql`order by ${sql.join(keys)}` : sql``} limit ${limit}`.execute(tx)
  return rows
}

/** Where rows refer to people. */
export interface PeopleColumn {
  table: string
  tenant_key: string
  column: string
}

/**
 * The people that rows of a tenant refer to, by id: what the tenant calls them, and not what they say of themselves, which others
 * may have been told in confidence. Of one who is no member (any more) there is the id alone.
 */
export async function listPeople(
  tx: Tx,
  from: readonly PeopleColumn[],
  tenantId: string,
  { after, limit }: RowPage,
): Promise<RowText[]> {
  const ids = sql.join(
    from.map(
      ({ table, tenant_key, column }) =>
        sql`select r.${sql.id(column)} from ${sql.table(table)} r where r.${sql.id(tenant_key)} = ${tenantId}`,
    ),
    sql` union `,
  )
  const { rows } = await sql<RowText>`
    select array[u.id::text] as place, case when m.id is null
      then json_build_object('id', u.id, 'is_member', false)
      else json_build_object('id', u.id, 'is_member', true, 'email', u.email, 'name', m.name, 'phone', m.phone)
      end::text as row
    from users u left join members m on m.tenant_id = ${tenantId} and m.id = u.id
    where u.id in (${ids}) ${after ? sql`and u.id > ${after[0]}::uuid` : sql``} order by u.id limit ${limit}`.execute(
    tx,
  )
  return rows
}

/** A file as far as an export wants it. */
export interface FileToExport {
  id: string
  filename: string
  size: number
  checksum_sha256: string
}

/** Files in the order of their ids, those in the trash too. */
export async function listFilesToExport(
  tx: Tx,
  tenantId: string,
  { after, limit }: { after: string | null; limit: number },
): Promise<FileToExport[]> {
  const query = tx
    .selectFrom('files')
    .select(['id', 'filename', 'size', 'checksum_sha256'])
    .where('tenant_id', '=', tenantId)
    .orderBy('id')
    .limit(limit)
  return (after === null ? query : query.where('id', '>', after)).execute()
}

/** Where a file is now, and whether it may leave the storage; undefined when it is gone. */
export const findStoredFile = (tx: Tx, tenantId: string, id: string) =>
  tx
    .selectFrom('files')
    .select(['storage_backend', 'storage_path', 'scan_status'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst()

/** The tenant, and the moment that the snapshot shows. */
export async function getTenantNow(tx: Tx, tenantId: string): Promise<{ id: string; name: string; slug: string }> {
  return tx.selectFrom('tenants').select(['id', 'name', 'slug']).where('id', '=', tenantId).executeTakeFirstOrThrow()
}
