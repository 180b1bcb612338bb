import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { readList } from '../src/kernel/rates/structured-list.fixture.ts'
import { type Answered, createTestCore, type RequestOptions, type TestCore } from '../src/testing/index.ts'
import { keyOf, personOf, tenantOf, turnstile } from './turnstile-module.ts'

let t: TestCore
afterEach(() => t.close())

/** A core behind a proxy that says which address a request comes from. */
async function start(env: Record<string, string> = {}) {
  t = await createTestCore({
    modules: [turnstile],
    rateLimits: true,
    env: { TRUSTED_PROXIES: '127.0.0.0/8', ...env },
  })
}

const send = (path: string, options: RequestOptions & { from?: string; method?: string } = {}) => {
  const { from = '192.0.2.1', method = 'GET', ...rest } = options
  return t.request(method, `/api/v1${path}`, { ...rest, headers: { 'x-forwarded-for': from, ...rest.headers } })
}

/** Sends so many, one after the other. Returns their statuses, the same ones counted. */
async function sendMany(amount: number, path: string, options: Parameters<typeof send>[1] = {}) {
  const statuses: Record<number, number> = {}
  for (let sent = 0; sent < amount; sent++) {
    const { status } = await send(path, options)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

const limitsOf = ({ headers }: Answered) => readList(headers.ratelimit).map(({ name, r }) => [name, r])
const namesOf = ({ headers }: Answered) => readList(headers['ratelimit-policy']).map(({ name }) => name)
const violated = ({ body }: Answered) => body.violated_policies

function assertRefused(answer: Answered, ...policies: string[]): void {
  assert.equal(answer.status, 429, answer.text)
  assert.equal(answer.body.code, 'rate_limited')
  assert.deepEqual(violated(answer), policies)
  const waits = readList(answer.headers.ratelimit).filter(({ name }) => policies.includes(String(name)))
  assert.equal(waits.length, policies.length)
  for (const { r, t } of waits) {
    assert.equal(r, 0)
    assert.ok(Number(answer.headers['retry-after']) >= Number(t))
  }
}

describe('what requests are counted under', () => {
  it('is the address on a public route, 60 a minute', async () => {
    await start()
    const first = await send('/gate/open')
    assert.deepEqual(readList(first.headers['ratelimit-policy']), [{ name: 'public', q: 60, w: 60 }])
    assert.deepEqual(limitsOf(first), [['public', 59]])
    assert.equal(first.headers['x-ratelimit-limit'], '60')
    assert.equal(first.headers['x-ratelimit-remaining'], '59')
    assert.deepEqual(await sendMany(60, '/gate/open'), { 204: 59, 429: 1 })
    assertRefused(await send('/gate/open'), 'public')
    assert.equal((await send('/gate/open', { from: '192.0.2.2' })).status, 204)
  })

  it('is the person, 600 a minute, wherever they are', async () => {
    await start()
    const ada = { token: personOf('ada') }
    const first = await send('/gate', ada)
    assert.deepEqual(readList(first.headers['ratelimit-policy']), [{ name: 'user', q: 600, w: 60 }])
    assert.deepEqual(limitsOf(await send('/gate', { ...ada, from: '192.0.2.9' })), [['user', 598]])
    assert.deepEqual(limitsOf(await send('/gate', { token: personOf('ben') })), [['user', 599]])
  })

  it('is the key: 600 a minute, or its own figure', async () => {
    await start()
    const key = (apiKeyId: string, requestsPerMinute?: number) => ({
      headers: { 'x-api-key': keyOf({ tenantId: tenantOf(1), apiKeyId, requestsPerMinute }) },
    })
    assert.deepEqual(readList((await send('/gate', key('a'))).headers['ratelimit-policy']), [
      { name: 'key', q: 600, w: 60 },
    ])
    assert.deepEqual(await sendMany(4, '/gate', key('b', 3)), { 204: 3, 429: 1 })
    assertRefused(await send('/gate', key('b', 3)), 'key')
    const line = t.logs.find((line) => line.includes('requests are refused'))
    assert.match(line ?? '', new RegExp(`"tenant_id":"${tenantOf(1)}","policies":\\["key"\\]`))
    assert.equal((await send('/gate', key('c', 3))).status, 204)
  })

  it('is the tenant too, by its plan, for people and keys together', async () => {
    await start()
    const headers = { 'x-api-key': keyOf({ tenantId: tenantOf(2), apiKeyId: 'a' }) }
    assert.deepEqual(limitsOf(await send('/gate', { headers })), [
      ['key', 599],
      ['tenant', 4],
    ])
    const last = await send('/gate', { token: personOf('ada', 2) })
    assert.deepEqual(limitsOf(last), [
      ['user', 599],
      ['tenant', 3],
    ])
    assert.equal(last.headers['x-ratelimit-limit'], '5')
    assert.deepEqual(await sendMany(4, '/gate', { token: personOf('ben', 2) }), { 204: 3, 429: 1 })
    assertRefused(await send('/gate', { headers }), 'tenant')
    // The tenant next door, and whoever belongs to none, go on.
    assert.equal((await send('/gate', { token: personOf('ada', 1) })).status, 204)
    assert.deepEqual(namesOf(await send('/gate/own', { token: personOf('ada', null) })), ['user'])
  })

  it('leaves out what asks how the server is', async () => {
    await start()
    for (const path of ['/health', '/metrics', '/api/openapi.json']) {
      for (let sent = 0; sent < 70; sent++) {
        const { status, headers } = await t.request('GET', path)
        assert.equal(status, 200)
        assert.equal(headers.ratelimit, undefined)
        assert.equal(headers['ratelimit-policy'], undefined)
      }
    }
  })

  it('leaves out preflights, and lets pages read the headers', async () => {
    await start({ CORS_ORIGINS: 'https://app.example.com' })
    const origin = { origin: 'https://app.example.com' }
    const asking = { ...origin, 'access-control-request-method': 'GET' }
    for (let sent = 0; sent < 70; sent++)
      assert.equal(
        (await t.app.inject({ method: 'OPTIONS', url: '/api/v1/gate/open', headers: asking })).statusCode,
        204,
      )
    const answer = await send('/gate/open', { headers: origin })
    assert.deepEqual(limitsOf(answer), [['public', 59]])
    const exposed = String(answer.headers['access-control-expose-headers']).split(', ')
    for (const name of ['RateLimit', 'RateLimit-Policy', 'X-RateLimit-Limit', 'Retry-After'])
      assert.ok(exposed.includes(name), name)
  })

  it('leaves out paths and methods that do not exist, and counts HEAD as GET', async () => {
    await start()
    assert.equal((await send('/nowhere')).headers.ratelimit, undefined)
    assert.equal((await send('/gate/open', { method: 'POST' })).status, 405)
    const { status, headers } = await send('/gate/open', { method: 'HEAD' })
    assert.equal(status, 204)
    assert.deepEqual(readList(headers.ratelimit), [{ name: 'public', r: 59, t: 60 }])
    await sendMany(59, '/gate/open')
    const refused = await send('/gate/open', { method: 'HEAD' })
    assert.equal(refused.status, 429)
    assert.equal(refused.text, '')
    assert.ok(Number(refused.headers['retry-after']) > 0)
  })

  it('tells with refusals of other kinds, too', async () => {
    await start()
    const notFound = await send('/gate/no-uuid', { token: personOf('ada') })
    assert.equal(notFound.status, 404)
    assert.deepEqual(limitsOf(notFound), [['user', 599]])
    const invalid = await send('/gate/open?x=1')
    assert.equal(invalid.status, 400)
    assert.deepEqual(limitsOf(invalid), [['public', 59]])
  })
})

describe('requests without a valid credential', () => {
  it('count by address, and end in 429 instead of 401; a valid one from there goes on', async () => {
    await start()
    const missing = await send('/gate')
    assert.equal(missing.status, 401)
    assert.deepEqual(limitsOf(missing), [['public', 59]])
    const wrongKey = { headers: { 'x-api-key': 'turnstile_wrong' } }
    assert.deepEqual(await sendMany(60, '/gate', wrongKey), { 401: 59, 429: 1 })
    assertRefused(await send('/gate', wrongKey), 'public')
    assertRefused(await send('/gate'), 'public')
    assert.equal((await send('/gate', { token: personOf('ada') })).status, 204)
    assert.equal((await send('/gate', { ...wrongKey, from: '192.0.2.2' })).status, 401)
  })
})

describe('the address of a client', () => {
  it('is that of an IPv6 network of 64 bits', async () => {
    await start()
    await sendMany(60, '/gate/open', { from: '2001:db8:1:2::1' })
    assertRefused(await send('/gate/open', { from: '2001:db8:1:2:ffff::9' }), 'public')
    assert.equal((await send('/gate/open', { from: '2001:db8:1:3::1' })).status, 204)
  })

  it('is read from the right: what a client writes itself gives it no new count', async () => {
    await start()
    for (let sent = 0; sent < 60; sent++) await send('/gate/open', { from: `198.51.100.${sent}, 192.0.2.1` })
    assertRefused(await send('/gate/open', { from: '203.0.113.7, 192.0.2.1' }), 'public')
  })

  it('counts in one bucket where it cannot be read', async () => {
    await start()
    const unread = () => t.app.inject({ url: '/api/v1/gate/open', remoteAddress: 'nowhere' })
    for (let sent = 0; sent < 60; sent++) assert.equal((await unread()).statusCode, 204)
    assert.equal((await unread()).statusCode, 429)
    assert.equal((await send('/gate/open')).status, 204)
  })
})

describe('signing in', () => {
  const signIn = (email: string, from?: string) => send('/gate/sign-in', { method: 'POST', body: { email }, from })

  it('is limited to 10 a minute from an address, apart from other public requests', async () => {
    await start()
    for (let sent = 0; sent < 10; sent++) assert.equal((await signIn(`p${sent}@example.com`)).status, 204)
    const refused = await signIn('another@example.com')
    assertRefused(refused, 'auth')
    assert.deepEqual(namesOf(refused), ['auth'])
    assert.equal((await send('/gate/open')).status, 204)
    assert.equal((await signIn('p0@example.com', '192.0.2.2')).status, 204)
  })

  it('is limited to 5 a minute at one account, however it is written, and for nobody elsewhere', async () => {
    await start()
    const written = ['ada@example.com', 'ADA@example.com', ' ada@Example.COM', 'ada@example.com', 'Ada@example.com']
    for (const email of written) assert.equal((await signIn(email)).status, 204)
    assertRefused(await signIn('ada@example.com'), 'auth_account')
    assert.equal((await signIn('ben@example.com')).status, 204)
    assert.equal((await signIn('ada@example.com', '192.0.2.2')).status, 204)
  })

  it('counts an account only once its body is valid', async () => {
    await start()
    const wrong = { method: 'POST', body: { email: 'ada@example.com', x: 1 } }
    assert.deepEqual(await sendMany(6, '/gate/sign-in', wrong), { 400: 6 })
    assert.deepEqual(limitsOf(await signIn('ada@example.com')), [
      ['auth', 3],
      ['auth_account', 4],
    ])
  })

  it('is counted before a body is read', async () => {
    await start()
    for (let sent = 0; sent < 10; sent++) await signIn(`p${sent}@example.com`)
    const headers = { 'content-type': 'application/json' }
    assertRefused(await send('/gate/sign-in', { method: 'POST', headers, payload: '{"email": ' }), 'auth')
  })

  it('shows neither an e-mail address nor an address in what is logged', async () => {
    await start()
    for (let sent = 0; sent < 7; sent++) await signIn('ada@example.com')
    const lines = t.logs.filter((line) => line.includes('requests are refused'))
    assert.equal(lines.length, 1, 'one line for a flood')
    assert.match(lines[0]!, /"policies":\["auth_account"\]/)
    assert.doesNotMatch(lines[0]!, /ada|192\.0\.2/)
  })
})

describe('the rate limits of an application', () => {
  it('count in addition to the others, for the person or key', async () => {
    await start()
    const ada = { token: personOf('ada') }
    assert.deepEqual(limitsOf(await send('/gate/reports', ada)), [
      ['user', 599],
      ['reports', 2],
    ])
    assert.deepEqual(await sendMany(3, '/gate/reports', ada), { 204: 2, 429: 1 })
    const refused = await send('/gate/reports', ada)
    assertRefused(refused, 'reports')
    assert.ok(Number(refused.headers['retry-after']) > 3_000)
    assert.equal((await send('/gate', ada)).status, 204)
    assert.equal((await send('/gate/reports', { token: personOf('ben') })).status, 204)
    const key = { 'x-api-key': keyOf({ tenantId: tenantOf(1), apiKeyId: 'a' }) }
    assert.deepEqual(namesOf(await send('/gate/reports', { headers: key })), ['key', 'reports'])
  })

  it('may count addresses and accounts on public routes', async () => {
    await start()
    assert.deepEqual(await sendMany(5, '/gate/tickets'), { 204: 4, 429: 1 })
    const subscribe = { method: 'POST', body: { email: 'ada@example.com' } }
    assert.deepEqual(await sendMany(3, '/gate/newsletter', subscribe), { 204: 2, 429: 1 })
  })

  it('may count keys alone, and take a figure from the plan', async () => {
    await start()
    const key = { headers: { 'x-api-key': keyOf({ tenantId: tenantOf(1), apiKeyId: 'a' }) } }
    assert.deepEqual(namesOf(await send('/gate/machines', { token: personOf('ada') })), ['user', 'exports'])
    assert.deepEqual(namesOf(await send('/gate/machines', key)), ['key', 'machines', 'exports'])
    assert.deepEqual(await sendMany(2, '/gate/machines', key), { 204: 1, 429: 1 })
    assert.deepEqual(await sendMany(3, '/gate/machines', { token: personOf('ada', 2) }), { 204: 2, 429: 1 })
  })
})

describe('a flood', () => {
  it('of one person uses up nothing of their tenant', async () => {
    await start({ RATE_LIMIT_FACTOR: '0.005' })
    // A person has 3 requests then, and their tenant 5.
    assert.deepEqual(await sendMany(50, '/gate', { token: personOf('ada', 3) }), { 204: 3, 429: 47 })
    assert.deepEqual(limitsOf(await send('/gate', { token: personOf('ben', 3) })), [
      ['user', 2],
      ['tenant', 1],
    ])
  })

  it('that is refused by a limit of a route uses up nothing of the person', async () => {
    await start()
    const ada = { token: personOf('ada') }
    await sendMany(20, '/gate/reports', ada)
    assert.deepEqual(limitsOf(await send('/gate', ada)), [['user', 596]])
  })
})

describe('RATE_LIMIT_FACTOR', () => {
  it('multiplies every limit', async () => {
    await start({ RATE_LIMIT_FACTOR: '2' })
    const figures = async (answer: Promise<Answered>) =>
      readList((await answer).headers['ratelimit-policy']).map(({ name, q }) => [name, q])
    assert.deepEqual(await figures(send('/gate/open')), [['public', 120]])
    assert.deepEqual(await figures(send('/gate/reports', { token: personOf('ada', 2) })), [
      ['user', 1_200],
      ['tenant', 10],
      ['reports', 6],
    ])
    const key = keyOf({ tenantId: tenantOf(1), apiKeyId: 'a', requestsPerMinute: 7 })
    assert.deepEqual(await figures(send('/gate', { headers: { 'x-api-key': key } })), [['key', 14]])
  })

  it('leaves one request where it would leave none', async () => {
    await start({ RATE_LIMIT_FACTOR: '0.0001' })
    assert.deepEqual(await sendMany(2, '/gate/open'), { 204: 1, 429: 1 })
  })

  it('switches all of them off by 0', async () => {
    await start({ RATE_LIMIT_FACTOR: '0' })
    const answer = await send('/gate/open')
    assert.equal(answer.headers.ratelimit, undefined)
    assert.equal(answer.headers['x-ratelimit-limit'], undefined)
    assert.deepEqual(await sendMany(70, '/gate/open'), { 204: 70 })
  })
})

describe('windows', () => {
  it('end by no clock that can be set', async () => {
    await start()
    await sendMany(60, '/gate/open')
    t.clock.advance(2 * 60 * 60 * 1_000)
    assertRefused(await send('/gate/open'), 'public')
    t.clock.advance(-4 * 60 * 60 * 1_000)
    const refused = await send('/gate/open')
    assertRefused(refused, 'public')
    assert.ok(Number(refused.headers['retry-after']) <= 60)
  })
})

describe('a proxy that nobody has named', () => {
  const lineOf = () => t.logs.find((line) => line.includes('requests are refused')) ?? ''

  it('is what the line about a refusal reminds of', async () => {
    await start({ TRUSTED_PROXIES: '' })
    for (let sent = 0; sent < 61; sent++) await send('/gate/open', { from: `192.0.2.${sent}` })
    assert.match(lineOf(), /TRUSTED_PROXIES is not set/)
  })

  it('is none where it is named', async () => {
    await start()
    await sendMany(61, '/gate/open')
    assert.doesNotMatch(lineOf(), /TRUSTED_PROXIES/)
  })
})

describe('what is measured', () => {
  it('counts refused requests by policy', async () => {
    await start()
    await sendMany(63, '/gate/open')
    const { text } = await t.request('GET', '/metrics')
    assert.match(text, /^tenantry_rate_limited_total\{policy="public"\} 3$/m)
    assert.match(text, /^tenantry_rate_limits_shared 0$/m)
  })
})

describe('simultaneous requests', () => {
  it('are let through exactly as often as the limit says', async () => {
    await start()
    const answers = await Promise.all(Array.from({ length: 200 }, () => send('/gate/open')))
    assert.equal(answers.filter(({ status }) => status === 204).length, 60)
    assert.equal(answers.filter(({ status }) => status === 429).length, 140)
  })
})
