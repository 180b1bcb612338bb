import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Method, newId } from '#kernel'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'

type Path = `/${string}`
let test: TestCore
let acme: TestTenant
let staff: TestPerson
let outsider: TestPerson

before(async () => {
  test = await createAuthCore()
  acme = await test.foundTenant()
  outsider = await test.addPerson()
  staff = await acme.member({ role: 'staff' })
})
after(() => test.close())

const id = newId()
const role = { role_id: newId() }

/** Every route of the module that asks for a permission, the one it asks for, and a request that its schema refuses. */
const guarded: {
  method: Method
  url: Path
  permission: string
  body?: object
  wrong: { url?: Path; body?: object }
}[] = [
  { method: 'GET', url: '/users', permission: 'user.view', wrong: { url: '/users?limit=101' } },
  { method: 'GET', url: `/users/${id}`, permission: 'user.view', wrong: { url: `/users/${id}?x=1` } },
  {
    method: 'PUT',
    url: `/users/${id}`,
    permission: 'user.update',
    body: {},
    wrong: { body: { email: 'a@b.example' } },
  },
  { method: 'DELETE', url: `/users/${id}`, permission: 'user.delete', wrong: { url: `/users/${id}?x=1` } },
  {
    method: 'POST',
    url: '/users/invite',
    permission: 'user.invite',
    body: { email: 'a@b.example' },
    wrong: { body: { email: 'a@b.example', roles: [{ role_id: 'x' }] } },
  },
  { method: 'GET', url: '/users/invitations', permission: 'user.invite', wrong: { url: '/users/invitations?q=x' } },
  {
    method: 'DELETE',
    url: `/users/invitations/${id}`,
    permission: 'user.invite',
    wrong: { url: `/users/invitations/${id}?x=1` },
  },
  { method: 'POST', url: `/users/invitations/${id}/resend`, permission: 'user.invite', wrong: { body: { x: 1 } } },
  { method: 'GET', url: `/users/${id}/roles`, permission: 'user.view', wrong: { url: `/users/${id}/roles?x=1` } },
  {
    method: 'POST',
    url: `/users/${id}/roles`,
    permission: 'role.assign',
    body: role,
    wrong: { body: { ...role, x: 1 } },
  },
  {
    method: 'DELETE',
    url: `/users/${id}/roles/${id}`,
    permission: 'role.assign',
    wrong: { url: `/users/${id}/roles/${id}?store_id=x` },
  },
  { method: 'GET', url: `/stores/${id}/users`, permission: 'user.view', wrong: { url: `/stores/${id}/users?x=1` } },
  {
    method: 'POST',
    url: `/stores/${id}/users`,
    permission: 'role.assign',
    body: { user_id: id, ...role },
    wrong: { body: role },
  },
  {
    method: 'DELETE',
    url: `/stores/${id}/users?user_id=${id}`,
    permission: 'role.assign',
    wrong: { url: `/stores/${id}/users` },
  },
]

describe('every route', () => {
  for (const { method, url, permission, body, wrong } of guarded) {
    it(`${method} ${url.replaceAll(id, ':id')} asks for a credential, a tenant and ${permission}`, async () => {
      const send = (who: TestPerson, options: { url?: Path; body?: object } = {}) =>
        who.request(method, options.url ?? url, { body: options.body ?? body })
      assert.equal((await test.request(method, `/api/v1${url}`, { body })).body.code, 'unauthenticated')
      const refused = await send(staff)
      assert.equal(refused.status, 403, refused.text)
      assert.equal(refused.body.permission, permission)
      assert.equal((await send(outsider)).body.code, 'tenant_required')
      const invalid = await send(acme.owner, wrong)
      assert.equal(invalid.body.code, 'invalid_request', invalid.text)
    })
  }
})
