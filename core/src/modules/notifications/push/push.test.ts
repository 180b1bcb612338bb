import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { ConfigError, DAYS, loadConfig, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { notifications } from '../index.ts'
import { announce, listOf } from '../notifications.fixture.ts'
import { makeBrowser, openPushService } from './push.fixture.ts'

let t: TestCore
let tenant: TestTenant
let service: Awaited<ReturnType<typeof openPushService>>
before(async () => {
  t = await createTestCore()
  service = await openPushService()
  tenant = await t.foundTenant({ plan: 'business' })
  await t.drainJobs(tenant.id)
})
after(async () => {
  await t.close()
  await service.close()
})

const PATH = '/notifications/push-subscriptions'
const browserOf = () => makeBrowser(`${service.url}/send/${newId()}`)
/** Somebody with a browser that is told. */
async function subscriber() {
  const person = await tenant.member()
  const browser = browserOf()
  const { status, body } = await person.post(PATH, browser.subscription)
  assert.equal(status, 201)
  return { person, browser, id: body.id as string }
}
const sentTo = ({ subscription: { endpoint } }: ReturnType<typeof makeBrowser>) =>
  service.received.filter(({ path }) => endpoint.endsWith(path))
const rowsOf = async (person: TestPerson) =>
  (
    await t.core.db.systemQuery<{ n: number }>(
      'select count(*)::int as n from push_subscriptions where tenant_id = $1 and user_id = $2',
      [tenant.id, person.userId],
    )
  )[0]?.n

describe('a notification', () => {
  test('reaches the browser, which alone can read it, signed by this installation', async () => {
    const { person, browser } = await subscriber()
    const title = await announce(t, tenant.id)
    const [sent, ...more] = sentTo(browser)
    assert.ok(sent && more.length === 0)
    const [listed] = await listOf(person)
    has(browser.read(sent.body), { id: listed?.id, kind: 'announcement', title, message: 'Read this.', link: null })
    assert.throws(() => browserOf().read(sent.body))
    has(sent.headers, { 'content-encoding': 'aes128gcm', ttl: '86400', urgency: 'normal' })
    assert.match(String(sent.headers.topic), /^[\w-]{32}$/)
    const [, token = '', key] = /^vapid t=(\S+), k=(\S+)$/.exec(String(sent.headers.authorization)) ?? []
    assert.equal(key, (await person.get('/notifications/push-key')).body.public_key)
    const [head, claims, signature = ''] = token.split('.')
    const point = Buffer.from(key ?? '', 'base64url')
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    const signed = Buffer.from(`${head}.${claims}`)
    const isSigned = verify(
      'sha256',
      signed,
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
    assert.ok(isSigned)
    assert.equal(JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()).aud, service.url)
  })

  test('that is long is cut to what push services take', async () => {
    const { browser } = await subscriber()
    const { announcementNotice } = await import('../kinds.ts')
    const data = { title: 'Long', message: 'ü'.repeat(4_000) }
    await tenant.run((ctx) => ctx.notify(announcementNotice, { data }))
    await t.drainJobs(tenant.id)
    const [sent] = sentTo(browser)
    assert.ok(sent && sent.body.length <= 4_096)
    assert.match(browser.read(sent.body).message, /^ü{1000,}…$/)
  })

  test('is not pushed to whoever switched that off', async () => {
    const { person, browser } = await subscriber()
    const change = { data: [{ notification_type: 'announcement', push_enabled: false }] }
    const { body } = await person.put('/notifications/preferences', change)
    has(
      body.data.find((each: { notification_type: string }) => each.notification_type === 'announcement'),
      {
        push_enabled: false,
      },
    )
    await announce(t, tenant.id)
    assert.equal(sentTo(browser).length, 0)
  })

  test('is tried again when the service fails, and the browser that is gone is forgotten', async () => {
    const { person, browser } = await subscriber()
    service.status = 503
    await announce(t, tenant.id)
    assert.equal(sentTo(browser).length, 1)
    assert.equal(await rowsOf(person), 1)
    service.status = 307
    service.headers = { location: `${service.url}/elsewhere` }
    t.clock.advance(60_000)
    await t.drainJobs(tenant.id)
    assert.equal(sentTo(browser).length, 2)
    assert.ok(!service.received.some(({ path }) => path === '/elsewhere'), 'no redirect is followed')
    for (const status of [404, 410]) {
      const other = await subscriber()
      service.status = status
      await announce(t, tenant.id)
      assert.equal(sentTo(other.browser).length, 1)
      assert.equal(await rowsOf(other.person), 0)
      service.status = 201
    }
    service.headers = {}
  })

  test('goes nowhere into the own network, whatever the address led to when it was given', async () => {
    const { person, browser } = await subscriber()
    const strict = await createTestCore({ database: t.database, env: { OUTBOUND_ALLOW: '' } })
    try {
      const title = await announce(strict, tenant.id)
      assert.equal((await listOf(person))[0]?.title, title)
      assert.equal(sentTo(browser).length, 0)
      const path = `/api/v1${PATH}`
      for (const endpoint of [
        browser.subscription.endpoint,
        'https://10.0.0.1/x',
        'https://[::1]/x',
        'file:///etc/passwd',
      ]) {
        const body = { ...browser.subscription, endpoint }
        const { status } = await strict.request('POST', path, { token: await person.token(), body })
        assert.equal(status, 400, endpoint)
      }
    } finally {
      await strict.close()
    }
  })

  test('of another tenant is not pushed here', async () => {
    const { browser } = await subscriber()
    const elsewhere = await t.foundTenant()
    await announce(t, elsewhere.id)
    assert.equal(sentTo(browser).length, 0)
  })
})

describe('a subscription', () => {
  test('goes with its session, and with the membership', async () => {
    const { person, browser } = await subscriber()
    await person.post('/auth/logout', {})
    const left = await subscriber()
    assert.equal((await tenant.owner.delete(`/users/${left.person.userId}`)).status, 204)
    assert.equal(await rowsOf(left.person), 0)
    await announce(t, tenant.id)
    assert.equal(sentTo(browser).length + sentTo(left.browser).length, 0)
    assert.equal(await rowsOf(person), 0)
  })

  test('is one for each browser, and its person’s alone', async () => {
    const { person, browser, id } = await subscriber()
    has(await person.post(PATH, browser.subscription), { status: 201, body: { id } })
    assert.equal(await rowsOf(person), 1)
    const other = await tenant.member()
    const named = `${PATH}?endpoint=${encodeURIComponent(browser.subscription.endpoint)}` as const
    assert.equal((await other.delete(named)).status, 404)
    assert.equal((await other.delete(`${PATH}/${id}`)).status, 404)
    has(await other.post(PATH, browser.subscription), { status: 201, body: { id, user_id: other.userId } })
    assert.equal(await rowsOf(person), 0)
    assert.equal((await other.delete(named)).status, 204)
    assert.equal((await other.delete(named)).status, 404)
  })

  test('is one of twenty at most, however many are made at once', async () => {
    const person = await tenant.member()
    await person.token()
    const all = Array.from({ length: 25 }, () => person.post(PATH, browserOf().subscription))
    assert.ok((await Promise.all(all)).every(({ status }) => status === 201))
    assert.equal(await rowsOf(person), 20)
  })

  test('that could not be used is refused, with all that is wrong', async () => {
    const { subscription } = browserOf()
    const notOnCurve = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url')
    const keys = { p256dh: notOnCurve, auth: Buffer.alloc(15).toString('base64url') }
    const { status, body } = await tenant.owner.post(PATH, { ...subscription, endpoint: 'http://10.0.0.1/x', keys })
    assert.equal(status, 400)
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer)
    assert.deepEqual(pointers, ['#/endpoint', '#/keys/p256dh', '#/keys/auth'])
    for (const p256dh of ['AAAA', '!', `${subscription.keys.p256dh}AA`])
      assert.equal((await tenant.owner.post(PATH, { ...subscription, keys: { ...keys, p256dh } })).status, 400)
  })

  test('stands nowhere in plain text', async () => {
    const { browser } = await subscriber()
    const rows = await t.core.db.systemQuery('select push_subscriptions.*, endpoint_hash::text from push_subscriptions')
    const records = await t.core.db.systemQuery('select * from audit_logs where tenant_id = $1', [tenant.id])
    const text = JSON.stringify([rows, records, t.logs])
    const { endpoint, keys } = browser.subscription
    for (const secret of [endpoint, keys.p256dh, keys.auth]) assert.ok(!text.includes(secret))
  })
})

describe('the keys of the installation', () => {
  const good = () => {
    const { p256dh } = browserOf().subscription.keys
    return p256dh
  }
  test('are refused at start where they are half set or no pair', () => {
    const problems = (env: Record<string, string>) => {
      try {
        loadConfig({ NODE_ENV: 'test', ...env }, [notifications])
        return ''
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        return error.message
      }
    }
    assert.match(problems({ VAPID_PUBLIC_KEY: good() }), /VAPID_PRIVATE_KEY is not/)
    const secret = Buffer.alloc(32, 9).toString('base64url')
    assert.match(problems({ VAPID_PRIVATE_KEY: secret }), /VAPID_PUBLIC_KEY is not/)
    const text = problems({ VAPID_PUBLIC_KEY: good(), VAPID_PRIVATE_KEY: secret })
    assert.match(text, /no pair/)
    assert.ok(!text.includes(secret))
  })

  test('without them nothing is pushed, and preferences do not offer it', async () => {
    const without = await createTestCore({ database: t.database, env: { VAPID_PUBLIC_KEY: '', VAPID_PRIVATE_KEY: '' } })
    without.clock.advance(t.clock.ms() - Date.now())
    const token = await tenant.owner.token()
    const ask = (method: string, path: string, body?: unknown) =>
      without.request(method, `/api/v1/notifications${path}`, { token, body })
    assert.equal((await ask('GET', '/push-key')).status, 404)
    assert.equal((await ask('POST', '/push-subscriptions', browserOf().subscription)).status, 404)
    const { body } = await ask('GET', '/preferences')
    assert.ok(body.data.every(({ push_enabled }: { push_enabled: boolean }) => !push_enabled))
    const wish = { data: [{ notification_type: 'announcement', push_enabled: true }] }
    assert.equal((await ask('PUT', '/preferences', wish)).status, 400)
    await without.close()
  })
})

test('what waits for a browser is given up once it is old', async () => {
  const { person, browser } = await subscriber()
  service.status = 500
  await announce(t, tenant.id)
  for (let days = 0; days < 3; days++) {
    t.clock.advance(1 * DAYS)
    await t.drainJobs(tenant.id)
  }
  assert.ok(sentTo(browser).length <= 6)
  service.status = 201
  assert.ok(person)
})
