import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import { createClient } from '@redis/client'
import { createRedisRates } from './redis.ts'
import { type RedisServer, startRedisServer, WITHOUT_SERVER } from './redis-server.fixture.ts'
import type { Counter, RateStore } from './store.ts'

const given = process.env.TEST_REDIS_URL
const skip = given ? false : WITHOUT_SERVER

let server: RedisServer | undefined
let url: string
let prefix: string
before(async () => {
  if (skip) return
  if (!given) server = await startRedisServer()
  url = given ?? server!.url
  prefix = `test:{rates:${randomBytes(6).toString('hex')}}:`
})
after(() => server?.close())

const open: RateStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close?.()
})

async function connected(): Promise<RateStore> {
  const store = createRedisRates(url, prefix)
  open.push(store)
  await store.probe?.()
  return store
}

let subjects = 0
const counter = (fields: Partial<Counter> = {}): Counter => ({
  policy: 'user',
  subject: `${++subjects}`,
  max: 3,
  windowMs: 60_000,
  ...fields,
})

async function withClient<T>(work: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
  const client = createClient({ url, RESP: 2 }) as ReturnType<typeof createClient> // the same commands
  await client.connect()
  try {
    return await work(client)
  } finally {
    client.destroy()
  }
}

describe('counts in Redis', { skip }, () => {
  it('let through as many as the maximum, and say how many there are and for how long', async () => {
    const store = await connected()
    const one = counter()
    const taken = []
    for (let sent = 0; sent < 5; sent++) taken.push(await store.take([one]))
    assert.deepEqual(
      taken.map(({ isAllowed, counts }) => [isAllowed, counts[0]?.used]),
      [
        [true, 1],
        [true, 2],
        [true, 3],
        [false, 3],
        [false, 3],
      ],
    )
    for (const { counts } of taken) assert.ok(counts[0]!.leftMs > 0 && counts[0]!.leftMs <= 60_000)
  })

  it('are one count for all who ask at once', async () => {
    const [one, two] = [await connected(), await connected()]
    const shared = counter({ max: 50 })
    const taken = await Promise.all(Array.from({ length: 200 }, (_, at) => (at % 2 ? one : two).take([shared])))
    assert.equal(taken.filter(({ isAllowed }) => isAllowed).length, 50)
  })

  it('use up nothing of the other counts of a request that is refused', async () => {
    const store = await connected()
    const [person, tenant] = [counter(), counter({ policy: 'tenant', max: 100 })]
    for (let sent = 0; sent < 20; sent++) await store.take([person, tenant])
    assert.equal((await store.take([tenant])).counts[0]?.used, 4)
  })

  it('begin a new window when one has ended', async () => {
    const store = await connected()
    const short = counter({ windowMs: 50, max: 1 })
    assert.equal((await store.take([short])).isAllowed, true)
    let taken = await store.take([short])
    for (let tries = 0; !taken.isAllowed && tries < 10_000; tries++) taken = await store.take([short])
    assert.deepEqual(taken.counts[0]?.used, 1)
  })

  it('let nothing through where the maximum is 0', async () => {
    const store = await connected()
    assert.deepEqual(await store.take([counter({ max: 0 })]), {
      isAllowed: false,
      counts: [{ used: 0, leftMs: 60_000 }],
    })
  })

  it('never last longer than a window, whatever its clock did', async () => {
    const store = await connected()
    const one = counter()
    await store.take([one])
    const key = `${prefix}user:${one.subject}`
    for (const spoil of [
      ['PEXPIRE', key, '99999999'],
      ['PERSIST', key],
    ]) {
      await withClient((client) => client.sendCommand(spoil))
      const { counts } = await store.take([one])
      assert.ok(counts[0]!.leftMs <= 60_000)
      const left = await withClient((client) => client.sendCommand(['PTTL', key]))
      assert.ok(Number(left) > 0 && Number(left) <= 60_000, `${left}`)
    }
  })

  it('are forgotten by themselves', async () => {
    const store = await connected()
    const one = counter()
    await store.take([one])
    const left = await withClient((client) => client.sendCommand(['PTTL', `${prefix}user:${one.subject}`]))
    assert.ok(Number(left) > 0 && Number(left) <= 60_000)
  })

  it('go on when the server has forgotten the script', async () => {
    const store = await connected()
    const one = counter()
    await store.take([one])
    await withClient((client) => client.sendCommand(['SCRIPT', 'FLUSH']))
    assert.equal((await store.take([one])).counts[0]?.used, 2)
  })

  it('fail where they cannot be raised: whoever is asked for must know', async () => {
    const store = await connected()
    const one = counter()
    await withClient((client) => client.sendCommand(['LPUSH', `${prefix}user:${one.subject}`, 'no number']))
    await assert.rejects(async () => store.take([one]), /WRONGTYPE/)
    await withClient((client) => client.sendCommand(['DEL', `${prefix}user:${one.subject}`]))
  })
})

describe('a server with a password', { skip: WITHOUT_SERVER }, () => {
  it('is asked with that of the URL, and refuses another', async () => {
    const locked = await startRedisServer(['--requirepass', 'hunter2hunter2'])
    try {
      const right = createRedisRates(`redis://:hunter2hunter2@127.0.0.1:${locked.port}/3`, prefix)
      open.push(right)
      await right.probe?.()
      assert.equal((await right.take([counter()])).isAllowed, true)
      const wrong = createRedisRates(`redis://:hunter3hunter3@127.0.0.1:${locked.port}`, prefix)
      open.push(wrong)
      await assert.rejects(wrong.probe!(), /WRONGPASS/)
    } finally {
      await locked.close()
    }
  })
})
