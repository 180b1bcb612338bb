import pg from 'pg'
import { checkCatalogue, checkRoles } from '../../kernel/db/catalogue.ts'
import { createTestCore, type TestCore } from '../core.ts'
import { listTenantTables } from '../statements.ts'
import { tryAcross } from './across.ts'
import { loadCases } from './cases.ts'
import { type Choice, choose } from './choice.ts'
import { Findings, IsolationError } from './findings.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from './front-door.ts'
import { tryImpersonated } from './impersonated.ts'
import { tryOperators } from './operators.ts'
import { proveReading, proveWriting } from './proof.ts'
import { planRoutes, tryRoutes } from './requests.ts'
import { fillTables } from './rows.ts'
import { type RouteFilter, tryStores } from './stores.ts'
import { compareSnapshots, takeSnapshot, tryTables } from './tables.ts'
import type { IsolationOptions, IsolationReport } from './types.ts'
import { foundWorld, type World } from './world.ts'

/**
 * Tries to reach one tenant from another: on every route with every kind of credential, and on every tenant-owned table
 * as the application role; with `only`, on those of some modules. Throws `IsolationError` with all that was reached, and
 * with every route and table that it could not fill by itself or by the modules' cases. Returns how much it tried. Takes a
 * database and a core of its own.
 */
export async function runIsolationKit(options: IsolationOptions = {}): Promise<IsolationReport> {
  const choice = await choose(options)
  const findings = new Findings()
  const counts = await withWorld(options, findings, async (world) => {
    await checkDatabase(world.test, findings)
    return tryEverything(world, options, choice, findings)
  })
  const { requests, byKind, statements } = findings
  return { attempts: requests + statements, requests, byKind, statements, ...counts }
}

/** Only what concerns the stores of one tenant, and of that only some routes: to try one change after another. */
export async function runStoreKit(options: IsolationOptions & { isTried?: RouteFilter } = {}): Promise<void> {
  const findings = new Findings()
  await withWorld(options, findings, (world) =>
    tryStores(world, options.founding ?? frontDoor, findings, options.isTried),
  )
}

/** Throws what was found meanwhile. */
async function withWorld<T>(
  { modules, env, cases, founding = frontDoor, prepare }: IsolationOptions,
  findings: Findings,
  work: (world: World) => Promise<T>,
): Promise<T> {
  // Requests are many and from one address.
  const settings = { RATE_LIMIT_FACTOR: '0', BOOTSTRAP_TOKEN, LOG_LEVEL: 'warn', ...env }
  const test = await createTestCore({ modules, env: settings })
  let done: T
  try {
    await prepare?.(test)
    const all = await loadCases(test.core.registry.modules, cases)
    for (const problem of all.problems) findings.add(problem)
    done = await work(await foundWorld(test, all, founding))
  } finally {
    await test.close()
  }
  if (findings.all.length > 0) throw new IsolationError(findings.all)
  return done
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

async function tryEverything(
  world: World,
  { founding = frontDoor }: IsolationOptions,
  choice: Choice,
  findings: Findings,
): Promise<Pick<IsolationReport, 'routes' | 'tables'>> {
  const isTried: RouteFilter = ({ module }) => choice.hasModule(module)
  const routes = world.test.core.registry.routes.filter(isTried)
  const owned = await listTenantTables(world.test.database.superuserUrl)
  const tables = new Map([...owned].filter(([name]) => choice.hasTable(name)))
  const credentials = await founding.credentials(world.test, world.a, world.b)
  // Of all modules, since any route may show what another's has made.
  await planRoutes(
    world,
    world.test.core.registry.routes.filter((route) => !isTried(route)),
    new Findings(),
  )
  const plans = await planRoutes(world, routes, findings)
  const isShown = await proveReading(world, plans, credentials, findings)
  if (!isShown && choice.isWhole)
    findings.add('no answer to tenant B contains its marker: looking for it elsewhere proves nothing')
  await fillTables(world, tables, findings)
  const before = await takeSnapshot(world)
  const secrets = [world.b.marker, ...before.ids]
  await tryRoutes(world, plans, { ...credentials, none: null }, secrets, findings)
  const tried = await tryTables(world, tables, findings)
  compareSnapshots(before, await takeSnapshot(world), findings)
  await tryAcross(world, plans, { ...credentials, none: null }, secrets, findings, async (what, work) => {
    const untouched = await takeSnapshot(world)
    await work()
    compareSnapshots(untouched, await takeSnapshot(world), findings, what)
  })
  await tryOperators(
    world,
    plans,
    { ordinary: credentials, operators: (await founding.operators?.(world.test)) ?? {} },
    findings,
  )
  const impersonated = await founding.impersonated?.(world.test, world.a)
  if (impersonated) await tryImpersonated(world, plans, impersonated, secrets, findings)
  await tryStores(world, founding, findings, isTried)
  await proveWriting(world, plans, credentials, findings)
  return { routes: routes.length, tables: tried }
}
