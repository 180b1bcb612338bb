import { createTestCore } from '../src/testing/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { BOOTSTRAP_TOKEN, frontDoor, spendTokens } from '../src/testing/isolation/front-door.ts'
import type { Tenant } from '../src/testing/isolation/types.ts'
import { foundAnother, foundWorld, type World } from '../src/testing/isolation/world.ts'
import { peopleOf } from '../src/testing/people.ts'

/** The isolation kit's two tenants, and those who ask tenant A for what they may not have. */
export interface PeopledWorld extends World {
  /** Tokens of: A's owner in another session; a member without a role; a manager of one store alone; a person without a tenant. */
  ownerElsewhere: string
  nobody: string
  clerk: string
  tenantless: string
  /** Tokens of A's owner that were good once. */
  expired: string
  revoked: string
  /** A store of A that is open, but not the clerk's; and one that is closed. */
  otherStoreId: string
  closedStoreId: string
  /** Token of a member of A who holds every permission but this. */
  withAllBut(permission: string): Promise<string>
  /** One more tenant, in which nothing has happened yet. */
  foundAnother(): Promise<Tenant>
}

/** Founds both tenants on a core of the built-in modules; B gets one of everything that a path can name. */
export async function createPeopledWorld(): Promise<PeopledWorld> {
  const test = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN } })
  const world = await foundWorld(test, await loadCases(test.core.registry.modules), frontDoor)
  const { a, b } = world
  const worthless = await spendTokens(test, a, b)
  for (const { path } of test.core.registry.routes)
    for (const [, collection] of world.collections.ofPath(path)) if (collection) await b.id(collection)
  const { member } = peopleOf(test.core, test.request, a.tenantId)
  const clerk = await member({ role: 'manager', store: await a.id('/stores') })
  const addStore = async (fields: object): Promise<string> => (await a.send('POST', '/stores', fields)).id
  return {
    ...world,
    ...worthless,
    ownerElsewhere: await a.signIn(),
    nobody: await (await member()).token(),
    clerk: await clerk.token(),
    tenantless: await leaveTenant(a),
    otherStoreId: await addStore({ name: 'North', code: 'NORTH' }),
    closedStoreId: await addStore({ name: 'Closed', status: 'inactive' }),
    withAllBut: await createAlmighty(a),
    foundAnother: () => foundAnother(world, frontDoor, 'c'),
  }
}

async function leaveTenant({ test, send, password }: Tenant): Promise<string> {
  const email = 'leaver@example.com'
  const { id } = await send('POST', '/users', { email, name: 'Lea Leaver', password })
  await send('DELETE', `/users/${id}`)
  const { body } = await test.request('POST', '/api/v1/auth/login', { body: { email, password } })
  return body.access_token
}

/** A member whose one role is rewritten to hold all but one permission. */
async function createAlmighty({ test, send, tenantId }: Tenant): Promise<PeopledWorld['withAllBut']> {
  const all = [...test.core.registry.permissions.keys()]
  const role = await send('POST', '/roles', { name: 'Almost everything', permissions: all })
  const person = await peopleOf(test.core, test.request, tenantId).member({ role: role.id })
  return async (permission) => {
    await send('PUT', `/roles/${role.id}`, { permissions: all.filter((code) => code !== permission) })
    return person.token()
  }
}
