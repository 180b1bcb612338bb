import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Method } from '#kernel'
import type { Answered, TestCore } from '../../testing/index.ts'
import { twenty } from '../auth/auth.fixture.ts'
import { createOwner, createWebhooksCore, type Owner, type Receiver, startReceiver } from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createWebhooksCore()
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

const NOBODY = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'
const REPLAY = { since: '2026-01-01T00:00:00.000Z', until: '2026-01-02T00:00:00.000Z' }

/** Every route of one webhook, with a body that it takes. */
const ROUTES: [method: Method, rest: string, permission: string, body?: object][] = [
  ['GET', '', 'webhook.view'],
  ['PUT', '', 'webhook.update', { description: 'Theirs' }],
  ['POST', '/rotate-secret', 'webhook.update', {}],
  ['POST', '/test', 'webhook.update', {}],
  ['POST', '/replay', 'webhook.update', REPLAY],
  ['GET', '/stats', 'webhook.view'],
  ['GET', '/deliveries', 'webhook.view'],
  ['GET', '/deliveries/DELIVERY', 'webhook.view'],
  ['POST', '/deliveries/DELIVERY/redeliver', 'webhook.update', {}],
  ['DELETE', '', 'webhook.delete'],
]

type Sender = Pick<Owner, 'request'>
const bodyOf = (rest: string, body?: object) => (rest.endsWith('redeliver') || !body ? {} : { body })
const send = (who: Sender, [method, rest, , body]: (typeof ROUTES)[number], id: string, delivery: string) =>
  who.request(method, `/webhooks/${id}${rest.replace('DELIVERY', delivery)}`, bodyOf(rest, body))

/** An owner with a webhook and something that was sent to it. */
async function furnish(fields: object = {}) {
  const owner = await createOwner(core)
  const { id } = await owner.addWebhook(receiver.url, { ...fields })
  await owner.openStore()
  await owner.drain()
  const { id: delivery } = await owner.newest(id)
  return { owner, id, delivery }
}

describe('a webhook', () => {
  test('is made with a secret that is shown once', async () => {
    const owner = await createOwner(core)
    const answer = await owner.post('/webhooks', { url: receiver.url, events: ['store.*'], description: 'Shop' })
    assert.equal(answer.status, 201)
    const { secret, ...webhook } = answer.body
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.equal(answer.headers.location, `/api/v1/webhooks/${webhook.id}`)
    const { id, created_at, ...rest } = webhook
    assert.deepEqual(rest, {
      tenant_id: owner.tenantId,
      url: receiver.url,
      events: ['store.*'],
      description: 'Shop',
      store_ids: null,
      headers: {},
      api_version: '2026-11-01',
      signature: 'v1',
      max_per_second: null,
      is_active: true,
      disabled_reason: null,
      missed_since: null,
      missed_until: null,
      last_error: null,
      updated_at: created_at,
    })
    assert.deepEqual(await owner.look(id), webhook)
    assert.deepEqual((await owner.send('GET', '/webhooks')).data, [webhook])
  })

  test('is changed field by field', async () => {
    const { owner, id } = await furnish({ description: 'Old', max_per_second: 5 })
    const change = (body: object) => owner.send('PUT', `/webhooks/${id}`, body)
    const before = await owner.look(id)
    const after = await change({ description: 'New' })
    assert.deepEqual({ ...after, updated_at: before.updated_at }, { ...before, description: 'New' })
    assert.notEqual(after.updated_at, before.updated_at)
    assert.deepEqual(await change({ description: 'New' }), after, 'what changes nothing is no change')
    const { description, max_per_second, url } = await change({ description: null, max_per_second: null })
    assert.deepEqual([description, max_per_second, url], [null, null, receiver.url])
    for (const body of [
      {},
      { signature: 'v1a' },
      { id: NOBODY },
      { url: null },
      { is_active: null },
      { events: null },
    ]) {
      const { status } = await owner.put(`/webhooks/${id}`, body)
      assert.equal(status, Object.keys(body).length === 0 ? 200 : 400, JSON.stringify(body))
    }
  })

  test('says once what is wrong with an event that it is to get', async () => {
    const { owner, id } = await furnish()
    for (const events of [[''], ['store.gone'], ['store.*', 'x'.repeat(101)]])
      for (const { status, body } of [
        await owner.post('/webhooks', { url: 'https://example.com/', events }),
        await owner.put(`/webhooks/${id}`, { events }),
      ])
        assert.deepEqual(
          [status, body.errors?.map(({ pointer }: { pointer: string }) => pointer)],
          [400, [`#/events/${events.length - 1}`]],
          events.at(-1),
        )
  })

  test('leads to public addresses only, unless the installation says otherwise', async () => {
    const { owner, id } = await furnish()
    const hosts =
      '10.0.0.1 172.16.3.4 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 0xa9fea9fe 2852039166 0251.0376.0251.0376 10.1 [::1] [fe80::1] [fd00::1] [::ffff:10.0.0.1] [64:ff9b::a00:1] 224.0.0.1'
    const forms = [
      'ftp://a.example',
      'https://a:b@c.example',
      'https://a.example/#b',
      'a.example',
      'file:///etc/passwd',
    ]
    const urls = [...hosts.split(' ').map((host) => `http://${host}/`), ...forms, 'javascript:alert(1)', '', ' ', 'x']
    for (const url of urls)
      for (const answer of [
        await owner.post('/webhooks', { url, events: ['*'] }),
        await owner.put(`/webhooks/${id}`, { url }),
      ])
        assert.deepEqual([answer.status, answer.body.errors?.[0]?.pointer], [400, '#/url'], url)
  })
})

describe('a route of webhooks', () => {
  test('answers its owner', async () => {
    const { owner, id, delivery } = await furnish()
    const statuses: Record<string, number> = { test: 202, 'deliveries/DELIVERY/redeliver': 202, '': 200 }
    for (const route of ROUTES) {
      const [method, rest] = route
      const { status, text } = await send(owner, route, id, delivery)
      const expected = method === 'DELETE' ? 204 : (statuses[rest.slice(1)] ?? 200)
      assert.equal(status, expected, `${method} ${rest}: ${text}`)
    }
    await owner.drain()
  })

  test('finds nothing of another tenant, nothing unknown and nothing without an id', async () => {
    const [{ owner, id, delivery }, { owner: other, id: own }] = [await furnish(), await furnish()]
    const unlike = (answer: Answered) => ({ ...answer.body, request_id: '' })
    for (const route of ROUTES) {
      const named = `${route[0]} ${route[1]}`
      const theirs = await send(other, route, id, delivery)
      assert.deepEqual([theirs.status, theirs.body.code], [404, 'not_found'], named)
      assert.deepEqual(unlike(await send(other, route, NOBODY, NOBODY)), unlike(theirs), named)
      assert.equal((await send(other, route, 'no-uuid', delivery)).status, 404, named)
      if (!route[1].includes('DELIVERY')) continue
      for (const each of [delivery, NOBODY, 'no-uuid'])
        assert.equal((await send(other, route, own, each)).status, 404, `${named} with ${each}`)
    }
    const { description, is_active } = await owner.look(id)
    assert.deepEqual([description, is_active, (await owner.deliveries(id)).length], [null, true, 1])
    assert.equal((await owner.newest(id)).attempts.length, 1)
  })

  test('is for those with its permission', async () => {
    const { id: tenantId, owner, member } = await core.foundTenant()
    const made = await owner.post('/webhooks', { url: receiver.url, events: ['*'] })
    const { id } = made.body
    const sender = await owner.post(`/webhooks/${id}/test`)
    await core.drainJobs(tenantId)
    const nobody = await member({ permissions: ['store.view'] })
    const everything = ['webhook.view', 'webhook.create', 'webhook.update', 'webhook.delete']
    for (const route of ROUTES) {
      const [method, rest, permission] = route
      const denied = await send(nobody, route, id, sender.body.id)
      const place = `${method} ${rest}`
      assert.deepEqual(
        [denied.status, denied.body.code, denied.body.permission],
        [403, 'permission_denied', permission],
        place,
      )
      const others = await member({ permissions: everything.filter((each) => each !== permission) })
      assert.equal((await send(others, route, id, sender.body.id)).status, 403, place)
      const path = `/api/v1/webhooks/${id}${rest.replace('DELIVERY', sender.body.id)}`
      const stranger = await core.request(method, path, bodyOf(rest, route[3]))
      assert.deepEqual([stranger.status, stranger.body.code], [401, 'unauthenticated'], place)
    }
    const body = { url: receiver.url, events: ['*'] }
    for (const [method, path, permission] of [
      ['GET', '', 'webhook.view'],
      ['GET', '/events', 'webhook.view'],
      ['POST', '', 'webhook.create'],
    ] as const) {
      const more = method === 'POST' ? { body } : {}
      const denied = await nobody.request(method, `/webhooks${path}`, more)
      assert.deepEqual([denied.status, denied.body.permission], [403, permission])
      assert.equal((await core.request(method, `/api/v1/webhooks${path}`, more)).status, 401)
      const may = await member({ permissions: [permission] })
      assert.ok((await may.request(method, `/webhooks${path}`, more)).status < 300)
    }
  })

  test('answers HEAD as GET, and names its methods to others', async () => {
    const { owner, id, delivery } = await furnish()
    const paths = ['', '/events', `/${id}`, `/${id}/stats`, `/${id}/deliveries`, `/${id}/deliveries/${delivery}`]
    for (const path of paths) {
      const token = await owner.token()
      const head = await core.request('HEAD', `/api/v1/webhooks${path}`, { token })
      assert.deepEqual([head.status, head.text], [200, ''], path)
      const { status, body, headers } = await core.request('PATCH', `/api/v1/webhooks${path}`, { token, body: {} })
      assert.deepEqual([status, body.code], [405, 'method_not_allowed'], path)
      assert.match(String(headers.allow), /\bGET\b/)
    }
    for (const path of ['rotate-secret', 'test', 'replay', `deliveries/${delivery}/redeliver`]) {
      const { status, headers } = await owner.get(`/webhooks/${id}/${path}`)
      assert.deepEqual([status, headers.allow], [405, 'POST'], path)
    }
  })
})

describe('the plan', () => {
  for (const [plan, most] of [
    ['free', 1],
    ['starter', 5],
  ] as const)
    test(`${plan} allows ${most}, however many are made at once`, async () => {
      const owner = await createOwner(core, { plan })
      const answers = await twenty(() => owner.post('/webhooks', { url: receiver.url, events: ['*'] }))
      const count = (status: number) => answers.filter((answer) => answer.status === status).length
      assert.deepEqual([count(201), count(402)], [most, 20 - most])
      const refused = answers.find(({ status }) => status === 402)
      assert.partialDeepStrictEqual(refused?.body, {
        code: 'plan_limit_reached',
        limit: 'webhooks',
        max: most,
        used: most,
      })
      const { data } = await owner.send('GET', '/webhooks')
      assert.equal(data.length, most)
      await owner.send('PUT', `/webhooks/${data[0].id}`, { is_active: false })
      assert.equal(
        (await owner.post('/webhooks', { url: receiver.url, events: ['*'] })).status,
        402,
        'off is there too',
      )
      await owner.send('DELETE', `/webhooks/${data[0].id}`)
      await owner.addWebhook(receiver.url)
    })

  test('that has ended lets webhooks be seen and removed', async () => {
    const owner = await createOwner(core)
    const { id } = await owner.addWebhook(receiver.url)
    await owner.send('POST', '/subscriptions/current/cancel', { at_period_end: false })
    for (const refused of [
      await owner.post('/webhooks', { url: receiver.url, events: ['*'] }),
      await owner.put(`/webhooks/${id}`, { description: 'x' }),
      await owner.post(`/webhooks/${id}/test`),
    ])
      assert.deepEqual([refused.status, refused.body.code], [402, 'subscription_inactive'])
    await owner.look(id)
    await owner.send('DELETE', `/webhooks/${id}`)
  })
})
