import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { claim } from '../../../kernel/access/sign-in.fixture.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { narrowedSignIn } from '../../roles/roles.fixture.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, narrowedSignIn] })
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

/** Makes a key that may see stores, with a credential of an application's own that says itself who comes. */
const make = (userId: string, scopes?: readonly string[]) =>
  t.request('POST', '/api/v1/api-keys', {
    token: claim({ userId, tenantId: tenant.id, ...(scopes && { scopes }) }),
    body: { name: 'Till', scopes: ['store.view'] },
  })

describe('whoever makes a key', () => {
  test('gives it no more than the credential is for that they make it with', async () => {
    const { userId } = tenant.owner
    const narrow = await make(userId, ['api_key.create'])
    assert.equal(narrow.status, 403)
    has(narrow.body, { code: 'permission_denied', permission: 'store.view' })
    assert.equal((await make(userId, ['api_key.create', 'store.view'])).status, 201)
  })

  test('is an active member at that moment, whatever their credential says', async () => {
    const person = await tenant.member({ permissions: ['api_key.create', 'store.view'] })
    assert.equal((await make(person.userId)).status, 201)
    await tenant.owner.put(`/users/${person.userId}`, { status: 'disabled' })
    const { status, body } = await make(person.userId)
    assert.equal(status, 403)
    has(body, { code: 'permission_denied', permission: 'api_key.create' })
  })
})
