import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { tidyMonths } from '../../kernel/db/months.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { makeKey } from '../api-keys/api-keys.fixture.ts'
import { cursorOfNow, keyClient, makeOld, makeStore, namesOf, pathOf, pullAll } from './events.fixture.ts'

let t: TestCore
let tenant: TestTenant
let owner: TestPerson
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
})
after(() => t.close())

const refused = { status: 400, body: { code: 'invalid_cursor' } }

describe('a cursor', () => {
  test('goes with any key of the tenant, and with another limit and wait', async () => {
    const after = await cursorOfNow(owner)
    const { name } = await makeStore(owner)
    const { key } = await makeKey(owner, { scopes: ['event.view'] })
    const { body } = await keyClient(t, key).get(pathOf({ after, limit: '7', wait: '3' }))
    assert.deepEqual(namesOf(body.data), [name])
  })

  test('goes with the same filters however they are spelled, and with no others', async () => {
    const store = await makeStore(owner)
    const query = { types: 'store.*,role.created', store_id: store.id }
    const after = await cursorOfNow(owner, query)
    for (const [types, store_id] of [
      ['role.created, store.*', store.id.toUpperCase()],
      ['store.*,role.created,store.*', store.id],
    ] as const)
      assert.equal((await owner.get(pathOf({ types, store_id, after }))).status, 200, types)
    const others: Record<string, string>[] = [
      {},
      { types: query.types },
      { store_id: store.id },
      { ...query, types: 'store.*' },
      { ...query, store_id: tenant.id },
    ]
    for (const other of others) has(await owner.get(pathOf({ ...other, after })), refused)
    const all = await cursorOfNow(owner)
    assert.equal((await owner.get(pathOf({ types: '*', after: all }))).status, 200)
  })

  test('of another tenant or another list, one that was changed, and what is none, is refused', async () => {
    const after = await cursorOfNow(owner)
    const other = await t.foundTenant()
    has(await other.owner.get(pathOf({ after })), refused)
    await makeStore(owner)
    const { next_cursor: ofStores } = (await owner.get('/stores?limit=1')).body
    for (const wrong of [ofStores, '', 'x', 'NOW', `${after}A`, after.slice(0, -1), `B${after.slice(1)}`, '%00é'])
      has(await owner.get(pathOf({ after: wrong })), refused, wrong)
  })

  test('of a place that the feed does not have any more is refused', async () => {
    const { id, owner } = await t.foundTenant()
    await makeStore(owner)
    const after = await cursorOfNow(owner)
    await t.core.db.systemQuery('update event_heads set position = position - 1 where tenant_id = $1', [id])
    const { status, body } = await owner.get(pathOf({ after }))
    has({ status, body }, refused)
    // Not what is said of events that are gone: with the next one there would be something behind this cursor.
    assert.match(body.detail, /no such place/)
  })
})

describe('events of a month that is over for longer than 30 days', () => {
  test('are gone; a cursor before them is refused with a reason, and never passes them over', async () => {
    const aged = await t.foundTenant({ plan: 'business' })
    const { owner } = aged
    await makeStore(owner)
    await makeStore(owner)
    const { body: first } = await owner.get('/events?limit=1')
    const [last] = (await pullAll(owner)).events.slice(-1)
    const behind = await cursorOfNow(owner)
    const [{ position = 0 } = {}] = await t.core.db.systemQuery<{ position?: number }>(
      'select position from event_heads where tenant_id = $1',
      [aged.id],
    )
    await makeOld(t, aged, position - 1)
    assert.equal((await owner.get(pathOf({ after: first.next_cursor }))).status, 200, 'still kept')
    const beforeLast = (await owner.get(pathOf({ limit: String(position - 1) }))).body.next_cursor
    await tidyMonths(t.core)
    const { status, body } = await owner.get(pathOf({ after: first.next_cursor, wait: '30' }))
    assert.deepEqual([status, body.code], [400, 'invalid_cursor'])
    assert.match(body.detail, /no longer kept: begin without `after`/)
    for (const query of [{}, { after: beforeLast }] as Record<string, string>[])
      assert.deepEqual(
        (await owner.get(pathOf(query))).body.data.map(({ id }: { id: string }) => id),
        [last?.id],
      )
    assert.deepEqual((await owner.get(pathOf({ after: behind }))).body, { data: [], next_cursor: behind })
  })

  test('leave a tenant that has had no others without any, and its cursors as they are', async () => {
    const quiet = await t.foundTenant()
    await makeStore(quiet.owner)
    const after = await cursorOfNow(quiet.owner)
    await makeOld(t, quiet, Number.MAX_SAFE_INTEGER)
    await tidyMonths(t.core)
    for (const query of [{}, { after }] as Record<string, string>[])
      assert.deepEqual((await quiet.owner.get(pathOf(query))).body, { data: [], next_cursor: after })
  })
})
