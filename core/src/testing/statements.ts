import pg from 'pg'
import type { TransactionScope } from '../kernel/db/database.ts'
import type { StatementObserver } from '../kernel/db/kysely.ts'
import { type Reading, readStatement } from './statements/read.ts'

/** A statement of the application role that does not keep to its tenant. */
export interface Violation {
  problem: string
  sql: string
}

/** What a test run sent that a sharded database could not route, or that only row-level security kept in its tenant. */
export class StatementError extends Error {
  readonly violations: readonly Violation[]

  constructor(violations: readonly Violation[]) {
    super(
      `Statements on tenant-owned tables break the rules:\n${violations.map(({ problem, sql }) => `  - ${problem}: ${sql}`).join('\n')}`,
    )
    this.name = 'StatementError'
    this.violations = violations
  }
}

/** The tenant-owned tables of a database and the tenant key of each, as its migrations registered them. */
export async function listTenantTables(superuserUrl: string): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  const { rows } = await client.query<{ name: string; key: string }>(
    "select name, tenant_key as key from tenantry.tables where kind = 'tenant'",
  )
  await client.end()
  return new Map(rows.map(({ name, key }) => [name, key]))
}

/**
 * Watches the statements of the application role: each must hold the tenant-owned tables that it names to the
 * transaction's tenant by a parameter, and join them by their tenant key. Row-level security would keep the rows apart
 * anyway; a cluster needs the parameter to find the shard, and two locks are better than one.
 */
export function createStatementCheck(tables: ReadonlyMap<string, string>): {
  observe: StatementObserver
  assertNone(): void
} {
  const readings = new Map<string, Reading>()
  const violations = new Map<string, Violation>()
  const note = (problem: string, sql: string) => violations.set(`${problem}\n${sql}`, { problem, sql })

  function observe(sql: string, values: readonly unknown[], { role, tenantId }: TransactionScope): void {
    if (role !== 'app') return
    let reading = readings.get(sql)
    if (!reading) {
      reading = readStatement(sql, tables)
      readings.set(sql, reading)
    }
    for (const problem of reading.problems) note(problem, sql)
    for (const index of reading.params)
      if (!isTenant(values[index - 1], tenantId)) note(`$${index} is not the tenant of the transaction`, sql)
  }

  return {
    observe,
    assertNone() {
      if (violations.size > 0) throw new StatementError([...violations.values()])
    },
  }
}

function isTenant(value: unknown, tenantId: string | null): boolean {
  return typeof value === 'string' && tenantId !== null && value.toLowerCase() === tenantId.toLowerCase()
}
