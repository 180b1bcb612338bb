import pg from 'pg'
import { operatorRolesOf } from '../../kernel/access/operators.ts'
import { storeRuleOf } from '../../kernel/access/store-scope.ts'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { Answered } from '../request.ts'
import { listTenantTables } from '../statements.ts'
import { tryAcross } from './across.ts'
import { routeName } from './catalogue.ts'
import { urlOf } from './fill.ts'
import type { Findings } from './findings.ts'
import { type Plan, planRoutes, tryRoutes } from './requests.ts'
import { tell } from './tell.ts'
import type { Clerks, Founding } from './types.ts'
import { type World, worldOfStores } from './world.ts'
import { written } from './written.ts'

const STORE_HEADER = 'headers/x-store-id'

/** Which routes to try between stores; default: all. For a core whose other routes were tried before. */
export type RouteFilter = (route: RegisteredRoute) => boolean

/**
 * Tries to reach one store of a tenant from another: as people who hold every store permission in the one, on every
 * route, with ids of what stands in the other. Does nothing where there are no stores, or nobody to send there.
 */
export async function tryStores(
  world: World,
  founding: Founding,
  findings: Findings,
  only: RouteFilter = () => true,
): Promise<void> {
  const { registry } = world.test.core
  if (!registry.storeDirectory || !founding.clerks) return
  const routes = registry.routes.filter((route) => isForStaff(route) && only(route))
  const stores = worldOfStores(world, (collection) => standsInStores(registry.routes, collection))
  await furnish(stores, registry.routes, findings)
  const clerks = await founding.clerks(world.test, stores.a, stores.b)
  const plans = (await planRoutes(stores, routes, findings)).map(withoutNaming)
  const secrets = await secretsOf(stores, plans)
  const before = await rowsNaming(world, secrets)
  await tryRoutes(stores, plans, { ...clerks }, secrets, findings)
  await tryAcross(stores, plans, { ...clerks }, secrets, findings)
  const after = new Set(await rowsNaming(world, secrets))
  for (const row of before)
    if (!after.has(row)) findings.add(`a row of the other store changed during requests: ${row.slice(0, 200)}`)
  await proveClerks(stores, plans, clerks, findings)
}

/** Where nothing depends on the store named, naming the other changes nothing: what is written, is written in one's own. */
function withoutNaming({ route, attempts }: Plan): Plan {
  const matters = storeRuleOf(route.access)?.named === STORE_HEADER
  const keeps = matters || (route.method === 'GET' && route.access !== 'self')
  return { route, attempts: keeps ? attempts : attempts.filter(({ place }) => place !== STORE_HEADER) }
}

/** Routes for anybody and for operators know no stores. */
const isForStaff = ({ access }: RegisteredRoute) => access !== 'public' && operatorRolesOf(access) === null

/** Whether the objects of a collection stand in stores: its routes, or those beneath it, say so. */
function standsInStores(routes: readonly RegisteredRoute[], collection: string): boolean {
  if (collection === '/stores') return true
  return routes.some(({ path, access }) => {
    const rule = storeRuleOf(access)
    return rule !== null && !rule.shared && (path === collection || path.startsWith(`${collection}/:`))
  })
}

/** Puts one of everything into both stores, so that whatever shows too much has something to show. */
async function furnish({ a, b }: World, routes: readonly RegisteredRoute[], findings: Findings): Promise<void> {
  const collections = new Set(routes.map(({ path }) => path.split('/:', 1)[0] ?? path))
  for (const collection of collections) {
    const isMade = routes.some(({ method, path }) => method === 'POST' && path === collection)
    if (!isMade || !standsInStores(routes, collection)) continue
    for (const side of [a, b])
      await side.id(collection).catch((error: Error) => findings.addError(error, { before: collection }))
  }
}

/** The other store's marker, and the ids of what stands there. */
async function secretsOf({ b }: World, plans: Plan[]): Promise<string[]> {
  const foreign = plans.flatMap(({ attempts }) => attempts.map(({ foreign }) => foreign))
  const ids = foreign.filter((each): each is string => each !== null && /^[0-9a-f-]{36}$/.test(each))
  return [...new Set([b.marker, await b.id('/stores'), ...ids])]
}

/** Kept records of what was tried name whatever was asked for. */
const TELLS_OF_ATTEMPTS = /^(audit_|idempotency_keys|tenant_jobs)/

/** The tenant's rows in which one of the texts stands. */
async function rowsNaming({ test, a }: World, texts: readonly string[]): Promise<string[]> {
  const { superuserUrl } = test.database
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    const found: string[] = []
    for (const [name, key] of await listTenantTables(superuserUrl)) {
      if (TELLS_OF_ATTEMPTS.test(name)) continue
      const { rows } = await client.query<{ text: string }>(
        `select to_jsonb(t)::text as text from core.${pg.escapeIdentifier(name)} t
         where ${pg.escapeIdentifier(key)} = $1 and to_jsonb(t)::text like any ($2)`,
        [a.tenantId, texts.map((text) => `%${text}%`)],
      )
      found.push(...rows.map(({ text }) => `${name} ${text}`))
    }
    return found
  } finally {
    await client.end()
  }
}

/** Shows that a refusal was for the other store: with their own store's things, the same people are let in. */
async function proveClerks(stores: World, plans: Plan[], clerks: Clerks, findings: Findings): Promise<void> {
  for (const { route } of plans) {
    const rule = storeRuleOf(route.access)
    const { unproven, ownOnly } = stores.cases.routes[routeName(route)] ?? {}
    if (rule === null || rule.shared || unproven !== undefined || ownOnly !== undefined) continue
    for (const [kind, token] of Object.entries(clerks)) {
      if (kind === 'storeKey' && route.callers === 'people') continue
      const answer = await succeedAtHome(stores, route, token)
      if (answer.status >= 300)
        findings.add(
          `it is answered ${tell(stores.test, answer, ': the refusals prove nothing; tell its case what is `given`')}`,
          { before: `${routeName(route)} as `, one: kind, after: ' with what stands in their own store' },
          routeName(route),
        )
    }
  }
}

async function succeedAtHome(stores: World, route: RegisteredRoute, token: string): Promise<Answered> {
  const headers = { 'x-store-id': await stores.a.id('/stores') }
  const send = async (complete: boolean) => {
    const side = route.method === 'GET' ? stores.a : await stores.afresh(stores.a)
    const filling = await stores.fill(route, side, { complete })
    return stores.test.request(route.method, urlOf(route, filling), {
      token,
      ...written(route, { ...filling, headers: { ...filling.headers, ...headers } }),
    })
  }
  const answer = await send(true)
  return answer.status >= 300 && (route.body ?? route.form) ? send(false) : answer
}
