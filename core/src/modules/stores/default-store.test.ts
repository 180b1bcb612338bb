import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { tenants } from '../tenants/index.ts'
import { found, signIn, tokenFor } from '../tenants/sign-in.fixture.ts'
import { users } from '../users/index.ts'
import { stores } from './index.ts'

const URL = '/api/v1/stores'
const PARALLEL = 20
let t: TestCore

before(async () => {
  t = await createTestCore({ modules: [users, tenants, stores, signIn] })
})
after(() => t.close())

const post = (token: string, body: unknown) => t.request('POST', URL, { token, body })
const put = (token: string, id: string, body: unknown) => t.request('PUT', `${URL}/${id}`, { token, body })
const remove = (token: string, id: string) => t.request('DELETE', `${URL}/${id}`, { token })

interface Found {
  id: string
  name: string
  status: string
}

async function open(token: string, body: Record<string, unknown>): Promise<Found> {
  const answer = await post(token, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

async function defaultsOf(token: string): Promise<Found[]> {
  const { body } = await t.request('GET', `${URL}?limit=100`, { token })
  return body.data.filter((store: { is_default: boolean }) => store.is_default)
}

async function theDefault(token: string): Promise<Found> {
  const [store, another] = await defaultsOf(token)
  assert.ok(store && !another, 'there is one default store')
  return store
}

test('the default moves, in the records of both stores, when another one becomes it', async () => {
  const { token, tenantId } = await found(t.core)
  const north = await open(token, { name: 'North' })
  assert.equal((await put(token, north.id, { is_default: true })).body.is_default, true)
  assert.equal((await theDefault(token)).id, north.id)
  const south = await open(token, { name: 'South', is_default: true })
  assert.equal((await theDefault(token)).id, south.id)

  const records = await t.core.run(
    (ctx) => {
      const all = ctx.tx.selectFrom('audit_logs').select(['action', 'new_values']).where('tenant_id', '=', tenantId)
      return all.where('resource_id', '=', north.id).orderBy('id').execute()
    },
    { tenantId },
  )
  assert.deepEqual(records.slice(1), [
    { action: 'store.updated', new_values: { is_default: true } },
    { action: 'store.updated', new_values: { is_default: false } },
  ])
})

test('the default store cannot be deleted, closed, opened closed, or given up without a successor', async () => {
  const { token } = await found(t.core)
  const main = await theDefault(token)
  const shut = await open(token, { name: 'Shut', status: 'inactive' })
  const refusals = [
    await remove(token, main.id),
    await put(token, main.id, { status: 'inactive' }),
    await put(token, main.id, { is_default: false }),
    await put(token, shut.id, { is_default: true }),
    await post(token, { name: 'New', is_default: true, status: 'inactive' }),
  ]
  assert.deepEqual(
    refusals.map(({ status, body }) => [status, body.code]),
    Array(refusals.length).fill([409, 'conflict']),
  )
  assert.equal((await put(token, shut.id, { is_default: true, status: 'active' })).status, 200)
  assert.equal((await remove(token, main.id)).status, 204)
})

test('the default is not for everybody to take who may change one store, or open stores', async () => {
  const { token, tenantId, userId } = await found(t.core)
  const main = await theDefault(token)
  const north = await open(token, { name: 'North' })
  const manager = tokenFor({ tenantId, userId, permissions: ['store.update'], storeId: north.id })
  const opener = tokenFor({ tenantId, userId, permissions: ['store.create'] })
  for (const { status, body } of [
    await put(manager, north.id, { is_default: true }),
    await post(opener, { name: 'South', is_default: true }),
  ]) {
    assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', 'store.update'])
  }
  assert.equal((await theDefault(token)).id, main.id)
  assert.equal((await put(manager, north.id, { is_default: false, phone: '1' })).status, 200)
  assert.equal((await post(opener, { name: 'South' })).status, 201)
})

test('after 20 parallel moves of the default, by PUT and by POST, one store has it', async () => {
  const { token } = await found(t.core)
  const opened: Found[] = []
  for (let i = 0; i < PARALLEL / 2; i++) opened.push(await open(token, { name: `Store ${i}` }))
  const answers = await Promise.all(
    opened.flatMap(({ id, name }) => [
      put(token, id, { is_default: true }),
      post(token, { name: `${name} too`, is_default: true }),
    ]),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 201]))
  await theDefault(token)
})

test('a store that is deleted or closed while it becomes the default leaves the tenant with one', async () => {
  const { token } = await found(t.core)
  for (let round = 0; round < 6; round++) {
    const { id } = await open(token, { name: `Store ${round}` })
    const end = () => (round % 2 ? remove(token, id) : put(token, id, { status: 'inactive' }))
    const answers = await Promise.all([put(token, id, { is_default: true }), end()])
    assert.equal(answers.filter(({ status }) => status < 300).length, 1, answers.map(({ text }) => text).join('\n'))
    assert.equal((await theDefault(token)).status, 'active')
  }
})
