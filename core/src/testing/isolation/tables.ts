import pg from 'pg'
import { newId } from '../../kernel/ids.ts'
import { listTenantTables } from '../statements.ts'
import type { Findings } from './findings.ts'
import type { World } from './world.ts'

/** How a connection is told whose rows it may see. `other`: tenant A, while B's rows are asked for. */
const SETTINGS: [name: string, prepare: (client: pg.Client, a: string) => Promise<unknown>][] = [
  ['the other tenant', (client, a) => client.query('select tenantry.set_tenant($1)', [a])],
  ['no tenant', async () => undefined],
  ['an empty tenant', (client) => client.query("select set_config('app.tenant_id', '', true)")],
  ['a malformed tenant', (client) => client.query("select set_config('app.tenant_id', 'nonsense', true)")],
]

/** Tables and the tenant key of each. */
export type TenantTables = ReadonlyMap<string, string>

interface Table {
  name: string
  key: string
  /** A row of B, as JSON. */
  row: Record<string, unknown>
  /** Any column but the tenant key. */
  column: string
}

/** Tries each tenant-owned table as the application role, from the other tenant and from none. */
export async function tryTables(world: World, owned: TenantTables, findings: Findings): Promise<number> {
  const { superuserUrl, appUrl } = world.test.database
  const tables = await withClient(superuserUrl, (client) => readTables(world, client, owned))
  for (const [setting, prepare] of SETTINGS) {
    // A new connection, so that the setting was never made in it.
    await withClient(appUrl, async (client) => {
      for (const table of tables) {
        for (const [what, sql, values] of statementsOn(table, world)) {
          findings.statements++
          const reached = await run(client, () => prepare(client, world.a.tenantId), sql, values)
          if (reached)
            findings.add(`the application role could ${what} of tenant B (${reached})`, {
              before: `table ${table.name} with `,
              one: setting,
              after: ' set',
            })
        }
      }
    })
  }
  await withClient(appUrl, (client) => tryPartitions(world, client, findings))
  return tables.length
}

async function readTables({ b }: World, client: pg.Client, owned: TenantTables): Promise<Table[]> {
  const tables: Table[] = []
  for (const [name, key] of owned) {
    const [row] = await rowsOf(client, name, key, b.tenantId)
    if (row) tables.push({ name, key, row, column: Object.keys(row).find((column) => column !== key) ?? key })
  }
  return tables
}

function statementsOn(
  { name, key, row, column }: Table,
  { a, b }: World,
): [what: string, sql: string, values: unknown[]][] {
  const [table, owner, other] = [
    `core.${pg.escapeIdentifier(name)}`,
    pg.escapeIdentifier(key),
    pg.escapeIdentifier(column),
  ]
  const copy = { ...row, ...('id' in row && key !== 'id' ? { id: newId() } : {}) }
  return [
    ['read rows', `select 1 from ${table} where ${owner} = $1`, [b.tenantId]],
    ['read among all rows the ones', `select 1 from ${table} t where t.${owner}::text = $1::text`, [b.tenantId]],
    [
      'insert a row',
      `insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`,
      [JSON.stringify(copy)],
    ],
    ['change rows', `update ${table} set ${other} = ${other} where ${owner} = $1`, [b.tenantId]],
    [
      'give away rows so that they are',
      `update ${table} set ${owner} = $1 where ${owner} = $2`,
      [b.tenantId, a.tenantId],
    ],
    ['delete rows', `delete from ${table} where ${owner} = $1`, [b.tenantId]],
  ]
}

/** In a transaction that is rolled back. What was reached, in words, or null. */
async function run(
  client: pg.Client,
  prepare: () => Promise<unknown>,
  sql: string,
  values: unknown[],
): Promise<string | null> {
  await client.query('begin')
  try {
    await prepare()
    const { rowCount } = await client.query(sql, values)
    return rowCount ? `${rowCount} rows` : null
  } catch (error) {
    const { code, message } = error as pg.DatabaseError // pg rejects with these
    // Row-level security, missing rights, no such setting, no such uuid. Any other error got past them.
    return ['42501', '42704', '22P02'].includes(code ?? '') ? null : `it failed only with: ${message}`
  } finally {
    await client.query('rollback')
  }
}

async function tryPartitions(world: World, client: pg.Client, findings: Findings): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select relname::text as name from pg_class where relnamespace = 'core'::regnamespace and relispartition and relkind = 'r'",
  )
  for (const { name } of rows) {
    findings.statements++
    const set = () => client.query('select tenantry.set_tenant($1)', [world.a.tenantId])
    const reached = await run(
      client,
      set,
      `select * from (select count(*) from core.${pg.escapeIdentifier(name)}) n`,
      [],
    )
    if (reached) findings.add(`partition ${name}: the application role could read it directly, past row-level security`)
  }
}

/** All that is tenant B's: its rows in tenant-owned tables, and the rows of global ones that name it or its people. */
export interface Snapshot {
  owned: Map<string, string[]>
  named: Map<string, string[]>
  /** Ids of B's rows. */
  ids: string[]
}

export async function takeSnapshot({ test, b }: World): Promise<Snapshot> {
  const { superuserUrl } = test.database
  return withClient(superuserUrl, async (client) => {
    const snapshot: Snapshot = { owned: new Map(), named: new Map(), ids: [b.tenantId] }
    for (const [name, key] of await listTenantTables(superuserUrl)) {
      const rows = await rowsOf(client, name, key, b.tenantId)
      // A row that was overwritten with what stood there already was reached all the same.
      const versions = await client.query<{ version: string }>(
        `select xmin::text as version from core.${pg.escapeIdentifier(name)} where ${pg.escapeIdentifier(key)} = $1`,
        [b.tenantId],
      )
      const written = versions.rows.map(({ version }) => version)
      snapshot.owned.set(name, [...rows.map((row) => JSON.stringify(row)), ...written].sort())
      snapshot.ids.push(...rows.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])))
    }
    const globals = await client.query<{ name: string }>("select name from tenantry.tables where kind = 'global'")
    for (const { name } of globals.rows) {
      const { rows } = await client.query<{ text: string }>(
        `select to_jsonb(t)::text as text from core.${pg.escapeIdentifier(name)} t where to_jsonb(t)::text like any ($1)`,
        [snapshot.ids.map((id) => `%${id}%`)],
      )
      snapshot.named.set(
        name,
        rows.map(({ text }) => text),
      )
    }
    return snapshot
  })
}

/** What the requests of others did to B. */
export function compareSnapshots(
  before: Snapshot,
  now: Snapshot,
  findings: Findings,
  during = 'requests of tenant A',
): void {
  for (const [name, rows] of before.owned)
    if (JSON.stringify(rows) !== JSON.stringify(now.owned.get(name)))
      findings.add(`table ${name}: rows of tenant B changed during ${during}`)
  for (const [name, rows] of before.named) {
    const present = new Set(now.named.get(name))
    if (rows.some((row) => !present.has(row)))
      findings.add(`table ${name}: rows about tenant B's people changed during ${during}`)
  }
}

export async function rowsOf(
  client: pg.Client,
  name: string,
  key: string,
  tenantId: string,
): Promise<Record<string, unknown>[]> {
  const { rows } = await client.query<{ row: Record<string, unknown> }>(
    `select to_jsonb(t) as row from core.${pg.escapeIdentifier(name)} t where ${pg.escapeIdentifier(key)} = $1`,
    [tenantId],
  )
  return rows.map(({ row }) => row)
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
