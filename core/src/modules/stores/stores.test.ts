import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'

const URL = '/stores'
const PARALLEL = 20
let t: TestCore

before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const get = (who: TestPerson, path = '') => who.get(`${URL}${path}`)
const post = (who: TestPerson, body: unknown) => who.post(URL, body)
const put = (who: TestPerson, path: string, body: unknown) => who.put(`${URL}${path}`, body)
const remove = (who: TestPerson, id: string) => who.delete(`${URL}/${id}`)

async function open(who: TestPerson, body: Record<string, unknown>) {
  const answer = await post(who, body)
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

async function mainStore(who: TestPerson) {
  return (await get(who, '?q=MAIN')).body.data[0]
}

/** The records of one store, oldest first: what happened, and which fields differ. */
function historyOf(tenantId: string, storeId: string) {
  return t.core.run(
    (ctx) =>
      ctx.tx
        .selectFrom('audit_logs')
        .select(['action', 'old_values', 'new_values', 'store_id'])
        .where('tenant_id', '=', tenantId)
        .where('resource_id', '=', storeId)
        .orderBy('id')
        .execute(),
    { tenantId },
  )
}

const pointers = (body: { errors: { pointer: string }[] }) => body.errors.map(({ pointer }) => pointer).sort()

describe('a store', () => {
  test('a new tenant has one, Main, which is the default', async () => {
    const { owner, id: tenantId } = await t.foundTenant()
    const { body } = await get(owner)
    assert.equal(body.data.length, 1)
    const { name, code, is_default, status, tenant_id } = body.data[0]
    assert.deepEqual(
      { name, code, is_default, status, tenant_id },
      { name: 'Main', code: 'MAIN', is_default: true, status: 'active', tenant_id: tenantId },
    )
  })

  test('is opened, read, changed and deleted, each step recorded once', async () => {
    const { owner, id: tenantId } = await t.foundTenant()
    const created = await post(owner, { name: '  North ', code: 'nr-1', phone: '+41 44 1', timezone: 'Europe/Zurich' })
    assert.equal(created.status, 201)
    const { id } = created.body
    assert.equal(created.headers.location, `/api/v1${URL}/${id}`)
    assert.equal(created.body.name, 'North')
    assert.equal(created.body.code, 'NR-1')
    assert.deepEqual((await get(owner, `/${id}`)).body, created.body)

    const changed = await put(owner, `/${id}`, { phone: null, email: 'north@example.com' })
    assert.equal(changed.status, 200)
    const { updated_at } = changed.body
    assert.deepEqual(changed.body, { ...created.body, phone: null, email: 'north@example.com', updated_at })

    assert.equal((await remove(owner, id)).status, 204)
    assert.equal((await get(owner, `/${id}`)).status, 404)
    assert.equal((await remove(owner, id)).status, 404)

    const history = await historyOf(tenantId, id)
    assert.deepEqual(
      history.map(({ action, store_id }) => [action, store_id]),
      [
        ['store.created', id],
        ['store.updated', id],
        ['store.deleted', id],
      ],
    )
    assert.deepEqual(history[1]?.old_values, { phone: '+41 44 1', email: null })
    assert.deepEqual(history[1]?.new_values, { phone: null, email: 'north@example.com' })
  })

  test('a PUT merges the address, clears by null, and records nothing when nothing differs', async () => {
    const { owner, id: tenantId } = await t.foundTenant()
    const { id, ...first } = await open(owner, { name: 'North', address: { line1: 'Weg 1', city: 'Bern' } })
    const none = { line1: null, line2: null, city: null, region: null, postal_code: null, country: null }
    assert.deepEqual(first.address, { ...none, line1: 'Weg 1', city: 'Bern' })

    const merged = await put(owner, `/${id}`, { address: { country: 'CH', line1: null } })
    assert.deepEqual(merged.body.address, { ...none, city: 'Bern', country: 'CH' })
    const same = await put(owner, `/${id}`, { address: { city: 'Bern' }, name: 'North', status: 'active' })
    assert.deepEqual(same.body, merged.body)
    assert.deepEqual((await put(owner, `/${id}`, {})).body, merged.body)
    assert.equal((await put(owner, `/${id}`, { address: null })).body.address, null)
    assert.equal((await historyOf(tenantId, id)).length, 3)
  })

  test('gets its code from its name, with a random ending when that is taken', async () => {
    const { owner } = await t.foundTenant()
    assert.equal((await open(owner, { name: 'Café Zürich, am Großmünster' })).code, 'CAFE-ZURICH-AM-GROSS')
    assert.equal((await open(owner, { name: 'St. Gallen' })).code, 'ST-GALLEN')
    assert.match((await open(owner, { name: 'St Gallen' })).code, /^ST-GALLEN-[A-Z0-9]{4}$/)
    assert.match((await open(owner, { name: 'Café Zürich, am Großen Platz' })).code, /^CAFE-ZURICH-AM-[A-Z0-9]{4}$/)
    assert.match((await open(owner, { name: '北京' })).code, /^STORE-[A-Z0-9]{4}$/)
  })

  test('shares neither name nor code with another one of the tenant, but may with those of other tenants', async () => {
    const { owner } = await t.foundTenant()
    const north = await open(owner, { name: 'Café Nord', code: 'NORD' })
    const refusals = [
      await post(owner, { name: 'CAFÉ NORD' }),
      await post(owner, { name: 'Café Nord'.normalize('NFD'), code: 'OTHER' }),
      await post(owner, { name: 'Another', code: 'nord' }),
    ]
    const other = await open(owner, { name: 'Other', code: 'OTHER' })
    refusals.push(
      await put(owner, `/${other.id}`, { name: 'café nord' }),
      await put(owner, `/${other.id}`, { code: 'NORD' }),
    )
    const seen = refusals.map(({ status, body }) => [status, body.code, body.errors[0].pointer])
    const fields = ['#/name', '#/name', '#/code', '#/name', '#/code']
    assert.deepEqual(
      seen,
      fields.map((field) => [409, 'name_taken', field]),
    )
    assert.equal((await put(owner, `/${north.id}`, { name: 'CAFÉ NORD', code: 'nord' })).status, 200)

    const { owner: elsewhere } = await t.foundTenant()
    await open(elsewhere, { name: 'Café Nord', code: 'NORD' })
  })

  test('bad input is refused with every wrong field named', async () => {
    const { owner } = await t.foundTenant()
    const bad = {
      name: ' \t',
      code: 'a b',
      status: 'closed',
      address: { country: 'ch', street: 'x' },
      phone: '',
      email: 'nobody',
      timezone: '+02:00',
      is_default: 'yes',
      color: 'red',
    }
    const expected = [
      '#/address/country',
      '#/address/street',
      '#/code',
      '#/color',
      '#/email',
      '#/is_default',
      '#/name',
      '#/phone',
      '#/status',
      '#/timezone',
    ]
    const created = await post(owner, bad)
    assert.equal(created.body.code, 'invalid_request')
    assert.deepEqual([...new Set(pointers(created.body))], expected)
    const { id } = await mainStore(owner)
    assert.deepEqual([...new Set(pointers((await put(owner, `/${id}`, bad)).body))], expected)
    assert.deepEqual(pointers((await post(owner, {})).body), ['#/name'])
    assert.equal((await put(owner, `/${id}`, { name: null })).status, 400)
    assert.equal((await post(owner, { name: 'x'.repeat(201) })).status, 400)
    assert.equal((await post(owner, { name: '🏪'.repeat(200) })).status, 201)
    assert.equal((await get(owner)).body.data.length, 2)
  })

  test('of 20 parallel creations of one name, one is there', async () => {
    const { owner } = await t.foundTenant()
    const names = Array.from({ length: PARALLEL }, (_, i) => (i % 2 ? 'North' : 'NORTH'))
    const answers = await Promise.all(names.map((name) => post(owner, { name })))
    const statuses = answers.map(({ status, body }) => (status === 201 ? 'made' : `${status} ${body.code}`)).sort()
    assert.deepEqual(statuses, [...Array(PARALLEL - 1).fill('409 name_taken'), 'made'])
    assert.equal((await get(owner)).body.data.length, 2)
  })

  test('of 20 parallel creations of names that make one code, all are there with codes of their own', async () => {
    const { owner } = await t.foundTenant()
    const answers = await Promise.all(
      Array.from({ length: PARALLEL }, (_, i) => post(owner, { name: `North${'.'.repeat(i)}` })),
    )
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
    assert.equal(new Set(answers.map(({ body }) => body.code)).size, PARALLEL)
  })
})

describe('settings of a store', () => {
  test('are empty at first; a PUT merges the days, replaces extra, clears by null, and is recorded when it changes something', async () => {
    const { owner, id: tenantId } = await t.foundTenant()
    const { id, created_at } = await open(owner, { name: 'North', timezone: 'Europe/Zurich' })
    const path = `/${id}/settings`
    const empty = {
      tenant_id: tenantId,
      id,
      timezone: 'Europe/Zurich',
      currency: null,
      opening_hours: null,
      receipt_header: null,
      receipt_footer: null,
      extra: {},
      created_at,
    }
    const { updated_at, ...first } = (await get(owner, path)).body
    assert.deepEqual(first, empty)

    const day = [{ open: '09:00', close: '18:30' }]
    await put(owner, path, { opening_hours: { monday: day }, extra: { a: 1 }, timezone: 'Asia/Tokyo' })
    const { body } = await put(owner, path, {
      opening_hours: { friday: day },
      extra: { b: { c: null } },
      currency: 'CHF',
    })
    const closed = { tuesday: [], wednesday: [], thursday: [], saturday: [], sunday: [] }
    assert.deepEqual(body.opening_hours, { ...closed, monday: day, friday: day })
    assert.deepEqual(body.extra, { b: { c: null } })
    assert.equal((await get(owner, `/${id}`)).body.timezone, 'Asia/Tokyo')

    assert.deepEqual((await put(owner, path, { currency: 'CHF', extra: { b: { c: null } } })).body, body)
    assert.equal((await put(owner, path, { opening_hours: null })).body.opening_hours, null)
    const actions = (await historyOf(tenantId, id)).map(({ action }) => action)
    assert.deepEqual(actions, ['store.created', ...Array(3).fill('store_settings.updated')])
  })

  test('bad ones are refused by name', async () => {
    const { owner } = await t.foundTenant()
    const { id } = await mainStore(owner)
    const { status, body } = await put(owner, `/${id}/settings`, {
      timezone: 'Mars/Olympus',
      currency: 'EURO',
      opening_hours: { monday: [{ open: '24:00', close: '25' }], someday: [] },
      receipt_footer: 5,
      extra: [],
      theme: 'dark',
    })
    assert.equal(status, 400)
    const fields = [...new Set(pointers(body).map((pointer) => pointer.split('/').slice(0, 3).join('/')))]
    const hours = ['#/opening_hours/monday', '#/opening_hours/someday']
    assert.deepEqual(fields, ['#/currency', '#/extra', ...hours, '#/receipt_footer', '#/theme', '#/timezone'])
    const large = { extra: { text: 'x'.repeat(64 * 1024) } }
    assert.deepEqual(pointers((await put(owner, `/${id}/settings`, large)).body), ['#/extra'])
    const fitting = { extra: { text: 'x'.repeat(64 * 1024 - '{"text":""}'.length) } }
    assert.equal((await put(owner, `/${id}/settings`, fitting)).status, 200)
  })
})
