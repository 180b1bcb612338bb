import pg from 'pg'
import { checkCatalogue, checkRoles } from '../../kernel/db/catalogue.ts'
import { createTestCore, type TestCore } from '../core.ts'
import { type AllCases, loadCases } from './cases.ts'
import { Findings, IsolationError } from './findings.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from './front-door.ts'
import { proveReading, proveWriting } from './proof.ts'
import { planRoutes, tryRoutes } from './requests.ts'
import { type RouteFilter, tryStores } from './stores.ts'
import { compareSnapshots, fillTables, takeSnapshot, tryTables } from './tables.ts'
import type { IsolationOptions, IsolationReport } from './types.ts'
import { foundWorld } from './world.ts'

/**
 * Tries to reach one tenant from another: on every route with every kind of credential, and on every tenant-owned table
 * as the application role. Throws `IsolationError` with all that was reached, and with every route and table that it
 * could not fill by itself or by the modules' cases. Returns how much it tried. Takes a database and a core of its own.
 */
export async function runIsolationKit(options: IsolationOptions = {}): Promise<IsolationReport> {
  // Requests are many and from one address.
  const env = { RATE_LIMIT_FACTOR: '0', BOOTSTRAP_TOKEN, LOG_LEVEL: 'silent', ...options.env }
  const test = await createTestCore({ modules: options.modules, env })
  const findings = new Findings()
  let tables = 0
  try {
    await options.prepare?.(test)
    await checkDatabase(test, findings)
    tables = await tryEverything(test, options, findings)
  } finally {
    await test.close()
  }
  if (findings.all.length > 0) throw new IsolationError(findings.all)
  const { requests, statements } = findings
  return { attempts: requests + statements, requests, statements, routes: test.core.registry.routes.length, tables }
}

/** Only what concerns the stores of one tenant, and of that only some routes: to try one change after another. */
export async function runStoreKit(options: IsolationOptions & { only?: RouteFilter } = {}): Promise<void> {
  const env = { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'silent', ...options.env }
  const test = await createTestCore({ modules: options.modules, env })
  const findings = new Findings()
  try {
    const founding = options.founding ?? frontDoor
    const world = await foundWorld(test, await casesOf(test, options), founding)
    await tryStores(world, founding, findings, options.only)
  } finally {
    await test.close()
  }
  if (findings.all.length > 0) throw new IsolationError(findings.all)
}

async function checkDatabase({ database }: TestCore, findings: Findings): Promise<void> {
  const client = new pg.Client({ connectionString: database.superuserUrl })
  await client.connect()
  try {
    const query = async <R extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
      (await client.query<R>(sql, values)).rows
    for (const problem of [...(await checkCatalogue(query)), ...(await checkRoles(query))]) findings.add(problem)
  } finally {
    await client.end()
  }
}

async function tryEverything(test: TestCore, options: IsolationOptions, findings: Findings): Promise<number> {
  const founding = options.founding ?? frontDoor
  const cases = await casesOf(test, options)
  for (const problem of cases.problems) findings.add(problem)
  const world = await foundWorld(test, cases, founding)
  const credentials = await founding.credentials(test, world.a, world.b)
  const plans = await planRoutes(world, test.core.registry.routes, findings)
  await proveReading(world, plans, credentials, findings)
  await fillTables(world, findings)
  const before = await takeSnapshot(world)
  await tryRoutes(world, plans, { ...credentials, none: null }, [world.b.marker, ...before.ids], findings)
  const tables = await tryTables(world, findings)
  compareSnapshots(before, await takeSnapshot(world), findings)
  await tryStores(world, founding, findings)
  await proveWriting(world, plans, credentials, findings)
  return tables
}

const casesOf = ({ core }: TestCore, { cases }: IsolationOptions): Promise<AllCases> =>
  loadCases(core.registry.modules, cases)
