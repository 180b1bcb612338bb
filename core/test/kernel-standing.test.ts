import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createStandingCache } from '../src/kernel/access/standing.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, inTenant, probe, tenantOf, tokenOf, until } from './probe-module.ts'

describe('who may do what, remembered', () => {
  let first: TestCore
  let second: TestCore
  /** Look-ups in the database so far. */
  let asked = 0

  before(async () => {
    first = await createTestCore({ modules: [probe] })
    second = await createTestCore({ modules: [probe], database: first.database })
  })
  after(async () => {
    await second.close()
    await first.close()
  })
  afterEach(() => {
    behaviour.permissions = undefined
    behaviour.standing = undefined
  })

  const ask = async (core: TestCore, user: string) =>
    (await core.request('GET', '/api/v1/probes', { token: tokenOf('a', user) })).status
  const count = () => {
    asked = 0
    behaviour.standing = async () => void asked++
  }
  const revoke = (user: string, core = first) => {
    behaviour.permissions = () => []
    return inTenant(core.core, 'a', (ctx) => ctx.forget({ userId: tenantOf(user) }))
  }
  const listeners = async () =>
    first.core.db.systemQuery<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'tenantry listen'",
    )

  it('is looked up once for many requests, for each core', async () => {
    count()
    for (let i = 0; i < 5; i++) assert.equal(await ask(first, 'cora'), 200)
    assert.equal(asked, 1)
    await Promise.all(Array.from({ length: 20 }, () => ask(second, 'cora')))
    assert.equal(asked, 2, 'requests at the same time share one look-up')
  })

  it('is true again at the next request of the same core, and within 500 ms in another one', async () => {
    assert.deepEqual([await ask(first, 'bob'), await ask(second, 'bob')], [200, 200])
    await revoke('bob')
    assert.equal(await ask(first, 'bob'), 403)
    await until('the second core knows', async () => (await ask(second, 'bob')) === 403, 500)
  })

  it('is forgotten by person, tenant or session, and nothing else with it', async () => {
    await ask(first, 'dora')
    await ask(first, 'emil')
    count()
    const forget = async (what: { userId?: string; tenantId?: string }) => {
      await inTenant(first.core, 'a', (ctx) => ctx.forget(what))
      await sleep(150) // its own notification comes back too
    }
    await forget({ userId: tenantOf('dora') })
    await ask(first, 'dora')
    await ask(first, 'emil')
    assert.equal(asked, 1, 'only dora')
    await forget({ tenantId: tenantOf('b') })
    await ask(first, 'dora')
    assert.equal(asked, 1, 'another tenant')
    await forget({ tenantId: tenantOf('a') })
    await ask(first, 'dora')
    await ask(first, 'emil')
    assert.equal(asked, 3, 'both')
  })

  it('is not forgotten when the change is rolled back', async () => {
    await ask(first, 'fred')
    count()
    const failing = inTenant(first.core, 'a', async (ctx) => {
      await ctx.forget({ userId: tenantOf('fred') })
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    await ask(first, 'fred')
    assert.equal(asked, 0)
  })

  it('is not kept when the look-up began before a change', async () => {
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
    let entered = false
    behaviour.standing = () => {
      entered = true
      return held
    }
    const early = ask(second, 'gina')
    await until('the look-up is under way', () => entered)
    count()
    await revoke('gina')
    await sleep(300)
    assert.equal(await ask(second, 'gina'), 403, 'who asks after the change does not wait for the early one')
    behaviour.permissions = undefined
    goOn()
    assert.equal(await early, 200, 'the early one is answered as of when it asked')
    behaviour.permissions = () => []
    assert.equal(await ask(second, 'gina'), 403, 'but its answer was not kept')
  })

  it('is empty while the connection that listens is lost, and remembered again once it is back', async () => {
    await ask(first, 'hans')
    assert.ok(first.core.standings.size > 0)
    await terminate((await listeners()).map(({ pid }) => pid))
    await until('the cache is empty', () => first.core.standings.size === 0, 500)
    count()
    await ask(first, 'hans')
    await ask(first, 'hans')
    assert.deepEqual([asked, first.core.standings.size], [2, 0], 'each request asks anew')
    await until('it listens again', async () => (await listeners()).length === 2, 5_000)
    await until(
      'it remembers again',
      async () => (await ask(first, 'hans')) === 200 && first.core.standings.size > 0,
      2_000,
    )
    await revoke('hans', second)
    await until('and hears of changes', async () => (await ask(first, 'hans')) === 403, 500)
    assert.ok(first.logs.some((line) => line.includes('the notification connection was lost')))
  })

  it('grows no older than a minute', async () => {
    await ask(first, 'ida')
    count()
    first.clock.advance(59_000)
    await ask(first, 'ida')
    assert.equal(asked, 0)
    first.clock.advance(1_001)
    await ask(first, 'ida')
    assert.equal(asked, 1)
  })

  it('is bounded in number: the oldest makes room', async () => {
    const cache = createStandingCache(first.core, first.database.appUrl, { maxEntries: 10 })
    await cache.start()
    const [authenticator] = first.core.registry.authenticators
    assert.ok(authenticator)
    const resolve = async (user: string) =>
      cache.resolve(authenticator, await authenticator.identify(first.core, tokenOf('a', user)))
    for (let i = 0; i < 25; i++) await resolve(`u${i}`)
    assert.equal(cache.size, 10)
    count()
    await resolve('u24')
    assert.equal(asked, 0)
    await resolve('u0')
    assert.equal(asked, 1)
    assert.equal(cache.size, 10)
    await cache.close()
    assert.equal(cache.size, 0)
  })

  /** Ends connections as the owner of the server would. */
  async function terminate(pids: number[]): Promise<void> {
    const client = new pg.Client({ connectionString: first.database.superuserUrl })
    await client.connect()
    await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [pids])
    await client.end()
  }
})
