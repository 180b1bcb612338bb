import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { MINUTES, newId } from '#kernel'
import { login, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { addMember } from './added-members.ts'

let core: TestCore
let owner: Person
let nobody: Person

before(async () => {
  core = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' } })
  owner = await register(core, { tenant_name: 'Acme' })
  nobody = await addMember(core, owner)
})
after(() => core.close())
// Tokens last longer than the few minutes that pass here.
beforeEach(() => core.clock.advance(MINUTES + 1))

interface Refusal {
  tenant_id: string
  actor_id: string
  actor_label: string
  store_id: string | null
  resource_label: string
  request_id: string
  new_values: Record<string, unknown>
}

const listRefusals = () =>
  core.core.db.systemQuery<Refusal>("select * from audit_logs where action = 'access.denied' order by id")

/** The refusals that are recorded while something is done. */
async function refusalsOf(work: () => Promise<unknown>): Promise<Refusal[]> {
  const before = (await listRefusals()).length
  await work()
  return (await listRefusals()).slice(before)
}

const refused = async (method: string, path: string, { token }: Person, headers = {}, body?: object) => {
  const answer = await core.request(method, `/api/v1${path}`, { token, headers, ...(body ? { body } : {}) })
  assert.equal(answer.status, 403, answer.text)
  return answer
}

test('a refused permission is recorded with who asked for what', async () => {
  const headers = { 'x-request-id': 'refused-one' }
  const [record, ...others] = await refusalsOf(() => refused('GET', `/roles/${newId()}`, nobody, headers))
  assert.deepEqual(others, [])
  assert.deepEqual(record?.new_values, {
    code: 'permission_denied',
    method: 'GET',
    route: '/api/v1/roles/:id',
    permission: 'role.view',
  })
  assert.deepEqual(
    [record.tenant_id, record.actor_id, record.actor_label, record.resource_label, record.request_id],
    [owner.tenantId, nobody.userId, 'Max Member', 'GET /api/v1/roles/:id', 'refused-one'],
  )
})

test('so is a store, which is not named: it may be somebody else’s', async () => {
  const headers = { 'x-store-id': newId() }
  const [record] = await refusalsOf(() => refused('GET', '/stores', owner, headers))
  assert.deepEqual([record?.new_values.code, record?.store_id], ['store_access_denied', null])
  assert.ok(!JSON.stringify(record).includes(headers['x-store-id']))
})

test('so is what an operation refuses, though its own work is rolled back', async () => {
  const roles = await core.request('GET', '/api/v1/roles?limit=100', { token: owner.token })
  const idOf = (wanted: string) => roles.body.data.find(({ name }: { name: string }) => name === wanted).id
  const admin = await addMember(core, owner, [{ role_id: idOf('admin') }])
  const path = `/users/${nobody.userId}/roles`
  const records = await refusalsOf(() => refused('POST', path, admin, {}, { role_id: idOf('owner') }))
  assert.deepEqual(
    records.map(({ actor_id, new_values }) => [actor_id, new_values.route]),
    [[admin.userId, '/api/v1/users/:id/roles']],
  )
})

test('however often it is repeated, once a minute for each person and route', async () => {
  const ask = () => refused('GET', `/roles/${newId()}`, nobody)
  const records = await refusalsOf(() => Promise.all(Array.from({ length: 20 }, ask)))
  assert.equal(records.length, 1)
  assert.equal((await refusalsOf(() => refused('GET', '/roles', nobody))).length, 1)
  assert.equal((await refusalsOf(ask)).length, 0)
  core.clock.advance(MINUTES)
  assert.equal((await refusalsOf(ask)).length, 1)
  core.clock.advance(-60 * MINUTES)
  // A session of a time that is yet to come is worth nothing: they have to sign in anew.
  const token = (await login(core, nobody.email)).body.access_token
  const again = () => refused('GET', `/roles/${newId()}`, { ...nobody, token })
  assert.equal((await refusalsOf(again)).length, 1, 'the clock was set back')
  core.clock.advance(60 * MINUTES)
})

test('outside of a tenant, and for other errors, nothing is', async () => {
  const leaver = await addMember(core, owner)
  await core.request('DELETE', `/api/v1/users/${leaver.userId}`, { token: owner.token })
  const token = (await login(core, leaver.email)).body.access_token
  const records = await refusalsOf(async () => {
    await refused('GET', '/stores', { ...leaver, token })
    await core.request('GET', `/api/v1/stores/${newId()}`, { token: owner.token })
    await core.request('GET', '/api/v1/stores?limit=0', { token: nobody.token })
    await core.request('GET', '/api/v1/stores')
  })
  assert.deepEqual(records, [])
})

test('by a route of operators, it is in the log of the installation, also outside of a tenant, once a minute', async () => {
  const logged = () =>
    core.core.db.systemQuery<Omit<Refusal, 'tenant_id'>>(
      "select * from global_audit_logs where action = 'access.denied' order by id",
    )
  const alone = await core.addPerson('Ann Alone')
  const support = await core.addOperator(['support'])
  const { key } = (
    await core.request('POST', '/api/v1/api-keys', {
      token: owner.token,
      body: { name: 'Key', scopes: ['store.view'] },
    })
  ).body
  const path = `/admin/tenants/${owner.tenantId}/suspend`
  const tokens = [owner.token, await alone.token(), await support.token(), key]
  const own = await refusalsOf(async () => {
    for (const token of tokens)
      await Promise.all(
        Array.from({ length: 20 }, () => refused('POST', path, { ...owner, token }, {}, { reason: 'Mine' })),
      )
  })
  assert.deepEqual(own, [])
  const records = await logged()
  assert.deepEqual(records.map(({ actor_id }) => actor_id).slice(0, 3), [owner.userId, alone.userId, support.userId])
  assert.equal(records.length, tokens.length)
  assert.deepEqual(records[0]?.new_values, {
    code: 'permission_denied',
    method: 'POST',
    route: '/api/v1/admin/tenants/:id/suspend',
    permission: null,
  })
  assert.ok(!JSON.stringify(records).includes('Mine'))
})

test('an answer does not depend on whether it could be recorded', async () => {
  const { db } = core.core
  const stop = db.observe((sql) => {
    if (sql.startsWith('insert into "audit_logs"')) throw new Error('the disk is full')
  })
  const before = core.logs.length
  await refused('GET', '/roles', nobody)
  stop()
  assert.equal((await refusalsOf(() => refused('GET', '/roles', nobody))).length, 1, 'the next one is recorded')
  assert.ok(core.logs.slice(before).some((line) => line.includes('a refusal could not be recorded')))
})
