import { randomBytes } from 'node:crypto'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { TestCore } from '../core.ts'
import type { Answered } from '../request.ts'
import { type Collections, readCollections, routeName } from './catalogue.ts'
import { asSchema, fieldOf, type Sampling, sample } from './samples.ts'
import type { Fillers, Filling, Founded, Founding, Tenant } from './types.ts'
import { written } from './written.ts'

/** A filling with all that the route asks for. */
export type Filled = Required<Omit<Filling, 'raw'>> & Pick<Filling, 'raw'>

/** Two tenants, and how requests for them are filled. */
export interface World {
  test: TestCore
  fillers: Fillers
  collections: Collections
  a: Tenant
  b: Tenant
  /** How findings name whose `b` is. */
  bName: string
  /** A request to the route that should succeed for the tenant. `fresh`: with objects of its own. */
  fill(route: RegisteredRoute, tenant: Tenant, options?: { fresh?: boolean; complete?: boolean }): Promise<Filled>
  /** The route's address with parameters and query filled in. */
  urlOf(route: RegisteredRoute, filling: Filling): string
}

/** The kit does not know how to make something. */
export class Unfilled extends Error {}

export async function foundWorld(test: TestCore, fillers: Fillers, founding: Founding): Promise<World> {
  const collections = readCollections(test.core.registry, fillers)
  const world = emptyWorld({ test, fillers, collections, bName: 'tenant B' })
  const [markA, markB] = [newMarker('a'), newMarker('b')]
  world.a = asTenant(world, await founding.found(test, markA), markA)
  world.b = asTenant(world, await founding.found(test, markB), markB)
  return world
}

function emptyWorld(parts: Pick<World, 'test' | 'fillers' | 'collections' | 'bName'>): World {
  const world: World = {
    ...parts,
    a: undefined as unknown as Tenant, // put in by whoever asked for the world, with the help of the rest
    b: undefined as unknown as Tenant, // as above
    fill: (route, tenant, options) =>
      fill(world, route, options?.fresh ? withoutObjects(world, tenant) : tenant, options?.complete ?? true),
    urlOf,
  }
  return world
}

/**
 * Two stores of tenant A in place of two tenants: `a` has one of everything in the one store, `b` in the other. What
 * stands in no store is A's, for both.
 */
export function worldOfStores(world: World, inStores: (collection: string) => boolean): World {
  const bound = (collection: string | null | undefined) =>
    collection === undefined || (collection !== null && inStores(collection)) ? collection : null
  const collections: Collections = {
    ofField: (name) => bound(world.collections.ofField(name)),
    ofPath: (path) => world.collections.ofPath(path).map(([name, collection]) => [name, bound(collection)]),
  }
  const stores = emptyWorld({ test: world.test, fillers: world.fillers, collections, bName: 'the other store' })
  // To be filled, a place needs an id all the same: of what stands in no store, tenant A's.
  const filling = { ...stores, collections: world.collections }
  const side = (marker: string, store?: string): Tenant => {
    const tenant = asTenant(filling, { ...world.a }, marker)
    const own = tenant.id
    const id = async (collection: string) => {
      if (store !== undefined && collection === '/stores') return store
      return inStores(collection) ? own(collection) : world.a.id(collection)
    }
    return Object.assign(tenant, { id })
  }
  stores.a = side(newMarker('s'))
  stores.b = side(newMarker('t'))
  // Something fresh stands in the same store.
  stores.fill = async (route, tenant, options) =>
    fill(
      filling,
      route,
      options?.fresh ? side(tenant.marker, await tenant.id('/stores')) : tenant,
      options?.complete ?? true,
    )
  return stores
}

// Short, so that it fits into codes and slugs; letters first, so that it is a word.
const newMarker = (tenant: string) => `zq${tenant}${randomBytes(3).toString('hex')}`
let texts = 0

function asTenant(world: World, founded: Founded, marker: string): Tenant {
  const objects = new Map<string, Promise<string>>()
  const tenant: Tenant = Object.assign(founded, {
    marker,
    text: () => `${marker} ${(texts++).toString(36)}`,
    id: (collection: string) => {
      const known = objects.get(collection) ?? make(world, tenant, collection)
      objects.set(collection, known)
      return known
    },
    send: async (method: string, path: string, body?: unknown) => {
      const answer = await world.test.request(method, path.startsWith('/api/') ? path : `/api/v1${path}`, {
        token: tenant.owner,
        body,
      })
      if (answer.status >= 300)
        throw new Unfilled(`${method} ${path} answered its owner ${answer.status} ${answer.text.slice(0, 300)}`)
      return answer.body
    },
  })
  return tenant
}

/** The same tenant, but everything that is asked for is made anew. */
function withoutObjects(world: World, tenant: Tenant): Tenant {
  return asTenant(world, { ...tenant }, tenant.marker)
}

async function make(world: World, tenant: Tenant, collection: string): Promise<string> {
  if (collection === 'tenant') return tenant.tenantId
  const maker = world.fillers.makers?.[collection] ?? `POST ${collection}`
  if (typeof maker === 'function') return maker(tenant)
  const route = world.test.core.registry.routes.find((each) => routeName(each) === maker)
  if (!route) throw new Unfilled(`nothing makes an object of ${collection}: there is no ${maker}; give \`makers\``)
  let answer = await sendFilled(world, route, tenant, true)
  // Not every field that may be given goes with every other.
  if (answer.status >= 400) answer = await sendFilled(world, route, tenant, false)
  if (answer.status !== 201 || typeof answer.body?.id !== 'string')
    throw new Unfilled(
      `${maker} made no object of ${collection}: ${answer.status} ${answer.text.slice(0, 300)}; give \`requests\``,
    )
  return answer.body.id
}

async function sendFilled(world: World, route: RegisteredRoute, tenant: Tenant, complete: boolean): Promise<Answered> {
  const filling = await fill(world, route, tenant, complete)
  const key: Record<string, string> = route.idempotent ? { 'idempotency-key': nextKey(route, tenant) } : {}
  return world.test.request(route.method, urlOf(route, filling), {
    token: tenant.owner,
    ...written(route, { ...filling, headers: { ...key, ...filling.headers } }),
  })
}

async function fill(
  { fillers, collections }: World,
  route: RegisteredRoute,
  tenant: Tenant,
  complete: boolean,
): Promise<Filled> {
  const given = await givenFor(fillers, route, tenant)
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
    params[name] =
      given.params?.[name] ??
      (collection ? await tenant.id(collection) : String(await sample({ type: 'string' }, sampling, 'name')))
  const required = async (part: RegisteredRoute['query']) =>
    (await sample({ ...asSchema(part), type: 'object' }, { ...sampling, complete: false })) as Record<string, string> // an object's sample
  const [query, headers] = [await required(route.query), await required(route.headers)]
  // A body that is given whole is not made: its objects may be impossible to make here.
  const body = route.body ? await sampleBody(route, sampling, given) : {}
  return {
    params,
    query: { ...query, ...given.query },
    headers: { ...headers, ...given.headers },
    body: { ...body, ...given.body },
    raw: given.raw,
  }
}

const keys = new Map<string, number>()

/** Both tenants use the same keys: one that was shared would give B an answer of A, or refuse its body. */
function nextKey(route: RegisteredRoute, { tenantId }: Tenant): string {
  const name = routeName(route)
  const count = keys.get(`${tenantId} ${name}`) ?? 0
  keys.set(`${tenantId} ${name}`, count + 1)
  return `"${name} ${count}"`
}

const fillings = new WeakMap<Tenant, Map<string, Promise<Filling>>>()

/** A filler may do something first, so it is asked once for each tenant and its objects. */
function givenFor({ requests = {} }: Fillers, route: RegisteredRoute, tenant: Tenant): Promise<Filling> {
  const name = routeName(route)
  const known = fillings.get(tenant) ?? new Map<string, Promise<Filling>>()
  fillings.set(tenant, known)
  const given = known.get(name) ?? Promise.resolve(requests[name]?.(tenant) ?? {})
  known.set(name, given)
  return given
}

async function sampleBody(
  route: RegisteredRoute,
  sampling: Sampling,
  given: Filling,
): Promise<Record<string, unknown>> {
  const { properties = {}, ...schema } = asSchema(route.body)
  const missing = Object.fromEntries(Object.entries(properties).filter(([name]) => !(name in (given.body ?? {}))))
  return (await sample({ ...schema, type: 'object', properties: missing }, sampling)) as Record<string, unknown> // an object's sample
}

function urlOf(route: RegisteredRoute, { params = {}, query = {} }: Filling): string {
  const path = route.url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const search = new URLSearchParams(query).toString()
  return search ? `${path}?${search}` : path
}
