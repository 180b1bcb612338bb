import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { after, afterEach, before, describe, it } from 'node:test'
import { type RedisServer, startRedisServer, WITHOUT_SERVER } from '../src/kernel/rates/redis-server.fixture.ts'
import { readList } from '../src/kernel/rates/structured-list.fixture.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'
import { keyOf, personOf, tenantOf, turnstile } from './turnstile-module.ts'

const given = process.env.TEST_REDIS_URL
const PROCESS = new URL('turnstile-process.ts', import.meta.url).pathname

let server: RedisServer | undefined
let children: ChildProcess[] = []
let cores: TestCore[] = []
before(async () => {
  if (!WITHOUT_SERVER) server = await startRedisServer()
})
after(() => server?.close())
afterEach(async () => {
  for (const child of children) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  children = []
  // The last one has the database.
  for (const core of cores.reverse()) await core.close()
  cores = []
})

const newSecret = () => `only-for-tests-${randomBytes(24).toString('base64url')}`

async function startCore(redisUrl: string, options: { secret?: string; beside?: TestCore } = {}): Promise<TestCore> {
  const test = await createTestCore({
    modules: [turnstile],
    rateLimits: true,
    database: options.beside?.database,
    env: { REDIS_URL: redisUrl, APP_SECRET: options.secret ?? newSecret(), TRUSTED_PROXIES: '127.0.0.0/8' },
  })
  cores.push(test)
  return test
}

/** A server in a process of its own. Returns its address. */
async function startProcess({ database }: TestCore, redisUrl: string, secret: string): Promise<string> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(database), redisUrl, secret], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [line] = await once(child.stdout!, 'data')
  return `http://127.0.0.1:${String(line).trim()}/api/v1`
}

const passOn = ({ request }: TestCore, path = '/gate/open', from = '192.0.2.1') =>
  request('GET', `/api/v1${path}`, { headers: { 'x-forwarded-for': from } })
const linesOf = ({ logs }: TestCore, words: RegExp) => logs.filter((line) => words.test(line))
const FAILED = /Redis failed/
const BACK = /"msg":"requests are counted in Redis"/
/** It was told once that memory took over, and not since that it is over. On a busy machine it may have been so before. */
const isAway = (test: TestCore) => linesOf(test, FAILED).length === linesOf(test, BACK).length + 1
const isBack = (test: TestCore) => linesOf(test, BACK).length > 0 && !isAway(test)

describe('two processes on one Redis', { skip: given ? false : WITHOUT_SERVER }, () => {
  it('let through exactly 50 of 200 requests at once under a limit of 50', async () => {
    const redisUrl = given ?? server!.url
    const secret = newSecret()
    const test = await startCore(redisUrl)
    const addresses = [await startProcess(test, redisUrl, secret), await startProcess(test, redisUrl, secret)] as const // a pair
    /** How often memory took over in both, and whether they count in Redis now. */
    const states = async () => {
      const texts = await Promise.all(addresses.map(async (url) => (await fetch(new URL('/metrics', url))).text()))
      return texts.map((text) => text.match(/^tenantry_rate_limit(?:_takeovers_total|s_shared) \d+$/gm)?.join())
    }
    const sendAll = (key: string) =>
      Promise.all(
        Array.from({ length: 200 }, (_, at) =>
          fetch(`${addresses[at % 2]}/gate`, { headers: { authorization: `Bearer ${key}` } }),
        ),
      )
    let answers: Response[] = []
    // A machine that is too busy to answer in a quarter of a second proves nothing: memory takes over then.
    await until('both have counted in Redis alone', async () => {
      const before = await states()
      const apiKeyId = randomBytes(8).toString('hex')
      answers = await sendAll(keyOf({ tenantId: tenantOf(1), apiKeyId, requestsPerMinute: 50 }))
      return String(before) === String(await states()) && before.every((text) => text?.endsWith('shared 1'))
    })
    const ofStatus = (status: number) => answers.filter((answer) => answer.status === status)
    assert.deepEqual([ofStatus(204).length, ofStatus(429).length], [50, 150])
    // Each was told another number of what is left, down to none.
    const left = ofStatus(204).map(({ headers }) => readList(headers.get('ratelimit'))[0]?.r)
    assert.deepEqual(
      left.toSorted((a, b) => Number(b) - Number(a)),
      Array.from({ length: 50 }, (_, at) => 49 - at),
    )
  })

  it('are apart from another installation there, which has another secret', async () => {
    const redisUrl = given ?? server!.url
    const one = await startCore(redisUrl)
    const other = await startCore(redisUrl, { beside: one })
    for (let sent = 0; sent < 61; sent++) await passOn(one)
    assert.equal((await passOn(one)).status, 429)
    assert.equal((await passOn(other)).status, 204)
  })

  it('keep neither e-mail addresses nor credentials there', async () => {
    const { createClient } = await import('@redis/client')
    const redisUrl = given ?? server!.url
    const test = await startCore(redisUrl)
    await test.request('POST', '/api/v1/gate/sign-in', { body: { email: 'ada@example.com' } })
    await test.request('GET', '/api/v1/gate', { token: personOf('ada') })
    const client = createClient({ url: redisUrl })
    await client.connect()
    const keys = await client.keys('tenantry:*')
    client.destroy()
    assert.ok(keys.some((key) => key.includes(':auth_account:')))
    for (const key of keys) assert.doesNotMatch(key, /example|@|claim/)
  })
})

describe('a Redis that is gone', { skip: WITHOUT_SERVER }, () => {
  it('shows its password in no line', async () => {
    const own = await startRedisServer(['--requirepass', 'hunter2hunter2'])
    try {
      const wrong = await startCore(`redis://somebody:hunter3hunter3@127.0.0.1:${own.port}`)
      await passOn(wrong)
      await assert.rejects(wrong.core.rates.check(), (error: Error) => !/hunter|somebody/.test(error.message))
      assert.equal(linesOf(wrong, /"reason":"WRONGPASS".*Redis failed/).length, 1)
      assert.equal(linesOf(wrong, /hunter|somebody/).length, 0)
    } finally {
      await own.close()
    }
  })

  it('fails no request: memory takes over with the first one, is logged and measured, and it returns by itself', async () => {
    const own = await startRedisServer()
    try {
      const test = await startCore(own.url)
      assert.equal((await passOn(test)).headers['x-ratelimit-remaining'], '59')
      await own.kill()
      const answers = await Promise.all(Array.from({ length: 100 }, () => passOn(test)))
      assert.deepEqual(
        [204, 429].map((wanted) => answers.filter(({ status }) => status === wanted).length),
        [60, 40],
      )
      assert.ok(isAway(test))
      const measured = await test.request('GET', '/metrics')
      assert.match(measured.text, /^tenantry_rate_limit_takeovers_total [1-9]\d*$/m)
      assert.match(measured.text, /^tenantry_rate_limits_shared 0$/m)
      assert.equal((await test.request('GET', '/health/ready')).status, 200)
      await assert.rejects(test.core.rates.check(), /REDIS_URL/)

      await own.start()
      await until('it counts there again', () => isBack(test))
      assert.equal((await passOn(test)).headers['x-ratelimit-remaining'], '59')
      assert.match(await test.core.rates.check(), /counted in Redis/)
    } finally {
      await own.close()
    }
  })

  it('and hangs instead makes the requests wait that it has, and none after them', async () => {
    const own = await startRedisServer()
    try {
      const test = await startCore(own.url)
      await passOn(test)
      own.signal('SIGSTOP')
      const waiting = await Promise.all(Array.from({ length: 20 }, () => passOn(test)))
      assert.ok(waiting.every(({ status }) => status === 204))
      assert.ok(isAway(test) && linesOf(test, /"reason":"TIMEOUT".*Redis failed/).length > 0)
      // It is asked for nothing any more: each of these would wait for as long again.
      const taken = Array.from({ length: 100 }, () =>
        test.core.rates.take([{ policy: 'public', subject: 'x', max: 1_000, windowMs: 60_000 }]),
      )
      assert.ok(taken.every((each) => !(each instanceof Promise)))
      own.signal('SIGCONT')
      await until('it counts there again', () => isBack(test))
      assert.equal((await passOn(test)).status, 204)
    } finally {
      own.signal('SIGCONT')
      await own.close()
    }
  })

  it('at the start lets the server start, and is used once it is there', async () => {
    const own = await startRedisServer()
    try {
      await own.kill()
      const test = await startCore(own.url)
      assert.equal((await passOn(test)).status, 204)
      assert.ok(isAway(test))
      await own.start()
      await until('it counts there', () => isBack(test))
    } finally {
      await own.close()
    }
  })

  it('or refuses to write is one that is gone', async () => {
    const own = await startRedisServer()
    try {
      const test = await startCore(own.url)
      await passOn(test)
      const { createClient } = await import('@redis/client')
      const client = createClient({ url: own.url })
      await client.connect()
      await client.sendCommand(['CONFIG', 'SET', 'maxmemory', '1'])
      assert.equal((await passOn(test)).status, 204)
      assert.equal(linesOf(test, /"reason":"OOM".*Redis failed/).length, 1)
      await client.sendCommand(['CONFIG', 'SET', 'maxmemory', '0'])
      client.destroy()
      await until('it counts there again', () => isBack(test))
    } finally {
      await own.close()
    }
  })
})
