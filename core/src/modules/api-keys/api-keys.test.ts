import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, fromNow, newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { asKey, makeKey, outcome, pointersOf, recordsOf } from './api-keys.fixture.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const addStore = async (who = tenant.owner) => (await who.post('/stores', { name: `Store ${newId()}` })).body.id

describe('a new key', () => {
  test('is shown whole once, and never again', async () => {
    const { id, key, body } = await makeKey(tenant.owner, { name: ' Till  one ' })
    has(body, {
      tenant_id: tenant.id,
      name: 'Till one',
      key_prefix: key.slice(8, 16),
      scopes: ['store.view'],
      store_ids: null,
      allowed_cidrs: null,
      rate_limit_per_minute: null,
      last_used_at: null,
      last_used_ip: null,
      expires_at: null,
      revoked_at: null,
      replaces_id: null,
      created_by: tenant.owner.userId,
    })
    const read = await tenant.owner.get(`/api-keys/${id}`)
    const { key: _, ...shown } = body
    assert.deepEqual(read.body, shown)
    const list = await tenant.owner.get('/api-keys')
    assert.deepEqual(list.body.data[0], shown)
  })

  test('stands nowhere as it is: not in a row, not in a log, not among kept answers', async () => {
    const { id, key } = await makeKey(tenant.owner)
    assert.equal(await outcome(t, key), '200')
    assert.equal(await outcome(t, `${key}x`), '401 invalid_api_key')
    await tenant.owner.put(`/api-keys/${id}`, { name: 'Renamed' })
    await tenant.owner.delete(`/api-keys/${id}`)
    const secret = key.slice(17)
    const { rows } = await dumpOf(t)
    assert.ok(rows.some((row) => row.includes(id)))
    assert.deepEqual(
      rows.filter((row) => row.includes(secret)),
      [],
    )
    assert.deepEqual(
      t.logs.filter((line) => line.includes(secret)),
      [],
    )
  })

  test('takes no Idempotency-Key: a repetition makes another one', async () => {
    const send = () =>
      tenant.owner.request('POST', '/api-keys', {
        body: { name: 'Twice', scopes: ['store.view'] },
        headers: { 'idempotency-key': 'one' },
      })
    const [first, second] = [await send(), await send()]
    assert.deepEqual([first.status, second.status], [201, 201])
    assert.notEqual(first.body.key, second.body.key)
  })

  test('is refused with all that is wrong at once', async () => {
    const other = await (await t.foundTenant()).owner.get('/stores')
    const answer = await tenant.owner.post('/api-keys', {
      name: 'Wrong',
      scopes: ['store.view', 'store.nothing', 'user.create', 'store.create'],
      store_ids: [newId(), other.body.data[0].id, await addStore()],
      allowed_cidrs: ['10.0.0.0/8', '10.0.0.0/33', 'home'],
      expires_at: fromNow(t.clock, -1),
    })
    assert.equal(answer.status, 400)
    assert.deepEqual(pointersOf(answer), [
      '#/allowed_cidrs/1',
      '#/allowed_cidrs/2',
      '#/expires_at',
      '#/scopes/1',
      '#/scopes/2',
      '#/scopes/3',
      '#/store_ids/0',
      '#/store_ids/1',
    ])
  })

  test('has its lists in their one form', async () => {
    const store = await addStore()
    const { body } = await makeKey(tenant.owner, {
      scopes: ['store.view', 'store.update', 'store.view'],
      store_ids: [store.toUpperCase(), store],
      allowed_cidrs: ['10.1.2.3/8', '10.0.0.0/8', '2001:DB8::/32', '192.0.2.1'],
    })
    assert.deepEqual(body.scopes, ['store.update', 'store.view'])
    assert.deepEqual(body.store_ids, [store])
    assert.deepEqual(body.allowed_cidrs.sort(), ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32'])
  })

  test('holds no more than its maker, in the whole tenant or in each of its stores', async () => {
    const [mine, other] = [await addStore(), await addStore()]
    const permissions = ['api_key.create', 'store.view']
    const maker = await tenant.member({ permissions })
    const refused = await maker.post('/api-keys', {
      name: 'More',
      scopes: ['store.view', 'store.update', 'tenant.view'],
    })
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.permission],
      [403, 'permission_denied', 'store.update'],
    )
    const role = await tenant.owner.post('/roles', {
      name: `R ${newId()}`,
      scope: 'store',
      permissions: ['store.update'],
    })
    await tenant.owner.post(`/users/${maker.userId}/roles`, { role_id: role.body.id, store_id: mine })
    const wish = { name: 'In one', scopes: ['store.view', 'store.update'] }
    assert.equal((await maker.post('/api-keys', { ...wish, store_ids: [mine] })).status, 201)
    assert.equal((await maker.post('/api-keys', { ...wish, store_ids: [mine, other] })).status, 403)
    assert.equal((await maker.post('/api-keys', wish)).status, 403)
  })

  test('is made, changed, replaced and imported by people alone', async () => {
    const scopes = ['api_key.view', 'api_key.delete']
    const { id, key } = await makeKey(tenant.owner, { scopes })
    for (const scope of ['api_key.create', 'api_key.update']) {
      const answer = await tenant.owner.post('/api-keys', { name: 'X', scopes: [scope] })
      assert.deepEqual([answer.status, pointersOf(answer)], [400, ['#/scopes/0']])
    }
    const body = { name: 'Successor', scopes: ['store.view'] }
    for (const [method, path] of [
      ['POST', '/api-keys'],
      ['PUT', `/api-keys/${id}`],
    ] as const) {
      // words of the request
      const answer = await asKey(t, key, method, path, { body })
      assert.deepEqual([answer.status, answer.body.code], [403, 'scope_denied'], path)
    }
    assert.equal(await outcome(t, key, `/api-keys/${id}`), '200')
    assert.equal(await outcome(t, key, `/api-keys/${id}`, 'DELETE'), '204')
    assert.equal(await outcome(t, key, `/api-keys/${id}`), '401 invalid_api_key')
  })
})

describe('a list of keys', () => {
  test('is searched, and shows those that have ended apart', async () => {
    const { owner } = await t.foundTenant({ plan: 'business' })
    const [one, two, gone] = [
      await makeKey(owner, { name: 'Alpha 50%' }),
      await makeKey(owner, { name: 'Beta', expires_at: fromNow(t.clock, DAYS) }),
      await makeKey(owner, { name: 'Gone' }),
    ]
    await owner.delete(`/api-keys/${gone.id}`)
    const ids = async (query: string) =>
      (await owner.get(`/api-keys?${query}`)).body.data.map(({ id }: { id: string }) => id)
    assert.deepEqual(await ids(''), [gone.id, two.id, one.id])
    assert.deepEqual(await ids('q=50%25'), [one.id])
    assert.deepEqual(await ids(`q=${one.key.slice(8, 16)}`), [one.id])
    assert.deepEqual(await ids('status=active'), [two.id, one.id])
    assert.deepEqual(await ids('status=ended'), [gone.id])
    t.clock.advance(2 * DAYS)
    assert.deepEqual(await ids('status=ended'), [gone.id, two.id])
  })
})

describe('a change of a key', () => {
  test('touches what it names, clears with null, and is recorded once', async () => {
    const store = await addStore()
    const { id } = await makeKey(tenant.owner, { store_ids: [store], rate_limit_per_minute: 5 })
    const change = { name: 'New', rate_limit_per_minute: 7, expires_at: fromNow(t.clock, DAYS), allowed_cidrs: ['::1'] }
    const answer = await tenant.owner.put(`/api-keys/${id}`, change)
    has(answer.body, { ...change, allowed_cidrs: ['::1/128'], store_ids: [store], scopes: ['store.view'] })
    const cleared = { rate_limit_per_minute: null, expires_at: null, allowed_cidrs: null, store_ids: null }
    has((await tenant.owner.put(`/api-keys/${id}`, cleared)).body, { ...cleared, name: 'New' })
    await tenant.owner.put(`/api-keys/${id}`, cleared)
    await tenant.owner.put(`/api-keys/${id}`, {})
    const records = await recordsOf(tenant, id)
    assert.deepEqual(
      records.map(({ action }) => action),
      ['api_key.created', 'api_key.updated', 'api_key.updated'],
    )
    assert.deepEqual(Object.keys(records[2]?.new_values ?? {}).sort(), Object.keys(cleared).sort())
  })

  test('is in force at the next request', async () => {
    const { id, key } = await makeKey(tenant.owner)
    assert.equal(await outcome(t, key), '200')
    await tenant.owner.put(`/api-keys/${id}`, { scopes: ['role.view'] })
    assert.equal(await outcome(t, key), '403 scope_denied')
    assert.equal(await outcome(t, key, '/roles'), '200')
  })

  test('widens nothing beyond the rights of whoever changes it, and may always narrow', async () => {
    const [mine, other] = [await addStore(), await addStore()]
    const { id, key } = await makeKey(tenant.owner, {
      scopes: ['store.view', 'store.update'],
      store_ids: [mine, other],
    })
    const changer = await tenant.member({ permissions: ['api_key.update', 'role.view'] })
    const put = async (body: object) => (await changer.put(`/api-keys/${id}`, body)).status
    assert.equal(await put({ store_ids: null }), 403)
    assert.equal(await put({ scopes: ['store.view', 'user.view'] }), 403)
    assert.equal(await put({ scopes: ['store.view', 'store_settings.view'] }), 403)
    assert.equal(await put({ store_ids: [mine, other, await addStore()] }), 403)
    assert.equal(await put({ scopes: ['store.view', 'role.view'], store_ids: [mine] }), 200)
    assert.equal(await outcome(t, key, `/stores/${mine}`), '200')
    assert.equal(await outcome(t, key, `/stores/${other}`), '404 not_found')
    assert.equal(await put({ store_ids: [mine, other] }), 403)
  })

  test('checks what it names alone, though a store is gone meanwhile', async () => {
    const [mine, gone] = [await addStore(), await addStore()]
    const { id, key } = await makeKey(tenant.owner, { store_ids: [mine, gone] })
    await tenant.owner.delete(`/stores/${gone}`)
    assert.equal((await tenant.owner.put(`/api-keys/${id}`, { name: 'Still' })).status, 200)
    assert.equal((await tenant.owner.put(`/api-keys/${id}`, { scopes: ['store.view', 'role.view'] })).status, 200)
    assert.equal(await outcome(t, key, `/stores/${mine}`), '200')
    const tenantScope = await tenant.owner.put(`/api-keys/${id}`, { scopes: ['tenant.view'] })
    assert.deepEqual(pointersOf(tenantScope), ['#/scopes/0'])
    const whole = await makeKey(tenant.owner, { scopes: ['tenant.view'] })
    const narrowed = await tenant.owner.put(`/api-keys/${whole.id}`, { store_ids: [mine] })
    assert.deepEqual(pointersOf(narrowed), ['#/store_ids'])
  })

  test('of one that was revoked is refused', async () => {
    const { id } = await makeKey(tenant.owner)
    await tenant.owner.delete(`/api-keys/${id}`)
    const answer = await tenant.owner.put(`/api-keys/${id}`, { name: 'Back' })
    assert.deepEqual([answer.status, answer.body.code], [409, 'conflict'])
  })
})

describe('a revoked key', () => {
  test('is refused at once, stays to be read, and is revoked once', async () => {
    const { id, key } = await makeKey(tenant.owner)
    assert.equal(await outcome(t, key), '200')
    assert.equal((await tenant.owner.delete(`/api-keys/${id}`)).status, 204)
    assert.equal(await outcome(t, key), '401 invalid_api_key')
    const { body } = await tenant.owner.get(`/api-keys/${id}`)
    assert.equal(typeof body.revoked_at, 'string')
    assert.equal((await tenant.owner.delete(`/api-keys/${id}`)).status, 204)
    assert.deepEqual((await tenant.owner.get(`/api-keys/${id}`)).body, body)
    const actions = (await recordsOf(tenant, id)).map(({ action }) => action)
    assert.deepEqual(actions, ['api_key.created', 'api_key.revoked'])
  })
})

describe('the limit of the plan', () => {
  test('counts keys that may be used, and 402 says so', async () => {
    const { owner } = await t.foundTenant({ plan: 'free' })
    const [first] = [await makeKey(owner), await makeKey(owner, { expires_at: fromNow(t.clock, DAYS) })]
    const full = await owner.post('/api-keys', { name: 'Third', scopes: ['store.view'] })
    assert.deepEqual([full.status, full.body.code, full.body.limit], [402, 'plan_limit_reached', 'api_keys'])
    await owner.delete(`/api-keys/${first.id}`)
    await makeKey(owner)
    t.clock.advance(2 * DAYS)
    await makeKey(owner)
  })

  test('is asked when an expired key is to live again', async () => {
    const { owner } = await t.foundTenant({ plan: 'free' })
    const { id, key } = await makeKey(owner, { expires_at: fromNow(t.clock, DAYS) })
    t.clock.advance(2 * DAYS)
    assert.equal(await outcome(t, key), '401 invalid_api_key')
    const [other] = [await makeKey(owner), await makeKey(owner)]
    const later = { expires_at: fromNow(t.clock, DAYS) }
    assert.equal((await owner.put(`/api-keys/${id}`, later)).status, 402)
    await owner.delete(`/api-keys/${other.id}`)
    assert.equal((await owner.put(`/api-keys/${id}`, later)).status, 200)
    assert.equal(await outcome(t, key), '200')
  })
})

/** Every row of every table, as text. */
async function dumpOf({ core }: TestCore): Promise<{ rows: string[] }> {
  const tables = await core.db.systemQuery<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'core'::regnamespace and relkind in ('r', 'p') and not relispartition",
  )
  const rows: string[] = []
  for (const { name } of tables)
    rows.push(
      ...(await core.db.systemQuery<{ text: string }>(`select to_jsonb(t)::text as text from "${name}" t`)).map(
        ({ text }) => text,
      ),
    )
  return { rows }
}
