import type { TSchema } from 'typebox'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { Answered } from '../request.ts'
import { routeName } from './catalogue.ts'
import { asSchema, fieldOf, type Sampling, sampleFor } from './samples.ts'
import { tell } from './tell.ts'
import type { Filled, Filling, RouteCase, Tenant } from './types.ts'
import type { World } from './world.ts'
import { written } from './written.ts'

/** The kit does not know how to make something. */
export class Unfilled extends Error {
  /** The route whose case has to tell more. */
  readonly route: string | undefined

  constructor(message: string, route?: string) {
    super(message)
    this.route = route
  }
}

export interface FillOptions {
  /** What may be left out, too. Default: yes. */
  complete?: boolean
  /** For a request that is not to succeed, and will be sent again. */
  attempt?: boolean
}

type Known = Pick<World, 'test' | 'cases' | 'collections'>

/** A request to the route as it succeeds for the tenant: what its case gives, and the rest from its schemas. */
export async function fill(
  { cases, collections }: Known,
  route: RegisteredRoute,
  tenant: Tenant,
  { complete = true, attempt = false }: FillOptions = {},
): Promise<Filled> {
  const told = cases.routes[routeName(route)]
  const given = (attempt && told?.once) || (await givenFor(told, tenant))
  const sampling: Sampling = {
    complete,
    text: tenant.text,
    id: async (name) => {
      const collection = collections.ofField(fieldOf(name))
      return collection ? tenant.id(collection) : undefined
    },
  }
  const params: Record<string, string> = {}
  for (const [name, collection] of collections.ofPath(route.path))
    params[name] = given.params?.[name] ?? (collection ? await tenant.id(collection) : tenant.text())
  const required = async (part: RegisteredRoute['query']) =>
    (part ? await sampleFor(part, { ...sampling, complete: false }) : {}) as Record<string, string> // of texts
  const [query, headers] = [await required(route.query), await required(route.headers)]
  const fields = route.body ?? route.form
  const body = fields ? await sampleBody(fields, sampling, given) : {}
  return {
    ...given,
    params,
    query: { ...query, ...given.query },
    headers: { ...headers, ...given.headers },
    body: { ...body, ...given.body },
  }
}

const givens = new WeakMap<Tenant, Map<RouteCase, Promise<Filling>>>()

/** A case may make something first, so it is asked once for each tenant and its objects. */
function givenFor(told: RouteCase | undefined, tenant: Tenant): Promise<Filling> | Filling {
  if (!told?.given && !told?.across) return {}
  const known = givens.get(tenant) ?? new Map<RouteCase, Promise<Filling>>()
  givens.set(tenant, known)
  const given = known.get(told) ?? givenAnew(told, tenant)
  known.set(told, given)
  return given
}

/** What names another tenant's things names its own here: a refusal of the other's is then for whose they are. */
async function givenAnew({ given, across }: RouteCase, tenant: Tenant): Promise<Filling> {
  return overlay((await given?.(tenant)) ?? {}, (await across?.(tenant, tenant)) ?? {})
}

/** One filling over another. */
export function overlay<F extends Filling>(under: F, over: Filling): F {
  const parts = (['params', 'query', 'headers', 'body'] as const).filter((part) => over[part] !== undefined)
  return { ...under, ...over, ...Object.fromEntries(parts.map((part) => [part, { ...under[part], ...over[part] }])) }
}

/** What is given is not made: its objects may be impossible to make here. */
function sampleBody(schema: TSchema, sampling: Sampling, { body = {} }: Filling): Promise<Record<string, unknown>> {
  const { properties = {} } = asSchema(schema)
  const missing = Object.fromEntries(Object.entries(properties).filter(([name]) => !(name in body)))
  return sampleFor({ ...schema, properties: missing }, sampling)
}

/** Where the route answers, its parameters and query filled in. */
export function urlOf(route: RegisteredRoute, { params = {}, query = {} }: Filling): string {
  const path = route.url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const search = new URLSearchParams(query).toString()
  return search ? `${path}?${search}` : path
}

/** Makes an object of a collection for the tenant; gives its id. */
export async function make(known: Known, tenant: Tenant, collection: string): Promise<string> {
  if (collection === 'tenant') return tenant.tenantId
  const maker = known.cases.makers[collection] ?? `POST ${collection}`
  if (typeof maker === 'function') return maker(tenant)
  const route = known.test.core.registry.routes.find((each) => routeName(each) === maker)
  if (!route) throw new Unfilled(`nothing makes an object of ${collection}: there is no ${maker}; give \`makers\``)
  let answer = await sendFilled(known, route, tenant, true)
  // Not every field that may be given goes with every other.
  if (answer.status >= 400) answer = await sendFilled(known, route, tenant, false)
  if (answer.status !== 201 || typeof answer.body?.id !== 'string')
    throw new Unfilled(
      `${maker} made no object of ${collection}: ${tell(known.test, answer, '; tell its case what is `given`')}`,
      maker,
    )
  return answer.body.id
}

async function sendFilled(known: Known, route: RegisteredRoute, tenant: Tenant, complete: boolean): Promise<Answered> {
  const filling = await fill(known, route, tenant, { complete })
  const key: Record<string, string> = route.idempotent ? { 'idempotency-key': nextKey(route, tenant) } : {}
  return known.test.request(route.method, urlOf(route, filling), {
    token: filling.token ?? tenant.owner,
    ...written(route, { ...filling, headers: { ...key, ...filling.headers } }),
  })
}

const keys = new Map<string, number>()

/** Both tenants use the same keys: one that was shared would give B an answer of A, or refuse its body. */
function nextKey(route: RegisteredRoute, { tenantId }: Tenant): string {
  const name = routeName(route)
  const count = keys.get(`${tenantId} ${name}`) ?? 0
  keys.set(`${tenantId} ${name}`, count + 1)
  return `"${name} ${count}"`
}
