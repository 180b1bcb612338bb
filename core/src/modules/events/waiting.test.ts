import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { makeKey } from '../api-keys/api-keys.fixture.ts'
import { suspendTenant } from '../tenants/index.ts'
import { cursorOfNow, keyClient, makeStore, namesOf, pathOf, rename } from './events.fixture.ts'
import { eventWaiters } from './waiters.ts'

/** Two processes on one database. The first has one connection for each role. */
let t: TestCore
let other: TestCore
let tenant: TestTenant
let owner: TestPerson
before(async () => {
  t = await createTestCore({ env: { DATABASE_POOL_SIZE: '1' } })
  other = await createTestCore({ database: t.database })
  await t.app.listen({ port: 0, host: '127.0.0.1' })
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
})
after(async () => {
  await other.close()
  await t.close()
})

const waiting = (core = t) => core.core.use(eventWaiters).size
const untilWaiting = (count: number, core = t) => until(`${count} wait`, () => waiting(core) === count)

/** Begins to wait from now on. */
async function begin(client: Pick<TestPerson, 'get'>, query: Record<string, string> = {}) {
  const { size } = t.core.use(eventWaiters)
  const after = await cursorOfNow(client, query)
  const answer = client.get(pathOf({ ...query, after, wait: '30' }))
  await untilWaiting(size + 1)
  return { answer, after }
}

/** An answer, unless it comes only when its time is over. */
const soon = <T>(answer: Promise<T>) => Promise.race([answer, sleep(20_000, null, { ref: false })]) as Promise<T>

describe('a request that waits', () => {
  test('is answered with what comes in the same process', async () => {
    const { answer } = await begin(owner)
    const { name } = await makeStore(owner)
    assert.deepEqual(namesOf((await answer).body.data), [name])
    assert.equal(waiting(), 0)
  })

  test('is answered with what another process publishes', async () => {
    const { answer } = await begin(owner)
    const name = 'From elsewhere'
    const token = await owner.token()
    assert.equal((await other.request('POST', '/api/v1/stores', { token, body: { name } })).status, 201)
    // Long before its time is over, when it would look once more anyway.
    const answered = await Promise.race([answer, sleep(15_000, null, { ref: false })])
    assert.deepEqual(namesOf(answered?.body.data ?? []), [name])
  })

  test('waits on when what comes is nothing that it asks for', async () => {
    const store = await makeStore(owner)
    const { answer } = await begin(owner, { types: 'role.*' })
    let isAnswered = false
    void answer.then(() => {
      isAnswered = true
    })
    await rename(owner, store.id)
    await rename(owner, store.id)
    assert.equal(isAnswered, false)
    await owner.post('/roles', { name: 'Waiter', permissions: [] })
    assert.deepEqual(namesOf((await answer).body.data), ['Waiter'])
  })

  test('is answered with nothing when its time is over, and goes on from there', async () => {
    const after = await cursorOfNow(owner)
    const { status, body } = await owner.get(pathOf({ after, wait: '1' }))
    assert.deepEqual([status, body], [200, { data: [], next_cursor: after }])
  })

  test('is not waited for when there is something already', async () => {
    const after = await cursorOfNow(owner)
    const { name } = await makeStore(owner)
    assert.deepEqual(namesOf((await owner.get(pathOf({ after, wait: '30' }))).body.data), [name])
    assert.equal(waiting(), 0)
  })

  test('holds no connection: with one for each role ten wait, and everything else goes on', async () => {
    const person = await tenant.member({ role: 'admin' })
    const waits = []
    for (let i = 0; i < 10; i++) waits.push(await begin(owner))
    waits.push(await begin(person))
    const { name } = await makeStore(owner)
    for (const { answer } of waits) assert.deepEqual(namesOf((await answer).body.data), [name])
    assert.deepEqual(t.core.db.load().app, { total: 1, idle: 1, waiting: 0 })
  })

  test('is one of ten of a person or key', async () => {
    const { key } = await makeKey(owner, { scopes: ['event.view'] })
    const program = keyClient(t, key)
    const waits = []
    for (let i = 0; i < 10; i++) waits.push(await begin(program))
    const after = await cursorOfNow(program)
    has(await program.get(pathOf({ after, wait: '30' })), {
      status: 429,
      headers: { 'retry-after': '5' },
      body: { violated_policies: ['waiting_for_events'] },
    })
    assert.equal((await program.get(pathOf({ after }))).status, 200, 'without waiting')
    const own = await begin(owner)
    await makeStore(owner)
    for (const { answer } of [...waits, own]) assert.equal((await answer).status, 200)
  })

  test('is not told what its key may not see any more', async () => {
    const { key, id } = await makeKey(owner, { scopes: ['event.view'] })
    const { answer } = await begin(keyClient(t, key))
    assert.equal((await owner.delete(`/api-keys/${id}`)).status, 204)
    await makeStore(owner)
    has(await answer, { status: 401, body: { code: 'invalid_api_key' } })
  })

  test('ends when its credential, or its tenant, does, in this process or another', async () => {
    const guest = await t.foundTenant({ plan: 'business' })
    const { key, id } = await makeKey(guest.owner, { scopes: ['event.view'] })
    const [byKey, byPerson] = [await begin(keyClient(t, key)), await begin(guest.owner)]
    assert.equal((await guest.owner.delete(`/api-keys/${id}`)).status, 204)
    has(await soon(byKey.answer), { status: 401, body: { code: 'invalid_api_key' } })
    const tenantId = guest.id
    await other.core.run((ctx) => suspendTenant(ctx, 'Card testing'), { role: 'system', tenantId })
    has(await soon(byPerson.answer), { status: 403, body: { code: 'tenant_suspended' } })
  })

  test('is told what its person sees by now', async () => {
    const [mine, former] = [await makeStore(owner), await makeStore(owner)]
    const clerk = await tenant.member({ permissions: ['event.view'], store: mine.id })
    const { data } = (await owner.get(`/users/${clerk.userId}/roles`)).body
    const role = data[0].role_id
    assert.equal((await owner.post(`/users/${clerk.userId}/roles`, { role_id: role, store_id: former.id })).status, 201)
    const { answer } = await begin(clerk)
    assert.equal((await owner.delete(`/users/${clerk.userId}/roles/${role}?store_id=${former.id}`)).status, 204)
    await rename(owner, former.id)
    const name = await rename(owner, mine.id)
    assert.deepEqual(namesOf((await answer).body.data), [name])
    const last = await begin(clerk)
    assert.equal((await owner.delete(`/users/${clerk.userId}/roles/${role}?store_id=${mine.id}`)).status, 204)
    await rename(owner, mine.id)
    has(await last.answer, { status: 403, body: { permission: 'event.view' } })
  })

  test('ends when its client goes', async () => {
    const { port } = t.app.server.address() as AddressInfo // it listens
    const path = `/api/v1${pathOf({ after: await cursorOfNow(owner), wait: '30' })}`
    const headers = { authorization: `Bearer ${await owner.token()}` }
    const request = get({ port, host: '127.0.0.1', path, headers, agent: false })
    request.on('error', () => {}) // cut off below
    await untilWaiting(1)
    request.destroy()
    await untilWaiting(0)
  })
})

describe('a process', () => {
  test('answers those who wait at once when it stops', async () => {
    const third = await createTestCore({ database: t.database })
    const token = await owner.token()
    const after = await cursorOfNow(owner)
    const answer = third.request('GET', `/api/v1${pathOf({ after, wait: '30' })}`, { token })
    await untilWaiting(1, third)
    await third.close()
    assert.deepEqual((await answer).body, { data: [], next_cursor: after })
  })

  test('asks the database for all who wait by one statement, and for nobody by none', async () => {
    const asked: string[] = []
    const stop = t.core.db.observe((sql) => {
      if (sql.includes('event_heads') && sql.includes('any(')) asked.push(sql)
    })
    await until('nobody waits', () => waiting() === 0)
    const another = await t.foundTenant()
    const waits = [await begin(owner), await begin(another.owner)]
    await until('it was looked', () => asked.length > 1)
    for (const person of [owner, another.owner]) await makeStore(person)
    for (const { answer } of waits) await answer
    const { length } = asked
    assert.equal((await owner.get(pathOf({ after: await cursorOfNow(owner), wait: '1' }))).status, 200)
    assert.ok(asked.length > length, 'it begins again')
    stop()
  })
})
