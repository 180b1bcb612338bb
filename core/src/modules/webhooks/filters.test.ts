import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { TestCore } from '../../testing/index.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
before(async () => {
  core = await createWebhooksCore()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
})
afterEach(() => receiver?.close())

/** A webhook with a path of its own at the receiver. */
const add = (path: string, fields: object) => owner.addWebhook(`${receiver.url}/${path}`, { ...fields })

/** Names of the events that came by that path since it was last asked, sorted: their order is free. */
async function came(path: string): Promise<string[]> {
  await owner.drain()
  const bodies = receiver.received.filter(({ url }) => url.endsWith(`/${path}`)).map(({ body }) => JSON.parse(body))
  const fresh = bodies.slice(seen.get(path) ?? 0)
  seen.set(path, bodies.length)
  return fresh.map(({ type, data }) => [type, data.name].join(' ')).sort()
}
const seen = new Map<string, number>()
beforeEach(() => seen.clear())

describe('a webhook', () => {
  test('gets the events that it asks for, by name, by pattern, or all', async () => {
    await add('all', { events: ['*'] })
    await add('stores', { events: ['store.*'] })
    await add('made', { events: ['store.created', 'role.created', 'store.created'] })
    await add('roles', { events: ['role.*', 'store.deleted'] })
    const { id } = await owner.openStore('Shop')
    await owner.send('PUT', `/stores/${id}`, { name: 'Store' })
    await owner.send('POST', '/roles', { name: 'Clerk', scope: 'tenant', permissions: ['store.view'] })
    const [made, changed, role] = ['store.created Shop', 'store.updated Store', 'role.created Clerk'] as const
    assert.deepEqual(await came('all'), [role, made, changed])
    assert.deepEqual(await came('stores'), [made, changed])
    assert.deepEqual(await came('made'), [role, made])
    assert.deepEqual(await came('roles'), [role])
  })

  test('asks for other events from its change on', async () => {
    const { id, events } = await add('one', { events: ['role.*', 'role.*'] })
    assert.deepEqual(events, ['role.*'], 'each is kept once')
    await owner.openStore('Early')
    await owner.send('PUT', `/webhooks/${id}`, { events: ['store.*'] })
    await owner.openStore('Late')
    assert.deepEqual(await came('one'), ['store.created Late'])
  })

  test('of some stores gets what happens there, and nothing of others or of none', async () => {
    const [one, two, three] = [
      await owner.openStore('One'),
      await owner.openStore('Two'),
      await owner.openStore('Three'),
    ]
    const { id, store_ids } = await add('some', { store_ids: [one.id, two.id.toUpperCase(), one.id] })
    assert.deepEqual(store_ids, [one.id, two.id])
    const happen = async () => {
      for (const store of [one, two, three])
        await owner.send('PUT', `/stores/${store.id}`, { phone: `+49 30 ${Math.random()}`.slice(0, 16) })
      await owner.send('POST', '/roles', { name: `Role ${Math.random()}`, scope: 'tenant', permissions: [] })
    }
    await happen()
    assert.deepEqual(await came('some'), ['store.updated One', 'store.updated Two'])
    await owner.send('PUT', `/webhooks/${id}`, { store_ids: [three.id] })
    await happen()
    assert.deepEqual(await came('some'), ['store.updated Three'])
    await owner.send('PUT', `/webhooks/${id}`, { store_ids: null })
    await happen()
    assert.equal((await came('some')).length, 4)
  })

  test('that is off gets nothing, then or later', async () => {
    const { id, ...made } = await add('off', { is_active: false })
    assert.deepEqual([made.is_active, made.disabled_reason], [false, null])
    await owner.openStore('While off')
    assert.deepEqual(await came('off'), [])
    const on = await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    assert.ok(on.missed_since && on.missed_until > on.missed_since)
    await owner.openStore('While on')
    assert.deepEqual(await came('off'), ['store.created While on'])
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false })
    await owner.openStore('Off again')
    assert.deepEqual([await came('off'), (await owner.deliveries(id)).length], [[], 1])
    const again = await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    assert.equal(again.missed_since, on.missed_since, 'what was not asked for goes on being missed')
    assert.ok(again.missed_until > on.missed_until)
  })

  test('gets what is on its way to it only once it is on again', async () => {
    const { id } = await add('paused', {})
    await owner.openStore('Noted')
    await owner.send('PUT', `/webhooks/${id}`, { is_active: false })
    assert.deepEqual(await came('paused'), [])
    await owner.send('PUT', `/webhooks/${id}`, { is_active: true })
    assert.deepEqual(await came('paused'), ['store.created Noted'])
  })

  test('gets events of its own tenant', async () => {
    await add('own', {})
    const other = await createOwner(core)
    await other.openStore('Elsewhere')
    await other.drain()
    await owner.openStore('Here')
    assert.deepEqual(await came('own'), ['store.created Here'])
  })

  test('that is removed gets nothing more, not even what is on its way', async () => {
    const { id } = await add('gone', {})
    await owner.openStore('Noted')
    await owner.send('DELETE', `/webhooks/${id}`)
    await owner.openStore('Later')
    assert.deepEqual(await came('gone'), [])
  })

  test('asks for nothing that there is not, and is told of all that is wrong', async () => {
    const { id } = await add('wrong', {})
    const events = [
      'store.*',
      'store.exploded',
      'stor*',
      'nothing.*',
      '**',
      'store',
      'member.updated',
      'webhook.created',
    ]
    const wrong = { url: 'ftp://a.example', events, headers: { Host: 'x' } }
    for (const { status, body } of [await owner.post('/webhooks', wrong), await owner.put(`/webhooks/${id}`, wrong)]) {
      const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
      const eventPointers = [1, 2, 3, 4, 5, 6, 7].map((index) => `#/events/${index}`)
      assert.deepEqual([status, pointers], [400, [...eventPointers, '#/headers/Host', '#/url']])
    }
    const nobody = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'
    const theirs = (await (await createOwner(core)).openStore()).id
    for (const store_ids of [[nobody], [theirs]]) {
      const bodies = [
        await owner.post('/webhooks', { url: receiver.url, events: ['*'], store_ids }),
        await owner.put(`/webhooks/${id}`, { store_ids }),
      ]
      for (const { status, body } of bodies) assert.deepEqual([status, body.errors[0].pointer], [400, '#/store_ids/0'])
    }
    for (const [field, value] of [
      ['events', []],
      ['events', Array.from({ length: 101 }, () => '*')],
      ['events', '*'],
      ['store_ids', []],
      ['store_ids', ['x']],
      ['api_version', '2020-01-01'],
      ['signature', 'v2'],
      ['max_per_second', 0],
      ['max_per_second', 1001],
      ['description', 'x'.repeat(201)],
      ['is_active', 'yes'],
      ['secret', 'whsec_x'],
    ] as const) {
      const { status, body } = await owner.post('/webhooks', { url: receiver.url, events: ['*'], [field]: value })
      assert.equal(status, 400, field)
      assert.match(body.errors[0].pointer, new RegExp(`^#/${field}`))
    }
    assert.deepEqual((await owner.look(id)).events, ['*'])
  })
})
