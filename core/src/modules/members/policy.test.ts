import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { createMembersCore, found, join, roleId } from './members.fixture.ts'

let test: TestCore
let acme: Awaited<ReturnType<typeof found>>
let store: string
let clerkRole: string
before(async () => {
  test = await createMembersCore()
  acme = await found(test.core)
  store = (await call(acme.token, 'GET', '/stores')).body.data[0].id
  // All that acts on people, and hardly anything beside it.
  const permissions = ['user.view', 'user.update', 'user.delete', 'user.invite', 'role.assign', 'store.view']
  clerkRole = (await call(acme.token, 'POST', '/roles', { name: 'Clerk', permissions })).body.id
})
after(() => test.close())

const call = (token: string, method: string, url: string, body?: unknown) =>
  test.request(method, `/api/v1${url}`, { token, body })

type Rank = 'owner' | 'admin' | 'clerk' | 'nobody'

async function person(rank: Rank) {
  const made = await join(test.core, acme.tenantId, rank === 'owner' || rank === 'admin' ? rank : null)
  if (rank === 'clerk') await call(acme.token, 'POST', `/users/${made.userId}/roles`, { role_id: clerkRole })
  return made
}

const actions: Record<string, (token: string, target: Rank) => Promise<number>> = {
  rename: async (token, target) =>
    (await call(token, 'PUT', `/users/${(await person(target)).userId}`, { name: newId() })).status,
  disable: async (token, target) =>
    (await call(token, 'PUT', `/users/${(await person(target)).userId}`, { status: 'disabled' })).status,
  enable: async (token, target) => {
    const { userId } = await person(target)
    await call(acme.token, 'PUT', `/users/${userId}`, { status: 'disabled' })
    return (await call(token, 'PUT', `/users/${userId}`, { status: 'active' })).status
  },
  remove: async (token, target) => (await call(token, 'DELETE', `/users/${(await person(target)).userId}`)).status,
  'take the role': async (token, target) => {
    const { userId } = await person(target)
    const [held] = (await call(acme.token, 'GET', `/users/${userId}/roles`)).body.data
    return (await call(token, 'DELETE', `/users/${userId}/roles/${held?.role_id ?? newId()}`)).status
  },
  'take an invitation back': async (token, target) => {
    const roles =
      target === 'nobody'
        ? []
        : [{ role_id: target === 'clerk' ? clerkRole : await roleId(test.core, acme.tenantId, target) }]
    const { body } = await call(acme.token, 'POST', '/users/invite', { email: `${newId()}@example.com`, roles })
    const removed = await call(token, 'DELETE', `/users/${body.user_id}`)
    const revoked = await call(token, 'DELETE', `/users/invitations/${body.id}`)
    return removed.status === 204 ? 204 : revoked.status
  },
}

/** Of whom each may be acted on: of everybody who holds no more than oneself. */
const allowed: Record<Exclude<Rank, 'nobody'>, Rank[]> = {
  owner: ['owner', 'admin', 'clerk', 'nobody'],
  admin: ['admin', 'clerk', 'nobody'],
  clerk: ['clerk', 'nobody'],
}

describe('nobody acts on a person who holds more than they do', () => {
  for (const actor of ['owner', 'admin', 'clerk'] as const) {
    for (const [name, act] of Object.entries(actions)) {
      it(`${actor}: ${name}`, async () => {
        const { token } = await person(actor)
        for (const target of ['owner', 'admin', 'clerk', 'nobody'] as const) {
          const status = await act(token, target)
          if (name === 'take the role' && target === 'nobody') assert.equal(status, 404)
          else if (allowed[actor].includes(target)) assert.ok(status < 300, `${target}: ${status}`)
          else assert.equal(status, 403, `${target}: ${status}`)
        }
      })
    }
  }

  it('in a store: it is the role there that counts, whatever else the person holds', async () => {
    const manager = await join(test.core, acme.tenantId, 'manager', { storeId: store })
    const admin = await person('admin')
    const staff = await roleId(test.core, acme.tenantId, 'staff')
    await call(acme.token, 'POST', `/users/${admin.userId}/roles`, { role_id: staff, store_id: store })
    const url = `/users/${admin.userId}/roles`
    assert.equal((await call(manager.token, 'DELETE', `${url}/${staff}?store_id=${store}`)).status, 204)
    const adminRole = await roleId(test.core, acme.tenantId, 'admin')
    assert.equal((await call(manager.token, 'DELETE', `${url}/${adminRole}`)).status, 403)
  })
})
