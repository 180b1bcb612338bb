import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { createMembersCore, found, join, tokenFor } from './members.fixture.ts'

let test: TestCore
let acme: Awaited<ReturnType<typeof found>>
let staff: Awaited<ReturnType<typeof join>>

before(async () => {
  test = await createMembersCore()
  acme = await found(test.core)
  staff = await join(test.core, acme.tenantId, 'staff')
})
after(() => test.close())

const id = newId()
const role = { role_id: newId() }

/** Every route of the module that asks for a permission, the one it asks for, and a request that its schema refuses. */
const guarded: {
  method: string
  url: string
  permission: string
  body?: object
  wrong: { url?: string; body?: object }
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
      const send = (token: string | null, options: { url?: string; body?: object } = {}) =>
        test.request(method, `/api/v1${options.url ?? url}`, { token, body: options.body ?? body })
      assert.equal((await send(null)).body.code, 'unauthenticated')
      const refused = await send(staff.token)
      assert.equal(refused.status, 403, refused.text)
      assert.equal(refused.body.permission, permission)
      assert.equal((await send(tokenFor(staff.userId, null))).body.code, 'tenant_required')
      const invalid = await send(acme.token, wrong)
      assert.equal(invalid.body.code, 'invalid_request', invalid.text)
    })
  }
})
