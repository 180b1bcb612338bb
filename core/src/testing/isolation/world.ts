import { randomBytes } from 'node:crypto'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import type { TestCore } from '../core.ts'
import type { AllCases } from './cases.ts'
import { type Collections, readCollections } from './catalogue.ts'
import { type FillOptions, fill, make, Unfilled } from './fill.ts'
import { tell } from './tell.ts'
import type { Filled, Founded, Founding, Tenant } from './types.ts'

/** Two tenants, and how requests for them are filled. */
export interface World {
  test: TestCore
  cases: AllCases
  collections: Collections
  a: Tenant
  b: Tenant
  /** How findings name whose `b` is. */
  bName: string
  /** A request to the route that should succeed for the tenant. */
  fill(route: RegisteredRoute, tenant: Tenant, options?: FillOptions): Promise<Filled>
  /** The same tenant, for which everything that is asked for is made anew. */
  afresh(tenant: Tenant): Promise<Tenant>
}

/** Founds both tenants. */
export async function foundWorld(test: TestCore, cases: AllCases, founding: Founding): Promise<World> {
  const world: World = {
    test,
    cases,
    collections: readCollections(test.core.registry, cases),
    bName: 'tenant B',
    a: undefined as unknown as Tenant, // founded below, with the help of the rest
    b: undefined as unknown as Tenant, // as above
    fill: (route, tenant, options) => fill(world, route, tenant, options),
    afresh: async (tenant) => asTenant(world, { ...tenant }, tenant.marker),
  }
  world.a = await foundAnother(world, founding, 'a')
  world.b = await foundAnother(world, founding, 'b')
  return world
}

/** One more tenant of that world. */
export async function foundAnother(world: World, founding: Founding, letter: string): Promise<Tenant> {
  const marker = newMarker(letter)
  return asTenant(world, await founding.found(world.test, marker), marker)
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
  const side = (marker: string, store?: string): Tenant => {
    const tenant = asTenant(world, { ...world.a }, marker)
    const own = tenant.id
    const id = async (collection: string) => {
      if (store !== undefined && collection === '/stores') return store
      return inStores(collection) ? own(collection) : world.a.id(collection)
    }
    return Object.assign(tenant, { id })
  }
  return {
    ...world, // to be filled, a place needs an id all the same: of what stands in no store, tenant A's
    collections,
    bName: 'the other store',
    a: side(newMarker('s')),
    b: side(newMarker('t')),
    // Something fresh stands in the same store.
    afresh: async (tenant) => side(tenant.marker, await tenant.id('/stores')),
  }
}

// Short, so that it fits into codes and slugs; letters alone, so that it is a word and in no name a telephone number.
const newMarker = (tenant: string) =>
  `zq${tenant}${randomBytes(3)
    .toString('hex')
    .replace(/\d/g, (digit) => LETTERS[Number(digit)] ?? '')}`
const LETTERS = 'ghijklmnop'
let texts = 0

function asTenant(world: World, founded: Founded, marker: string): Tenant {
  const objects = new Map<string, Promise<string>>()
  const tenant: Tenant = Object.assign(founded, {
    test: world.test,
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
      if (answer.status >= 300) throw new Unfilled(`${method} ${path} answered its owner ${tell(world.test, answer)}`)
      return answer.body
    },
  })
  return tenant
}
