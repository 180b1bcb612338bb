import pg from 'pg'
import { newId } from '../../kernel/ids.ts'
import { listTenantTables } from '../statements.ts'
import type { Findings } from './findings.ts'
import { rowsOf, type TenantTables, withClient } from './tables.ts'
import type { TableRow, Tenant } from './types.ts'
import type { World } from './world.ts'

/** Puts rows into tables that no route fills; what stays empty is a finding. */
export async function fillTables(
  { cases, a, b, test }: World,
  tables: TenantTables,
  findings: Findings,
): Promise<void> {
  const owned = await listTenantTables(test.database.superuserUrl)
  for (const name of Object.keys(cases.tableRows))
    if (!owned.has(name)) findings.add('`tableRows` are told of it, and no tenant owns it', { before: `table ${name}` })
  await withClient(test.database.superuserUrl, async (client) => {
    let waiting: Empty[] = [...tables].flatMap(([name, key]) =>
      [a, b].map((tenant) => ({ name, key, tenant, tell: cases.tableRows[name], problem: '' })),
    )
    // A row may refer to one of a table that comes later.
    for (let before = -1; waiting.length !== before; ) {
      before = waiting.length
      for (const empty of waiting) empty.problem = await fillTable(client, empty)
      waiting = waiting.filter(({ problem }) => problem !== '')
    }
    for (const { name, problem } of waiting)
      findings.add(`the kit cannot fill it: no route left a row in it, and ${problem}; give \`tableRows\``, {
        before: `table ${name}`,
      })
  })
}

/** A table without a row of the tenant, as far as is known. */
interface Empty {
  name: string
  key: string
  tenant: Tenant
  tell: ((tenant: Tenant) => TableRow | Promise<TableRow>) | undefined
  problem: string
}

/** Gives why there still is none, or nothing. */
async function fillTable(client: pg.Client, { name, key, tenant, tell }: Empty): Promise<string> {
  if (!tell && (await rowsOf(client, name, key, tenant.tenantId)).length > 0) return ''
  try {
    const told = (await tell?.(tenant)) ?? {}
    await insert(client, name, { ...(await makeUp(client, { name, key, tenant }, told)), ...told })
    return ''
  } catch (error) {
    return `the kit can make none: ${(error as Error).message}` // pg and the kit reject with Errors
  }
}

interface Column {
  name: string
  /** As `format_type` says it, without what is in brackets. */
  type: string
  /** The table and column that a foreign key leads to. */
  to_table: string | null
  to_column: string | null
  /** The first word of an enumeration. */
  word: string | null
}

/** Values for the columns that must have one and of which nothing is told. */
async function makeUp(
  client: pg.Client,
  { name, key, tenant }: Pick<Empty, 'name' | 'key' | 'tenant'>,
  told: TableRow,
): Promise<TableRow> {
  const row: TableRow = {}
  for (const column of await listRequired(client, name)) {
    if (column.name in told) continue
    if (column.name === key) row[key] = tenant.tenantId
    else if (column.to_table) row[column.name] = await findReferred(client, column, tenant)
    else row[column.name] = typical(column, tenant)
  }
  return row
}

async function listRequired(client: pg.Client, table: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `select a.attname::text as name, regexp_replace(format_type(a.atttypid, null), '\\(.*\\)', '') as type,
            (select relname::text from pg_class where oid = f.confrelid) as to_table, r.attname::text as to_column,
            (select enumlabel::text from pg_enum where enumtypid = a.atttypid order by enumsortorder limit 1) as word
       from pg_attribute a
       left join pg_constraint f on f.conrelid = a.attrelid and f.contype = 'f' and f.conparentid = 0
        and a.attnum = f.conkey[cardinality(f.conkey)]
       left join pg_attribute r on r.attrelid = f.confrelid and r.attnum = f.confkey[cardinality(f.confkey)]
      where a.attrelid = ('core.' || quote_ident($1))::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull
        and not a.atthasdef and a.attidentity = '' order by a.attnum`,
    [table],
  )
  return rows
}

/** The same column of some row that a foreign key may lead to: the tenant's own, where they are a tenant's. */
async function findReferred(client: pg.Client, { to_table, to_column }: Column, tenant: Tenant): Promise<unknown> {
  const { rows: keys } = await client.query<{ key: string }>(
    'select tenant_key as key from tenantry.tables where name = $1 and tenant_key is not null',
    [to_table],
  )
  const [table, column] = [to_table ?? '', to_column ?? ''].map((each) => pg.escapeIdentifier(each))
  const owned = keys[0] ? `where ${pg.escapeIdentifier(keys[0].key)} = $1` : 'where $1::uuid is not null'
  const sql = `select to_jsonb(t.${column}) as value from core.${table} t ${owned} limit 1`
  const { rows } = await client.query<{ value: unknown }>(sql, [tenant.tenantId])
  if (!rows[0]) throw new Error(`there is no row in ${to_table} that it could refer to`)
  return rows[0].value
}

const NUMBERS = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision']

/** A value for any column of that type; another is told. */
function typical({ name, type, word }: Column, tenant: Tenant): unknown {
  if (word !== null) return word
  if (type === 'uuid') return newId()
  if (['text', 'character varying', 'citext'].includes(type)) return tenant.text()
  if (NUMBERS.includes(type)) return 1
  if (type === 'boolean') return false
  if (type.startsWith('timestamp') || type === 'date') return new Date().toISOString()
  if (['json', 'jsonb'].includes(type) || type.endsWith('[]')) return type.endsWith('[]') ? [] : {}
  if (type === 'bytea') return '\\x'
  throw new Error(`of ${name}, of type ${type}, nothing is known`)
}

async function insert(client: pg.Client, name: string, row: TableRow): Promise<void> {
  const columns = Object.keys(row)
    .map((column) => pg.escapeIdentifier(column))
    .join(', ')
  const table = `core.${pg.escapeIdentifier(name)}`
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1)`,
    [JSON.stringify(row)],
  )
}
