import assert from 'node:assert/strict'
import { newId } from '#kernel'
import { BOOTSTRAP_TOKEN, login, PASSWORD, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { type Answered, createTestCore, type TestCore } from '../src/testing/index.ts'

const ACCESS_TOKEN_SECONDS = 600

/** Everybody and everything that the proofs of the routes need: a tenant with two of each, and another tenant. */
export interface World {
  test: TestCore
  /** Owns the tenant that the requests are about. */
  owner: Person
  /** Another session of the owner. */
  ownerElsewhere: string
  other: Person
  /** Ids of the other tenant, by the word that stands before them in a path. */
  foreign: Readonly<Record<string, string>>
  /** Tokens of: a member without a role; a manager of the main store alone; a person without a tenant. */
  nobody: string
  clerk: string
  tenantless: string
  /** Tokens that were good once. */
  expired: string
  revoked: string
  mainStoreId: string
  /** Open, but not the clerk's. */
  northStoreId: string
  closedStoreId: string
  /** Token of a member who holds every permission but this. */
  withAllBut(permission: string): Promise<string>
  /** Sends as the owner, or as whoever is named, and expects success. */
  get(path: string, token?: string): Promise<Answered>
  make(path: string, body: unknown, token?: string): Promise<Answered>
}

/** Founds both tenants on a core of the built-in modules. */
export async function createWorld(): Promise<World> {
  const test = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN } })
  const expired = (await register(test)).token
  test.clock.advance((ACCESS_TOKEN_SECONDS + 1) * 1000)
  const owner = await register(test, { name: 'Olga Owner', tenant_name: 'Acme' })
  const other = await register(test, { name: 'Otto Other', tenant_name: 'Other Ltd' })
  // The world has more of everything than a trial allows.
  for (const { token } of [owner, other]) await chooseBusiness(test, token)
  const { get, make } = clientOf(test, owner)
  const addStore = async (fields: object) => (await make('/stores', fields)).body.id
  const clerk = await addMember(test, owner)
  const [main, manager] = [await get('/stores?q=MAIN'), await get('/roles?q=manager')].map(
    ({ body }) => body.data[0].id,
  )
  await make(`/stores/${main}/users`, { user_id: clerk.userId, role_id: manager })
  for (const email of [anAddress(), anAddress()]) await make('/users/invite', { email })
  return {
    test,
    owner,
    other,
    ownerElsewhere: (await login(test, owner.email)).body.access_token,
    foreign: await furnish(test, other),
    nobody: (await addMember(test, owner)).token,
    clerk: clerk.token,
    tenantless: await leaveTenant(test, await addMember(test, owner), owner),
    expired,
    revoked: await signedOut(test, owner),
    mainStoreId: main,
    northStoreId: await addStore({ name: 'North', code: 'NORTH' }),
    closedStoreId: await addStore({ name: 'Closed', status: 'inactive' }),
    withAllBut: await createAlmighty(test, owner),
    get,
    make,
  }
}

/** Where nothing arrives that is sent. */
export const NOBODY_LISTENS = 'http://127.0.0.1:9/audit'

export const anAddress = () => `${newId()}@example.com`

/** A new member of that owner's tenant who holds those roles, signed in. */
export async function addMember(test: TestCore, owner: Person, roles: object[] = []): Promise<Person> {
  const body = { email: anAddress(), name: 'Max Member', password: PASSWORD, roles }
  const made = await clientOf(test, owner).make('/users', body)
  const { access_token, refresh_token } = (await login(test, body.email)).body
  return {
    email: body.email,
    userId: made.body.id,
    tenantId: owner.tenantId,
    token: access_token,
    refreshToken: refresh_token,
  }
}

/** What the other tenant looks like from within. */
export async function lookAtOther({ test, other, foreign, get }: World): Promise<unknown[]> {
  const paths = [
    `/stores/${foreign.stores}`,
    `/stores/${foreign.stores}/settings`,
    `/stores/${foreign.stores}/users`,
    `/users/${foreign.users}`,
    `/roles/${foreign.roles}`,
    '/users/invitations',
    '/tenants/current',
    '/tenants/current/settings',
  ]
  const seen: unknown[] = []
  for (const path of paths) seen.push((await get(path, other.token)).body)
  const records = await test.core.db.systemQuery('select id from audit_logs where tenant_id = $1', [other.tenantId])
  return [...seen, records.length]
}

/** The other tenant gets one of everything that a path can name. */
async function furnish(test: TestCore, other: Person): Promise<Record<string, string>> {
  const { get, make } = clientOf(test, other)
  const member = await addMember(test, other)
  const store = await make('/stores', { name: 'Theirs' })
  const role = await make('/roles', { name: 'Their role', scope: 'store', permissions: ['store.view'] })
  await make(`/stores/${store.body.id}/users`, { user_id: member.userId, role_id: role.body.id })
  const invitation = await make('/users/invite', { email: anAddress() })
  const { body: records } = await get('/audit?limit=1')
  const sink = await make('/audit/sinks', { url: NOBODY_LISTENS })
  return {
    stores: store.body.id,
    users: member.userId,
    roles: role.body.id,
    invitations: invitation.body.id,
    audit: records.data[0].id,
    sinks: sink.body.id,
  }
}

async function leaveTenant(test: TestCore, { email, userId }: Person, { token }: Person): Promise<string> {
  succeeded(await test.request('DELETE', `/api/v1/users/${userId}`, { token }))
  return (await login(test, email)).body.access_token
}

async function signedOut(test: TestCore, { email }: Person): Promise<string> {
  const token = (await login(test, email)).body.access_token
  succeeded(await test.request('POST', '/api/v1/auth/logout', { token }))
  return token
}

/** A member whose one role is rewritten to hold all but one permission. */
async function createAlmighty(test: TestCore, owner: Person): Promise<World['withAllBut']> {
  const { make } = clientOf(test, owner)
  const all = [...test.core.registry.permissions.keys()]
  const role = await make('/roles', { name: 'Almost everything', permissions: all })
  const { token } = await addMember(test, owner, [{ role_id: role.body.id }])
  return async (permission) => {
    const body = { permissions: all.filter((code) => code !== permission) }
    succeeded(await test.request('PUT', `/api/v1/roles/${role.body.id}`, { token: owner.token, body }))
    return token
  }
}

function clientOf(test: TestCore, owner: Person): Pick<World, 'get' | 'make'> {
  return {
    get: async (path, token = owner.token) => succeeded(await test.request('GET', `/api/v1${path}`, { token })),
    make: async (path, body, token = owner.token) =>
      succeeded(await test.request('POST', `/api/v1${path}`, { token, body })),
  }
}

function succeeded(answer: Answered): Answered {
  if (answer.status >= 300) throw new Error(`The world could not be made: ${answer.text}`)
  return answer
}

async function chooseBusiness(test: TestCore, token: string): Promise<void> {
  const { body } = await test.request('GET', '/api/v1/subscriptions/plans')
  const { id } = body.data.find(({ code }: { code: string }) => code === 'business')
  const chosen = await test.request('POST', '/api/v1/subscriptions/current/change-plan', {
    token,
    body: { plan_id: id },
  })
  assert.equal(chosen.status, 200, chosen.text)
}
