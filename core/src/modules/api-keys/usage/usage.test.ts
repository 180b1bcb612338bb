import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, HOURS, momentAt, newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { asKey, makeKey, pointersOf } from '../api-keys.fixture.ts'
import { sweep } from '../life/upkeep.ts'
import { usageCounts } from './counts.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const flush = (core = t) => core.core.use(usageCounts).flush()
const usageOf = async (id: string, query = '') => (await tenant.owner.get(`/api-keys/${id}/usage${query}`)).body.data
const today = () => t.clock.now().slice(0, 10)

describe('the use of a key', () => {
  test('is counted by day and outcome, with when and from where last', async () => {
    const { id, key } = await makeKey(tenant.owner)
    for (const path of ['/stores', '/stores', '/roles', `/stores/${newId()}`]) await asKey(t, key, 'GET', path)
    assert.deepEqual(await usageOf(id), [], 'nothing is written while requests are answered')
    await flush()
    assert.deepEqual(await usageOf(id), [{ date: today(), requests: 4, errors: 2, limited: 0 }])
    const { body } = await tenant.owner.get(`/api-keys/${id}`)
    assert.ok(Math.abs(Date.parse(body.last_used_at) - t.clock.ms()) < DAYS)
    assert.equal(body.last_used_ip, '127.0.0.1')
    await asKey(t, key, 'GET', '/stores')
    await flush()
    has(await usageOf(id), [{ requests: 5, errors: 2 }])
  })

  test('with 429 is counted apart, and never as an error', async () => {
    const { id } = await makeKey(tenant.owner)
    const seen = {
      tenant_id: tenant.id,
      api_key_id: id,
      date: today(),
      last_used_at: t.clock.now(),
      last_used_ip: null,
    }
    for (const status of [200, 429, 429, 503, 404]) t.core.use(usageCounts).note(seen, status)
    await flush()
    assert.deepEqual(await usageOf(id), [{ date: today(), requests: 5, errors: 2, limited: 2 }])
  })

  test('over its own rate is answered 429, and counted so', async () => {
    const limited = await createTestCore({ database: t.database, rateLimits: true })
    const { id, key } = await makeKey(tenant.owner, { rate_limit_per_minute: 2 })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await asKey(limited, key, 'GET', '/stores')).status)
    assert.deepEqual(statuses, [200, 200, 429])
    await limited.close()
    assert.deepEqual(await usageOf(id), [{ date: today(), requests: 3, errors: 0, limited: 1 }])
  })

  test('is not what is refused as no key at all, nor what people do', async () => {
    const { id, key } = await makeKey(tenant.owner, { allowed_cidrs: ['192.0.2.0/24'] })
    assert.equal((await asKey(t, key, 'GET', '/stores')).status, 403)
    await tenant.owner.get('/stores')
    await flush()
    assert.deepEqual(await usageOf(id), [])
    assert.equal((await tenant.owner.get(`/api-keys/${id}`)).body.last_used_at, null)
  })

  test('asks the database for nothing while it is noted', async () => {
    const { key } = await makeKey(tenant.owner)
    await asKey(t, key, 'GET', '/stores')
    const seen: string[] = []
    const stop = t.core.db.observe((sql) => seen.push(sql))
    await asKey(t, key, 'GET', '/stores')
    stop()
    assert.equal(seen.length, 1, seen.join('\n'))
    assert.match(seen[0] ?? '', /from "stores"/)
  })

  test('adds up over processes that write at once, and only moves forward', async () => {
    const second = await createTestCore({ database: t.database })
    const keys = [await makeKey(tenant.owner), await makeKey(tenant.owner), await makeKey(tenant.owner)]
    const at = t.clock.now()
    const note = (core: TestCore, id: string, last_used_at: string, last_used_ip: string) =>
      core.core
        .use(usageCounts)
        .note({ tenant_id: tenant.id, api_key_id: id, date: today(), last_used_at, last_used_ip }, 200)
    for (let round = 0; round < 20; round++) {
      for (const { id } of keys) note(t, id, at, '192.0.2.1')
      for (const { id } of keys.toReversed()) note(second, id, '2020-01-01T00:00:00.000Z', '192.0.2.2')
      await Promise.all([flush(), flush(second)])
    }
    for (const { id } of keys) {
      has(await usageOf(id), [{ requests: 40 }])
      has((await tenant.owner.get(`/api-keys/${id}`)).body, { last_used_at: at, last_used_ip: '192.0.2.1' })
    }
    await second.close()
  })

  test('of a key that is gone is dropped, and that of others is written', async () => {
    const { id } = await makeKey(tenant.owner)
    const seen = { tenant_id: tenant.id, date: today(), last_used_at: t.clock.now(), last_used_ip: null }
    t.core.use(usageCounts).note({ ...seen, api_key_id: newId() }, 200)
    t.core.use(usageCounts).note({ ...seen, api_key_id: id }, 200)
    await flush()
    has(await usageOf(id), [{ requests: 1 }])
  })

  test('is written later when it cannot be written now, and once', async () => {
    const { id, key } = await makeKey(tenant.owner)
    await asKey(t, key, 'GET', '/stores')
    await t.core.db.systemQuery('select 1')
    const owner = new (await import('pg')).default.Client({ connectionString: t.database.superuserUrl })
    await owner.connect()
    await owner.query('alter table core.api_key_usage rename to hidden')
    await flush()
    await owner.query('alter table core.hidden rename to api_key_usage')
    await owner.end()
    assert.ok(t.logs.some((line) => line.includes('the use of API keys could not be written down')))
    await flush()
    await flush()
    has(await usageOf(id), [{ requests: 1 }])
  })

  test('is written when the process stops', async () => {
    const second = await createTestCore({ database: t.database })
    const { id, key } = await makeKey(tenant.owner)
    await asKey(second, key, 'GET', '/stores')
    await second.close()
    has(await usageOf(id), [{ requests: 1 }])
  })
})

describe('the usage of a key', () => {
  test('is read for the days asked for, both included', async () => {
    const { id } = await makeKey(tenant.owner)
    const seen = { tenant_id: tenant.id, api_key_id: id, last_used_at: t.clock.now(), last_used_ip: null }
    for (const date of ['2026-01-30', '2026-01-31', '2026-02-01', '2026-02-02'])
      t.core.use(usageCounts).note({ ...seen, date }, 200)
    await flush()
    const dates = async (query: string) => (await usageOf(id, query)).map(({ date }: { date: string }) => date)
    assert.deepEqual(await dates('?from=2026-01-31&to=2026-02-01'), ['2026-01-31', '2026-02-01'])
    assert.deepEqual(await dates('?to=2026-01-31'), ['2026-01-30', '2026-01-31'])
    assert.deepEqual(await dates('?to=0001-01-01'), [], 'the first day that there is')
    const wrong = [
      '?from=2026-02-01&to=2026-01-31',
      '?from=2024-01-01&to=2026-01-31',
      '?from=2024-01-01',
      '?from=never',
    ]
    for (const query of [...wrong, '?from=9999-12-31']) {
      const answer = await tenant.owner.get(`/api-keys/${id}/usage${query as ''}`)
      assert.equal(answer.status, 400, query)
      assert.deepEqual(pointersOf(answer), ['query/from'], query)
    }
  })

  test('is given up after 400 days, and so is the place of a key of ours in the directory', async () => {
    const [gone, lives] = [await makeKey(tenant.owner), await makeKey(tenant.owner)]
    const expired = await makeKey(tenant.owner, { expires_at: momentAt(t.clock.ms() + HOURS) })
    const imported = await tenant.owner.post('/api-keys/import', {
      keys: [{ name: 'Old', hash: 'ab'.repeat(32), scopes: ['store.view'] }],
    })
    for (const id of [gone.id, imported.body.data[0].id]) await tenant.owner.delete(`/api-keys/${id}`)
    await asKey(t, lives.key, 'GET', '/stores')
    await flush()
    const hashes = async () =>
      (
        await t.core.db.systemQuery<{ api_key_id: string }>(
          'select api_key_id from api_key_hashes where tenant_id = $1',
          [tenant.id],
        )
      ).map(({ api_key_id }) => api_key_id)
    const isKept = async (id: string) => (await hashes()).includes(id)
    t.clock.advance(399 * DAYS)
    await t.runSchedule(sweep)
    assert.ok(await isKept(gone.id))
    t.clock.advance(2 * DAYS)
    await t.runSchedule(sweep)
    assert.deepEqual(
      [await isKept(gone.id), await isKept(lives.id), await isKept(imported.body.data[0].id)],
      [false, true, true],
    )
    await tenant.owner.put(`/api-keys/${expired.id}`, { expires_at: null })
    assert.equal((await asKey(t, expired.key, 'GET', '/stores')).status, 200, 'one that only expired may live again')
    const [left] = await t.core.db.systemQuery<{ n: number }>(
      'select count(*)::int as n from api_key_usage where api_key_id = $1',
      [lives.id],
    )
    assert.equal(left?.n, 0)
    assert.equal((await tenant.owner.get(`/api-keys/${gone.id}`)).status, 200, 'the key itself stays to be read')
  })
})
