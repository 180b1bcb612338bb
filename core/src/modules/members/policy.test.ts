import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Method, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { roleId } from './members.fixture.ts'

let test: TestCore
let acme: TestTenant
let store: string
let clerkRole: string
before(async () => {
  test = await createAuthCore()
  acme = await test.foundTenant()
  store = (await call(acme.owner, 'GET', '/stores')).body.data[0].id
  // All that acts on people, and hardly anything beside it.
  const permissions = ['user.view', 'user.update', 'user.delete', 'user.invite', 'role.assign', 'store.view']
  clerkRole = (await call(acme.owner, 'POST', '/roles', { name: 'Clerk', permissions })).body.id
})
after(() => test.close())

const call = (who: TestPerson, method: Method, url: `/${string}`, body?: unknown) => who.request(method, url, { body })

type Rank = 'owner' | 'admin' | 'clerk' | 'nobody'

async function person(rank: Rank) {
  const made = await acme.member(rank === 'owner' || rank === 'admin' ? { role: rank } : {})
  if (rank === 'clerk') await call(acme.owner, 'POST', `/users/${made.userId}/roles`, { role_id: clerkRole })
  return made
}

const actions: Record<string, (actor: TestPerson, target: Rank) => Promise<number>> = {
  rename: async (actor, target) =>
    (await call(actor, 'PUT', `/users/${(await person(target)).userId}`, { name: newId() })).status,
  disable: async (actor, target) =>
    (await call(actor, 'PUT', `/users/${(await person(target)).userId}`, { status: 'disabled' })).status,
  enable: async (actor, target) => {
    const { userId } = await person(target)
    await call(acme.owner, 'PUT', `/users/${userId}`, { status: 'disabled' })
    return (await call(actor, 'PUT', `/users/${userId}`, { status: 'active' })).status
  },
  remove: async (actor, target) => (await call(actor, 'DELETE', `/users/${(await person(target)).userId}`)).status,
  'take the role': async (actor, target) => {
    const { userId } = await person(target)
    const [held] = (await call(acme.owner, 'GET', `/users/${userId}/roles`)).body.data
    return (await call(actor, 'DELETE', `/users/${userId}/roles/${held?.role_id ?? newId()}`)).status
  },
  'take an invitation back': async (actor, target) => {
    const roles = target === 'nobody' ? [] : [{ role_id: target === 'clerk' ? clerkRole : await roleId(acme, target) }]
    const { body } = await call(acme.owner, 'POST', '/users/invite', { email: `${newId()}@example.com`, roles })
    const removed = await call(actor, 'DELETE', `/users/${body.user_id}`)
    const revoked = await call(actor, 'DELETE', `/users/invitations/${body.id}`)
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
        const who = await person(actor)
        for (const target of ['owner', 'admin', 'clerk', 'nobody'] as const) {
          const status = await act(who, target)
          if (name === 'take the role' && target === 'nobody') assert.equal(status, 404)
          else if (allowed[actor].includes(target)) assert.ok(status < 300, `${target}: ${status}`)
          else assert.equal(status, 403, `${target}: ${status}`)
        }
      })
    }
  }

  it('in a store: it is the role there that counts, whatever else the person holds', async () => {
    const manager = await acme.member({ role: 'manager', store })
    const admin = await person('admin')
    const staff = await roleId(acme, 'staff')
    await call(acme.owner, 'POST', `/users/${admin.userId}/roles`, { role_id: staff, store_id: store })
    const url = `/users/${admin.userId}/roles` as const
    assert.equal((await call(manager, 'DELETE', `${url}/${staff}?store_id=${store}`)).status, 204)
    const adminRole = await roleId(acme, 'admin')
    assert.equal((await call(manager, 'DELETE', `${url}/${adminRole}`)).status, 403)
  })
})
