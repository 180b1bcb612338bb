import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, mock, test } from 'node:test'
import { firstIdAt, MINUTES, SECONDS } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { announcementNotice } from '../kinds.ts'
import { announce, badgeOf, listOf, tellPeople } from '../notifications.fixture.ts'
import { EventStream } from './event-stream.ts'
import { streamHub } from './hub.ts'
import { type HeardEvent, type Listener, type ListenOptions, listenAs } from './stream.fixture.ts'

/** Two processes on one database. */
let t: TestCore
let other: TestCore
let tenant: TestTenant
let owner: TestPerson
let clerk: TestPerson
const open: Listener[] = []
before(async () => {
  t = await createTestCore()
  other = await createTestCore({ database: t.database })
  await Promise.all([t, other].map(({ app }) => app.listen({ port: 0, host: '127.0.0.1' })))
  tenant = await t.foundTenant({ plan: 'business' })
  owner = tenant.owner
  clerk = await tenant.member({ role: 'staff' })
  await t.drainJobs(tenant.id)
})
after(async () => {
  for (const each of open) each.close()
  await other.close()
  await t.close()
})

const titled = (title: string) => (heard: HeardEvent) => heard.event === 'notification' && heard.data.title === title
const counted = (count: number) => (heard: HeardEvent) => heard.event === 'unread' && heard.data.unread_count === count
const hub = (of: TestCore) => of.core.use(streamHub)
async function listen(person: TestPerson, options?: ListenOptions, at = t): Promise<Listener> {
  const listener = await listenAs(at, person, options)
  open.push(listener)
  return listener
}

describe('a stream', () => {
  test('tells what comes and how many are unread, to each their own, whichever process it comes from', async () => {
    const before = await badgeOf(owner)
    const [mine, same, theirs] = await Promise.all([listen(owner), listen(owner, {}, other), listen(clerk)])
    assert.equal(mine.headers['content-type'], 'text/event-stream')
    assert.equal(mine.headers['x-accel-buffering'], 'no')
    assert.match(String(mine.headers['cache-control']), /no-store/)
    await mine.next('it says how many are unread', counted(before))
    for (const from of [t, other]) {
      const title = await announce(from, tenant.id)
      const [listed] = await listOf(owner)
      for (const stream of [mine, same]) {
        const heard = await stream.next('it is told', titled(title))
        assert.deepEqual([heard.id, heard.data], [listed?.id, listed])
      }
      const heard = await theirs.next('the other is told too', titled(title))
      assert.notEqual(heard.data.id, listed?.id)
      assert.equal(heard.data.user_id, clerk.userId)
    }
    await mine.next('it counts', counted(before + 2))
    const [latest] = await listOf(owner)
    await owner.put(`/notifications/${latest?.id}/read`, {})
    await same.next('reading in one process is told by the other', counted(before + 1))
    await owner.put('/notifications/read-all', {})
    await mine.next('reading all is told', counted(0))
    assert.equal(mine.named('notification').length, 2)
  })

  test('of another tenant tells nothing of this one, not even to the same person', async () => {
    const elsewhere = await t.foundTenant()
    await t.drainJobs(elsewhere.id)
    const outsider = await listen(elsewhere.owner)
    const title = await announce(t, tenant.id)
    const own = await announce(t, elsewhere.id)
    await outsider.next('its own comes', titled(own))
    assert.ok(!outsider.events.some(titled(title)))
    for (const { data } of outsider.named('notification')) assert.equal(data.tenant_id, elsewhere.id)
  })

  test('is read by HEAD without being opened, and refuses an id that is none', async () => {
    const size = hub(t).size
    const head = await t.request('HEAD', '/api/v1/notifications/stream', { token: await owner.token() })
    assert.deepEqual([head.status, head.headers['content-type'], hub(t).size], [200, 'text/event-stream', size])
    const wrong = await t.request('GET', '/api/v1/notifications/stream', {
      token: await owner.token(),
      headers: { 'last-event-id': 'x' },
    })
    has(wrong, { status: 400, body: { errors: [{ pointer: 'headers/last-event-id' }] } })
  })

  test('is one of ten that a person may hold', async () => {
    const person = await tenant.member()
    const held = []
    for (let i = 0; i < 10; i++) held.push(await listen(person))
    const refused = await person.get('/notifications/stream?wait=0')
    has(refused, { status: 429, headers: { 'retry-after': '30' } })
    assert.equal((await clerk.get('/notifications/stream?wait=0')).status, 200)
    held[0]?.close()
    await until('its place is free', () => hub(t).countOf(person.userId) === 9)
    assert.equal((await person.get('/notifications/stream?wait=0')).status, 200)
    for (const each of held) each.close()
  })
})

describe('a stream that is taken up again', () => {
  const heardSince = async (lastId: string) => {
    const { text } = await owner.request('GET', '/notifications/stream?wait=0', {
      headers: { 'last-event-id': lastId },
    })
    return [...text.matchAll(/^data: (.*"kind".*)$/gm)].map(([, data = '']): string => JSON.parse(data).title)
  }

  test('goes on behind the last that came, with what was committed later under an earlier id', async () => {
    // Two ids of one millisecond are in no order.
    const early = firstIdAt(t.clock.ms() - 1 * MINUTES)
    await announce(t, tenant.id)
    const [last] = await listOf(owner)
    const late = { key: early, data: { title: `Late ${early}`, message: 'Made before, told after.' } }
    await tellPeople(t, tenant.id, announcementNotice, late)
    const [told] = await listOf(owner)
    assert.ok(told && last && told.id < last.id, 'the later one has the earlier id')
    const next = await announce(t, tenant.id)
    assert.deepEqual(await heardSince(last.id), [late.data.title, next])
    assert.deepEqual(await heardSince(told.id), [next])
  })

  test('leaves nothing out where the last that came is gone', async () => {
    const kept = await announce(t, tenant.id)
    await announce(t, tenant.id)
    const [last] = await listOf(owner)
    const next = await announce(t, tenant.id)
    await owner.delete(`/notifications/${last?.id}`)
    const heard = await heardSince(last?.id ?? '')
    assert.equal(heard.at(-1), next)
    assert.ok(heard.includes(kept), 'what was written about then comes twice')
    assert.ok((await heardSince(firstIdAt(t.clock.ms() + 60 * MINUTES))).includes(next))
    assert.equal((await heardSince((await listOf(clerk))[0]?.id ?? '')).at(-1), next, 'nothing of the other person')
  })

  test('tells hundreds in order', async () => {
    const [last] = await listOf(owner)
    const titles: string[] = []
    for (let i = 0; i < 35; i++) titles.push(`Row ${String(i).padStart(3, '0')}`)
    await tenant.run(async (ctx) => {
      for (const title of titles) await ctx.notify(announcementNotice, { data: { title, message: 'One of many.' } })
    })
    await t.drainJobs(tenant.id)
    const listed = (await listOf(owner)).map(({ title }) => title).filter((title) => title.startsWith('Row'))
    assert.deepEqual(await heardSince(last?.id ?? ''), listed.toReversed())
  })
})

test('what no signal told is found at the next look', async () => {
  const stream = await listen(clerk)
  await stream.next('it has begun', ({ event }) => event === 'unread')
  const silence = mock.method(t.core.signals, 'send', () => {})
  const title = await announce(t, tenant.id)
  silence.mock.restore()
  assert.equal((await t.request('GET', '/api/v1/notifications', { token: await clerk.token() })).status, 200)
  assert.ok(!stream.events.some(titled(title)))
  await hub(t).beat()
  await stream.next('it is told', titled(title))
})

test('a process that stops ends its streams, and opens none', async () => {
  const stopping = await createTestCore({ database: t.database })
  await stopping.app.listen({ port: 0, host: '127.0.0.1' })
  const stream = await listen(clerk, {}, stopping)
  await stream.next('it has begun', ({ event }) => event === 'unread')
  await stopping.close()
  assert.deepEqual(stream.named('end')[0]?.data.code, 'unavailable')
  assert.ok(stream.isOver)
})

describe('a stream ends', () => {
  test('when its session does, in whichever process, and says so', async () => {
    const person = await tenant.member()
    const [here, there] = [await listen(person), await listen(person, {}, other)]
    assert.equal((await person.post('/auth/logout', {})).status, 204)
    for (const stream of [here, there]) {
      const { data } = await stream.next('it says why', ({ event }) => event === 'end')
      assert.equal(data.code, 'session_revoked')
      await stream.over()
    }
  })

  test('when the membership does', async () => {
    const person = await tenant.member()
    const stream = await listen(person, {}, other)
    assert.equal((await owner.delete(`/users/${person.userId}`)).status, 204)
    await stream.next('it says why', ({ event, data }) => event === 'end' && data.code === 'session_revoked')
    await stream.over()
  })

  test('before the access token does, and says so; until then it says that it is alive', async () => {
    const person = await tenant.member()
    const stream = await listen(person)
    await stream.next('it has begun', ({ event }) => event === 'unread')
    await hub(t).beat()
    await until('it says that it is alive', () => stream.comments === 1)
    t.clock.advance(t.core.config.tokens.accessTtlSeconds * SECONDS - 30 * SECONDS)
    await hub(t).beat()
    assert.equal(hub(t).countOf(person.userId), 1)
    t.clock.advance(10 * SECONDS)
    await hub(t).beat()
    await stream.next('it says why', ({ event, data }) => event === 'end' && data.code === 'access_token_expired')
    await stream.over()
  })

  test('after the time that was asked for', async () => {
    const stream = await listen(clerk, { query: '?wait=40' })
    t.clock.advance(20 * SECONDS)
    await hub(t).beat()
    await stream.over()
    assert.equal(stream.named('end').length, 0)
  })
})

test('who reads nothing is held little for, and cut off', () => {
  const body = new EventStream()
  for (let i = 0; body.hasRoom; i++) body.event('notification', { title: 'x'.repeat(1_000) }, String(i))
  assert.ok(body.readableLength < 20_000)
  body.beat()
  body.read(100)
  body.beat()
  assert.equal(body.destroyed, false, 'who reads slowly is waited for')
  body.beat()
  body.beat()
  assert.equal(body.destroyed, true)
})
