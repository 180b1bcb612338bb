import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { makeKey } from '../api-keys/api-keys.fixture.ts'
import { cursorOfNow, keyClient, makeStore, namesOf, pathOf, pullAll, rename } from './events.fixture.ts'

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
})
after(() => t.close())

describe('GET /events', () => {
  test('gives what happened from the beginning, oldest first, page by page', async () => {
    const after = await cursorOfNow(owner)
    const made = [await makeStore(owner), await makeStore(owner), await makeStore(owner)]
    const { body } = await owner.get(pathOf({ after, limit: '2' }))
    assert.deepEqual(
      namesOf(body.data),
      made.slice(0, 2).map(({ name }) => name),
    )
    const [first] = body.data
    const { data, ...rest } = first
    has(data, { id: made[0]?.id, tenant_id: tenant.id, name: made[0]?.name })
    assert.deepEqual(Object.keys(rest), ['id', 'type', 'timestamp', 'tenant_id', 'store_id', 'actor'])
    has(rest, { type: 'store.created', tenant_id: tenant.id, actor: { type: 'user', id: owner.userId } })
    const { body: second } = await owner.get(pathOf({ after: body.next_cursor, limit: '2' }))
    assert.deepEqual(namesOf(second.data), [made[2]?.name])
    const { body: third } = await owner.get(pathOf({ after: second.next_cursor }))
    assert.deepEqual(third, { data: [], next_cursor: second.next_cursor })
    const all = await pullAll(owner)
    assert.deepEqual(namesOf(all.events.slice(-3)), namesOf([...body.data, ...second.data]))
    assert.equal(all.cursor, third.next_cursor)
  })

  test('gives nothing but a cursor after now', async () => {
    const { body } = await owner.get('/events?after=now')
    assert.deepEqual([body.data, typeof body.next_cursor], [[], 'string'])
  })

  test('gives the id that the record of the same event has', async () => {
    const after = await cursorOfNow(owner)
    await makeStore(owner)
    const [event] = (await owner.get(pathOf({ after }))).body.data
    const { body } = await owner.get(`/audit/${event.id}`)
    assert.deepEqual([body.action, body.created_at], ['store.created', event.timestamp])
  })

  test('filters by names, patterns and store', async () => {
    const places = async (query: Record<string, string>) => ({ ...query, after: await cursorOfNow(owner, query) })
    const queries = await Promise.all(
      [
        { types: 'store.created' },
        { types: 'store.*' },
        { types: 'role.*, store.updated' },
        { types: '*' },
        { types: 'user.*' },
      ].map(places),
    )
    const store = await makeStore(owner)
    const inStore = await places({ store_id: store.id })
    await rename(owner, store.id)
    await owner.post('/roles', { name: 'Cook', permissions: [] })
    const typesOf = async (query: Record<string, string>) =>
      (await owner.get(pathOf(query))).body.data.map(({ type }: { type: string }) => type)
    assert.deepEqual(await Promise.all(queries.map(typesOf)), [
      ['store.created'],
      ['store.created', 'store.updated'],
      ['store.updated', 'role.created'],
      ['store.created', 'store.updated', 'role.created'],
      [],
    ])
    assert.deepEqual(await typesOf(inStore), ['store.updated'])
  })

  test('refuses names and patterns of nothing that goes out, and queries that are none', async () => {
    for (const types of ['', 'store.gone', 'shop.*', 'store.created,', 'store*', '*.created', 'store.created,x.y']) {
      const { status, body } = await owner.get(pathOf({ types }))
      assert.deepEqual(
        [status, body.errors?.map(({ pointer }: { pointer: string }) => pointer)],
        [400, ['query/types']],
        types,
      )
    }
    for (const [name, value] of Object.entries({ wait: '31', limit: '101', store_id: 'x', cursor: 'x' }))
      has(await owner.get(pathOf({ [name]: value })), { status: 400, body: { errors: [{ pointer: `query/${name}` }] } })
    assert.equal((await owner.get(pathOf({ wait: '-1' }))).status, 400)
  })

  test('is for whoever may follow: keys too, and nobody else', async () => {
    assert.equal((await t.request('GET', '/api/v1/events')).status, 401)
    const clerk = await tenant.member({ role: 'staff' })
    has(await clerk.get('/events'), { status: 403, body: { permission: 'event.view' } })
    const admin = await tenant.member({ role: 'admin' })
    assert.equal((await admin.get('/events')).status, 200)
    const [able, unable] = [await makeKey(owner, { scopes: ['event.view'] }), await makeKey(owner)]
    assert.equal((await keyClient(t, able.key).get('/events')).status, 200)
    has(await keyClient(t, unable.key).get('/events'), { status: 403, body: { code: 'scope_denied' } })
  })

  test('gives whoever sees some stores what happens in these', async () => {
    const [mine, other] = [await makeStore(owner), await makeStore(owner)]
    const clerk = await tenant.member({ permissions: ['event.view'], store: mine.id })
    const { key } = await makeKey(owner, { scopes: ['event.view'], store_ids: [mine.id] })
    const after = await cursorOfNow(owner)
    const names = [await rename(owner, mine.id), await rename(owner, other.id), await rename(owner, mine.id)]
    await owner.post('/roles', { name: 'Baker', permissions: [] })
    for (const client of [clerk, keyClient(t, key)]) {
      const { body } = await client.get(pathOf({ after }))
      assert.deepEqual(namesOf(body.data), [names[0], names[2]])
      const place = { store_id: other.id, after: await cursorOfNow(client, { store_id: other.id }) }
      assert.deepEqual((await client.get(pathOf({ store_id: other.id }))).body.data, [], JSON.stringify(place))
    }
  })

  test('is answered to HEAD at once', async () => {
    const head = await t.request('HEAD', `/api/v1${pathOf({ after: 'now', wait: '30' })}`, {
      token: await owner.token(),
    })
    assert.deepEqual([head.status, head.text], [200, ''])
    const refused = await t.request('HEAD', '/api/v1/events?after=x', { token: await owner.token() })
    assert.equal(refused.status, 400)
  })
})

describe('a look at the feed', () => {
  test('goes through so many events and no more, and says where to go on', async () => {
    const busy = await t.foundTenant()
    const { cursor: after } = await pullAll(busy.owner, { types: 'role.deleted' })
    await t.core.db.systemQuery(
      `with head as (update event_heads set position = position + 4500 where tenant_id = $1 returning position)
       insert into events (tenant_id, id, position, type, created_at, actor_type, actor_label, data)
       select $1, overlay(gen_random_uuid()::text placing substr(tenantry.uuid_at(now())::text, 1, 15) from 1 for 15)::uuid, position - 4500 + n,
         case when n = 4500 then 'role.deleted' else 'role.created' end, now(), 'system', 'system', '{"name": "Many"}'
       from head cross join generate_series(1, 4500) n`,
      [busy.id],
    )
    const looks: number[] = []
    let place = after
    for (let i = 0; i < 4; i++) {
      // Where the end was not reached nothing is waited for.
      const wait = i < 3 ? '30' : '0'
      const { body } = await busy.owner.get(pathOf({ types: 'role.deleted', after: place, wait }))
      looks.push(body.data.length)
      place = body.next_cursor
    }
    assert.deepEqual(looks, [0, 0, 1, 0])
  })
})
