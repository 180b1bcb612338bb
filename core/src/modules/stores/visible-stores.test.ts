import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { type Method, newId } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import { stores } from './index.ts'

const URL = '/stores'
let t: TestCore

before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const get = (who: TestPerson, path = '', headers = {}) => who.request('GET', `${URL}${path}`, { headers })
const post = (who: TestPerson, body: unknown) => who.post(URL, body)
const put = (who: TestPerson, path: string, body: unknown) => who.put(`${URL}${path}`, body)
const remove = (who: TestPerson, id: string) => who.delete(`${URL}/${id}`)
const idsOf = (data: { id: string }[]) => data.map(({ id }) => id)

async function open(who: TestPerson, name: string) {
  const answer = await post(who, { name })
  assert.equal(answer.status, 201, answer.text)
  return answer.body
}

describe('who sees and does what', () => {
  const routes = (id: string): { method: Method; path: string; permission: string; body?: object }[] => [
    { method: 'GET', path: '', permission: 'store.view' },
    { method: 'POST', path: '', permission: 'store.create', body: { name: 'New' } },
    { method: 'GET', path: `/${id}`, permission: 'store.view' },
    { method: 'PUT', path: `/${id}`, permission: 'store.update', body: { phone: '1' } },
    { method: 'GET', path: `/${id}/settings`, permission: 'store_settings.view' },
    { method: 'PUT', path: `/${id}/settings`, permission: 'store_settings.update', body: { currency: 'CHF' } },
    { method: 'DELETE', path: `/${id}`, permission: 'store.delete' },
  ]

  test('every route asks for a credential and for its own permission', async () => {
    const shop = await t.foundTenant()
    const { id } = await open(shop.owner, 'North')
    for (const { method, path, permission, body } of routes(id)) {
      assert.equal((await t.request(method, `/api/v1${URL}${path}`, { body })).status, 401)
      const others = Object.keys(stores.permissions).filter((code) => code !== permission)
      const poor = await shop.member({ permissions: others })
      const refused = await poor.request(method, `${URL}${path}`, { body })
      assert.deepEqual([refused.status, refused.body.permission], [403, permission])
      const fit = await shop.member({ permissions: [permission] })
      const { status, text } = await fit.request(method, `${URL}${path}`, { body })
      assert.ok(status < 300, `${method} ${path}: ${text}`)
    }
  })

  test('a store of another tenant is as little there as one that never was', async () => {
    const { owner: mine } = await t.foundTenant()
    const { owner: theirs } = await t.foundTenant()
    const { id } = await open(theirs, 'Theirs')
    const withoutRequest = ({ request_id, ...rest }: Record<string, unknown>) => rest
    for (const [i, route] of routes(id).entries()) {
      if (route.path === '') continue
      const never = routes(newId())[i]
      assert.ok(never)
      const foreign = await mine.request(route.method, `${URL}${route.path}`, { body: route.body })
      const unknown = await mine.request(never.method, `${URL}${never.path}`, { body: never.body })
      assert.equal(foreign.status, 404)
      assert.deepEqual(withoutRequest(foreign.body), withoutRequest(unknown.body))
    }
    assert.equal((await get(theirs, `/${id}`)).body.phone, null)
    assert.equal((await get(mine, '/not-a-uuid')).status, 404)
  })

  test('a role in one store shows and opens that store alone', async () => {
    const shop = await t.foundTenant()
    const { owner } = shop
    const north = await open(owner, 'North')
    const south = await open(owner, 'South')
    const inStores = Object.keys(stores.permissions).filter(
      (code) => t.core.registry.permissions.get(code)?.scope === 'store',
    )
    const manager = await shop.member({ permissions: inStores, store: north.id })
    const { body } = await get(manager)
    assert.deepEqual(idsOf(body.data), [north.id])
    for (const { method, path, body } of routes(south.id)) {
      if (path === '') continue
      const status = (await manager.request(method, `${URL}${path}`, { body })).status
      assert.equal(status, method === 'DELETE' ? 403 : 404)
    }
    assert.equal((await put(manager, `/${north.id}`, { phone: '1' })).status, 200)
    assert.equal((await put(manager, `/${north.id}/settings`, { receipt_header: 'Hi' })).status, 200)
    assert.equal((await post(manager, { name: 'Mine' })).status, 403)
    assert.equal((await remove(manager, north.id)).status, 403)
  })

  test('X-Store-ID stops working with the request that closes or deletes the store', async () => {
    const { owner } = await t.foundTenant()
    const under = async (id: string) => (await get(owner, '', { 'x-store-id': id })).body.code ?? 'fine'
    const closed = await open(owner, 'Closed')
    const deleted = await open(owner, 'Deleted')
    assert.equal(await under(deleted.id), 'fine')
    await remove(owner, deleted.id)
    assert.equal(await under(deleted.id), 'store_access_denied')
    assert.equal(await under(closed.id), 'fine')
    await put(owner, `/${closed.id}`, { status: 'inactive' })
    assert.equal(await under(closed.id), 'store_access_denied')
    await put(owner, `/${closed.id}`, { status: 'active' })
    assert.equal(await under(closed.id), 'fine')
  })
})

describe('a list of stores', () => {
  test('pages of a list neither repeat nor skip a store while others are opened', async () => {
    const plan = fc.record({
      before: fc.integer({ min: 0, max: 12 }),
      limit: fc.integer({ min: 1, max: 5 }),
      between: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ before, limit, between }) => {
        const { owner } = await t.foundTenant()
        let opened = 0
        const openSome = async (count: number) => {
          for (let i = 0; i < count; i++) await open(owner, `Store ${opened++}`)
        }
        await openSome(before)
        const expected = idsOf((await get(owner, '?limit=100')).body.data)
        const seen: string[] = []
        let cursor: string | null = null
        do {
          const from: string = cursor ? `&cursor=${cursor}` : ''
          const { body } = await get(owner, `?limit=${limit}${from}`)
          seen.push(...idsOf(body.data))
          cursor = body.next_cursor
          await openSome(between.shift() ?? 0)
        } while (cursor)
        assert.deepEqual(seen, expected)
      }),
      { numRuns: 25, seed: SEED },
    )
  })

  test('a list is filtered by text, taken literally, and by status', async () => {
    const { owner } = await t.foundTenant()
    for (const name of ['50% off', '50 off', 'A_b', 'Axb', 'C\\d', 'Ärger']) await open(owner, name)
    const { body: shut } = await post(owner, { name: 'Shut', status: 'inactive' })
    const search = async (query: string) => {
      const { body } = await get(owner, `?${query}`)
      return body.data.map(({ name }: { name: string }) => name)
    }
    assert.deepEqual(await search('q=50%25'), ['50% off'])
    assert.deepEqual(await search('q=a_B'), ['A_b'])
    assert.deepEqual(await search('q=c%5CD'), ['C\\d'])
    assert.deepEqual(await search(`q=${encodeURIComponent('äRG')}`), ['Ärger'])
    assert.deepEqual(await search('q=main&status=active'), ['Main'])
    assert.deepEqual(await search('status=inactive'), [shut.name])
  })

  test('a cursor is good for its own list alone; bad queries are refused by name', async () => {
    const { owner } = await t.foundTenant()
    const { owner: elsewhere } = await t.foundTenant()
    await open(owner, 'North')
    const { body } = await get(owner, '?limit=1')
    const use = async (query: string, caller = owner) => {
      const { status, body } = await get(caller, `?${query}`)
      return [status, body.code, body.errors?.[0]?.pointer]
    }
    const invalid = [400, 'invalid_cursor', undefined]
    assert.deepEqual(await use(`cursor=${body.next_cursor}&status=active`), invalid)
    assert.deepEqual(await use(`cursor=${body.next_cursor}`, elsewhere), invalid)
    assert.deepEqual(await use('cursor=bm9wZQ'), invalid)
    assert.deepEqual(await use('limit=0'), [400, 'invalid_request', 'query/limit'])
    assert.deepEqual(await use('status=closed'), [400, 'invalid_request', 'query/status'])
    assert.deepEqual(await use('color=red'), [400, 'invalid_request', 'query/color'])
  })
})
