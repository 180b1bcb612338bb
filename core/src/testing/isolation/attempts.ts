import { newId } from '../../kernel/ids.ts'
import type { RegisteredRoute } from '../../kernel/registry.ts'
import { routeName } from './catalogue.ts'
import { overlay, Unfilled, urlOf } from './fill.ts'
import { asSchema, fieldOf, idPlaces, isIdName, placed } from './samples.ts'
import type { Filled, Filling } from './types.ts'
import type { World } from './world.ts'

/** A request of tenant A with something of tenant B in one place, and the same with what never was. */
export interface Attempt {
  /** Where: `params/id`, `query/role_id`, `#/roles/0/store_id`, `headers/x-store-id`. */
  place: string
  /** What is B's; null for a request that carries nothing of B. */
  foreign: string | null
  unknown: string
  apply(filling: Filled, value: string, isForeign: boolean): Filling
}

/** Every place of a route where an id of the other tenant can be put. Makes the objects whose ids those are. */
export async function listAttempts(world: World, route: RegisteredRoute): Promise<Attempt[]> {
  const attempts: Attempt[] = [{ place: 'nothing', foreign: null, unknown: '', apply: (filling) => filling }]
  const add = (place: string, foreign: string, apply: Attempt['apply'], unknown = newId()) =>
    attempts.push({ place, foreign, unknown, apply })
  const idOf = async (collection: string | null | undefined, field: string) => {
    if (collection === undefined) throw new Unfilled(`nobody knows whose id ${field} is; give \`ids\``)
    return collection === null ? null : world.b.id(collection)
  }

  const params: Record<string, string> = {}
  for (const [name, collection] of world.collections.ofPath(route.path)) {
    const foreign = await idOf(collection, `params/${name}`)
    if (foreign === null) continue
    params[name] = foreign
    add(`params/${name}`, foreign, (filling, value) => ({ ...filling, params: { ...filling.params, [name]: value } }))
  }
  const [first] = Object.entries(params)
  if (first && Object.keys(params).length > 1)
    add('every parameter', first[1], (filling, value, isForeign) => ({
      ...filling,
      params: { ...filling.params, ...(isForeign ? params : { [first[0]]: value }) },
    }))
  for (const [name, foreign, unknown] of await foreignQuery(world, route, idOf))
    add(
      `query/${name}`,
      foreign,
      (filling, value) => ({ ...filling, query: { ...filling.query, [name]: value } }),
      unknown,
    )
  for (const [name, property] of Object.entries(asSchema(route.headers).properties ?? {})) {
    if (property.format !== 'uuid') continue
    const foreign = await idOf(world.collections.ofField(fieldOf(name)), `headers/${name}`)
    if (foreign !== null)
      add(`headers/${name}`, foreign, (filling, value) => ({
        ...filling,
        headers: { ...filling.headers, [name]: value },
      }))
  }
  for (const path of idPlaces(asSchema(route.body ?? route.form))) {
    const field = path.findLast((step) => step !== '0') ?? ''
    const foreign = await idOf(world.collections.ofField(field), `#/${path.join('/')}`)
    // A place in an object is filled in a copy of the object.
    if (foreign !== null)
      add(`#/${path.join('/')}`, foreign, (filling, value) => ({
        ...filling,
        body: placed(filling.body, path, value) as Filling['body'],
      }))
  }
  const told = world.cases.routes[routeName(route)]
  if (told?.probe) add('a token', world.b.tenantId, (filling, value) => overlay(filling, told.probe?.(value) ?? {}))
  if (world.test.core.registry.storeDirectory)
    add('headers/x-store-id', await world.b.id('/stores'), (filling, value) => ({
      ...filling,
      headers: { ...filling.headers, 'x-store-id': value },
    }))
  return attempts
}

/** Ids, what B's texts contain, and a place in B's list. */
async function foreignQuery(
  world: World,
  route: RegisteredRoute,
  idOf: (collection: string | null | undefined, field: string) => Promise<string | null>,
): Promise<[name: string, foreign: string, unknown: string][]> {
  const found: [string, string, string][] = []
  for (const [name, property] of Object.entries(asSchema(route.query).properties ?? {})) {
    if (isIdName(name) || property.format === 'uuid') {
      const foreign = await idOf(world.collections.ofField(name), `query/${name}`)
      if (foreign !== null) found.push([name, foreign, newId()])
    } else if (name === 'q') found.push([name, world.b.marker, 'zqnever'])
    else if (name === 'cursor') {
      const cursor = await cursorOf(world, route)
      if (cursor !== null) found.push([name, cursor, `${cursor.slice(0, -2)}AA`])
    }
  }
  return found
}

async function cursorOf(world: World, route: RegisteredRoute): Promise<string | null> {
  const { params, query } = await world.fill(route, world.b)
  const url = urlOf(route, { params, query: { ...query, limit: '1' } })
  const { body } = await world.test.request('GET', url, { token: world.b.owner })
  return typeof body?.next_cursor === 'string' ? body.next_cursor : null
}
