import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'

const URL = '/stores'
const PARALLEL = 20
let t: TestCore

before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const post = (who: TestPerson, body: unknown) => who.post(URL, body)
const put = (who: TestPerson, id: string, body: unknown) => who.put(`${URL}/${id}`, body)
const remove = (who: TestPerson, id: string) => who.delete(`${URL}/${id}`)

interface Found {
  id: string
  name: string
  status: string
}

async function open(who: TestPerson, body: Record<string, unknown>): Promise<Found> {
  const answer = await post(who, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

async function defaultsOf(who: TestPerson): Promise<Found[]> {
  const { body } = await who.get(`${URL}?limit=100`)
  return body.data.filter((store: { is_default: boolean }) => store.is_default)
}

async function theDefault(who: TestPerson): Promise<Found> {
  const [store, another] = await defaultsOf(who)
  assert.ok(store && !another, 'there is one default store')
  return store
}

test('the default moves, in the records of both stores, when another one becomes it', async () => {
  const { owner, id: tenantId } = await t.foundTenant()
  const north = await open(owner, { name: 'North' })
  assert.equal((await put(owner, north.id, { is_default: true })).body.is_default, true)
  assert.equal((await theDefault(owner)).id, north.id)
  const south = await open(owner, { name: 'South', is_default: true })
  assert.equal((await theDefault(owner)).id, south.id)

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
  const { owner } = await t.foundTenant()
  const main = await theDefault(owner)
  const shut = await open(owner, { name: 'Shut', status: 'inactive' })
  const refusals = [
    await remove(owner, main.id),
    await put(owner, main.id, { status: 'inactive' }),
    await put(owner, main.id, { is_default: false }),
    await put(owner, shut.id, { is_default: true }),
    await post(owner, { name: 'New', is_default: true, status: 'inactive' }),
  ]
  assert.deepEqual(
    refusals.map(({ status, body }) => [status, body.code]),
    Array(refusals.length).fill([409, 'conflict']),
  )
  assert.equal((await put(owner, shut.id, { is_default: true, status: 'active' })).status, 200)
  assert.equal((await remove(owner, main.id)).status, 204)
})

test('the default is not for everybody to take who may change one store, or open stores', async () => {
  const shop = await t.foundTenant()
  const { owner } = shop
  const main = await theDefault(owner)
  const north = await open(owner, { name: 'North' })
  const manager = await shop.member({ permissions: ['store.update'], store: north.id })
  const opener = await shop.member({ permissions: ['store.create'] })
  for (const { status, body } of [
    await put(manager, north.id, { is_default: true }),
    await post(opener, { name: 'South', is_default: true }),
  ]) {
    assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', 'store.update'])
  }
  assert.equal((await theDefault(owner)).id, main.id)
  assert.equal((await put(manager, north.id, { is_default: false, phone: '1' })).status, 200)
  assert.equal((await post(opener, { name: 'South' })).status, 201)
})

test('after 20 parallel moves of the default, by PUT and by POST, one store has it', async () => {
  const { owner } = await t.foundTenant()
  const opened: Found[] = []
  for (let i = 0; i < PARALLEL / 2; i++) opened.push(await open(owner, { name: `Store ${i}` }))
  const answers = await Promise.all(
    opened.flatMap(({ id, name }) => [
      put(owner, id, { is_default: true }),
      post(owner, { name: `${name} too`, is_default: true }),
    ]),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 201]))
  await theDefault(owner)
})

test('a store that is deleted or closed while it becomes the default leaves the tenant with one', async () => {
  const { owner } = await t.foundTenant()
  for (let round = 0; round < 6; round++) {
    const { id } = await open(owner, { name: `Store ${round}` })
    const end = () => (round % 2 ? remove(owner, id) : put(owner, id, { status: 'inactive' }))
    const answers = await Promise.all([put(owner, id, { is_default: true }), end()])
    assert.equal(answers.filter(({ status }) => status < 300).length, 1, answers.map(({ text }) => text).join('\n'))
    assert.equal((await theDefault(owner)).status, 'active')
  }
})
