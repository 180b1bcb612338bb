import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Authenticator, defineModule, newId } from '#kernel'
import { claim } from '../../kernel/access/sign-in.fixture.ts'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { assignRole } from '../roles/index.ts'
import { type Company, foundCompany, narrowedSignIn } from '../roles/roles.fixture.ts'
import { subscriptions } from '../subscriptions/index.ts'
import { authz } from './index.ts'
import { yard } from './yard.fixture.ts'

/** A credential of a tenant and of nobody: as API keys are. */
const keys: Authenticator = {
  name: 'test-keys',
  matches: (credential) => credential.startsWith('key-'),
  identify: (_core, key) => {
    const actor = { type: 'api_key' as const, id: null, label: 'Till', impersonatorId: null }
    return { key, tenantId: key.slice('key-'.length), userId: null, sessionId: null, apiKeyId: newId(), actor }
  },
  standing: async (_tx, { actor }) => ({
    actor,
    superAdmin: false,
    scopes: ['store.view', 'yard.fire', 'yard.hire', 'yard.view'],
  }),
}
const KEY_ROLE = newId()
const keyed = defineModule({
  name: 'keyed',
  authenticators: [keys],
  grants: [
    async (_tx, { apiKeyId }) =>
      apiKeyId === undefined
        ? []
        : [
            {
              permissions: ['store.view', 'store.create', 'yard.fire', 'yard.hire', 'yard.view'],
              storeId: null,
              roleId: KEY_ROLE,
              role: 'key',
            },
          ],
  ],
})

let core: TestCore
let acme: Company
let harbour: string
before(async () => {
  const modules = [...authModules, subscriptions, authz, yard, narrowedSignIn, keyed]
  core = await createTestCore({ modules, env: { RATE_LIMIT_FACTOR: '0' } })
  acme = await foundCompany(core)
  harbour = await acme.addStore('Harbour')
})
after(() => core.close())

const ask = (who: TestPerson, storeId?: string) => who.get(`/authz/me${storeId ? `?store_id=${storeId}` : ''}`)
const rightsOf = async (who: TestPerson, storeId?: string) => {
  const { status, body } = await ask(who, storeId)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const role = (name: string, store_id: string | null) => ({ role_id: acme.roleIds[name], role: name, store_id })

describe('what one may do', () => {
  test('is everything for an owner, with what the plan has and how much of it is in use', async () => {
    const { version, ...rest } = await rightsOf(acme.owner)
    assert.match(version, /^[\w-]{22}$/)
    assert.deepEqual(rest.permissions, [...core.core.registry.permissions.keys()].filter(isUnblocked).sort())
    assert.deepEqual(rest.features, ['colour'])
    assert.deepEqual(rest.limits, {
      stacks: { used: 0, max: 5 },
      stores: { used: 2, max: 5 },
      users: { used: rest.limits.users.used, max: 10 },
      yards: { used: 2, max: 4 },
    })
    assert.deepEqual(rest.roles, [role('owner', null)])
  })

  /** The trial has no `gloss`, which every route of this permission needs. */
  const isUnblocked = (code: string) => code !== 'yard.stamp'

  test('differs from place to place: in the tenant, in a store of one’s own, and in others', async () => {
    const person = await acme.addHolder('viewer')
    await acme.run((ctx) =>
      assignRole(
        ctx,
        { userId: person.userId, roleId: acme.roleIds.manager ?? '', storeId: harbour },
        { preauthorized: true },
      ),
    )
    const [everywhere, here, there] = [
      await rightsOf(person),
      await rightsOf(person, harbour.toUpperCase()),
      await rightsOf(person, acme.mainStoreId),
    ]
    assert.deepEqual(everywhere.roles, [role('viewer', null), role('manager', harbour)])
    assert.deepEqual(here.roles, everywhere.roles)
    assert.deepEqual(there.roles, [role('viewer', null)])
    assert.ok(here.permissions.includes('store.update') && !there.permissions.includes('store.update'))
    assert.deepEqual(there.permissions, everywhere.permissions)
    assert.equal(here.version === there.version, false)
  })

  test('follows a change at once, and so does its version', async () => {
    const made = await acme.addRole(['yard.view'])
    const person = await acme.addHolder(made)
    const first = await rightsOf(person)
    assert.deepEqual(first.permissions, ['yard.view'])
    await acme.owner.put(`/roles/${made}`, { permissions: ['yard.view', 'yard.sweep'] })
    const second = await rightsOf(person)
    assert.deepEqual(second.permissions, ['yard.sweep', 'yard.view'])
    await acme.owner.put(`/roles/${made}`, { permissions: ['yard.view'] })
    assert.deepEqual((await rightsOf(person)).version, first.version)
    await acme.owner.put(`/roles/${made}`, { name: `Renamed ${newId()}` })
    assert.notEqual((await rightsOf(person)).version, first.version)
  })

  test('of an unknown store is not found; whose rights end at their stores learns nothing of others', async () => {
    const other = await foundCompany(core, 'Other')
    for (const id of [other.mainStoreId, newId()]) {
      const { status, body } = await ask(acme.owner, id)
      assert.deepEqual([status, body.code], [404, 'not_found'])
    }
    const staff = await acme.addHolder('staff', acme.mainStoreId)
    const answers = await Promise.all([harbour, other.mainStoreId, newId()].map((id) => rightsOf(staff, id)))
    for (const each of answers) assert.deepEqual(each, answers[0])
    assert.deepEqual([answers[0].permissions, answers[0].roles], [[], []])
  })

  test('needs a credential, a tenant and a store that is an id', async () => {
    assert.equal((await core.request('GET', '/api/v1/authz/me')).status, 401)
    const nowhere = await ask(await core.addPerson())
    assert.deepEqual([nowhere.status, nowhere.body.code], [403, 'tenant_required'])
    const wrong = await ask(acme.owner, 'x')
    assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [400, 'query/store_id'])
  })

  test('is nothing for who is no member, whatever their credential says, and in a tenant that is suspended', async () => {
    const nothing = { permissions: [], features: [], limits: {}, roles: [] }
    const closed = await foundCompany(core, 'Closed')
    await core.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [closed.id])
    for (const [userId, tenantId] of [
      [(await core.addPerson()).userId, acme.id],
      [closed.owner.userId, closed.id],
    ] as const) {
      const { body } = await core.request('GET', '/api/v1/authz/me', { token: claim({ userId, tenantId }) })
      const { version: _, ...rest } = body
      assert.deepEqual(rest, nothing)
    }
  })

  test('of a key of the tenant’s is what the key holds, within its scopes, but for what is for people', async () => {
    const { status, body } = await core.request('GET', '/api/v1/authz/me', { token: `key-${acme.id}` })
    assert.equal(status, 200)
    // The plan is without `gloss`, which those routes of `yard.fire` need that are not for people.
    assert.deepEqual(body.permissions, ['store.view', 'yard.view'])
    const explained = async (permission: string) => {
      const question = { token: `key-${acme.id}`, body: { permission } }
      const { allowed, reason } = (await core.request('POST', '/api/v1/authz/explain', question)).body
      return [allowed, reason]
    }
    assert.deepEqual(await explained('yard.view'), [true, 'granted'])
    assert.deepEqual(await explained('yard.hire'), [false, 'not_in_scopes'])
    assert.deepEqual(await explained('yard.fire'), [false, 'plan_feature'])
    assert.deepEqual(await explained('store.create'), [false, 'not_in_scopes'])
    assert.deepEqual(body.roles, [{ role_id: KEY_ROLE, role: 'key', store_id: null }])
  })

  test('takes a handful of statements, however many permissions there are', async () => {
    await ask(acme.owner, harbour)
    const sent: string[] = []
    const stop = core.core.db.observe((sql) => sent.push(sql))
    await ask(acme.owner, harbour)
    stop()
    assert.ok(core.core.registry.permissions.size > 30)
    // One for each limit; the tenant, the member, the person, the store and the plan; and the caller's own, if those had to be read.
    const counts = core.core.registry.limits.size
    const selects = sent.filter((sql) => /^\s*select/.test(sql) && !sql.includes('set_tenant'))
    assert.ok(selects.length >= 5 && selects.length <= 10 + counts, sent.join('\n'))
  })
})

describe('the version of what one may do', () => {
  const conditional = (method: 'GET' | 'HEAD', tags: string) =>
    acme.owner.request(method as 'GET', '/authz/me', { headers: { 'if-none-match': tags } })

  test('is the ETag, and whoever has it gets 304 and no body', async () => {
    const { headers, body } = await ask(acme.owner)
    const etag = `"${body.version}"`
    assert.equal(headers.etag, etag)
    for (const method of ['GET', 'HEAD'] as const) {
      for (const tags of [etag, `W/${etag}`, '*', `"a,b", W/"c" , ${etag}`]) {
        const answer = await conditional(method, tags)
        assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, '', etag], tags)
        assert.equal(answer.headers['content-type'], undefined)
        assert.equal(answer.headers['cache-control'], headers['cache-control'])
      }
      for (const tags of ['', '"other"', body.version, `w/${etag}`, `"${body.version.slice(1)}"`]) {
        const answer = await conditional(method, tags)
        assert.deepEqual([answer.status, answer.headers.etag], [200, etag], tags)
      }
    }
  })

  test('of before a change is worth nothing after it: a limit that is used further is one', async () => {
    const { headers } = await ask(acme.owner)
    const before = String(headers.etag)
    await acme.member()
    const { status, body } = await conditional('GET', before)
    assert.equal(status, 200)
    assert.notEqual(`"${body.version}"`, before)
  })

  test('opens nothing: without the right to ask there is no 304', async () => {
    const answer = await core.request('GET', '/api/v1/authz/me', { headers: { 'if-none-match': '*' } })
    assert.equal(answer.status, 401)
    const unknown = await acme.owner.request('GET', `/authz/me?store_id=${newId()}`, {
      headers: { 'if-none-match': '*' },
    })
    assert.equal(unknown.status, 404)
  })
})
