import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ECHO_TIMES } from '../src/kernel/access/notifications.ts'
import { createStandingCache, FORGET_CHANNEL, readForget, type StandingCache } from '../src/kernel/access/standing.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { type DatabaseProxy, openDatabaseProxy } from './database-proxy.ts'
import { behaviour, inTenant, probe, tenantOf, tokenOf, until } from './probe-module.ts'

const TIMES = { everyMs: 200, goodForMs: 600 }

describe('notifications', () => {
  let test: TestCore
  let proxy: DatabaseProxy
  let cache: StandingCache
  let asked = 0

  before(async () => {
    test = await createTestCore({ modules: [probe] })
    proxy = await openDatabaseProxy(test.database.appUrl)
    behaviour.standing = async () => void asked++
    cache = createStandingCache(test.core, proxy.url, { times: TIMES })
    await cache.start()
  })
  after(async () => {
    behaviour.standing = undefined
    await cache.close()
    await proxy.close()
    await test.close()
  })
  afterEach(async () => {
    proxy.mode = 'pass'
    await until('it hears', () => cache.test(100))
  })

  const resolve = async (user: string, of = cache) => {
    const [authenticator] = test.core.registry.authenticators
    assert.ok(authenticator)
    const before = asked
    await of.resolve(authenticator, await authenticator.identify(test.core, tokenOf('a', user)))
    return asked === before ? 'remembered' : 'asked'
  }
  const notify = async (payload: string) => {
    const client = new pg.Client({ connectionString: test.database.appUrl })
    await client.connect()
    await client.query('select pg_notify($1, $2)', [FORGET_CHANNEL, payload])
    await client.end()
  }
  const rememberNow = async (user: string) => {
    await until('it is remembered', async () => (await resolve(user)) === 'remembered')
  }
  const warnings = (text: string) => test.logs.filter((line) => line.includes(text)).length

  it('that nobody understands make everything forgotten, and end no process', async () => {
    const id = tenantOf('x')
    const odd = [
      'not json',
      'null',
      '[]',
      '""',
      '1',
      '',
      '{}',
      '{"userId": null}',
      '{"userId": "bob"}',
      '{"userId": {}}',
      `["${id}"]`,
      `{"userId": "${id}", "storeId": "${id}"}`,
      '{"__proto__": {"userId": 1}}',
    ]
    for (const payload of odd) {
      await rememberNow('anna')
      await notify(payload)
      await until(`it is forgotten by ${payload}`, () => cache.size === 0)
    }
    await rememberNow('anna')
    await notify(JSON.stringify({ userId: id }))
    assert.equal(await cache.test(10_000), true)
    assert.equal(cache.size, 1, 'what is understood makes nothing else forgotten')
    assert.deepEqual(readForget(`{"tenantId":"${id}"}`), { tenantId: id })
  })

  for (const mode of ['swallow', 'deafen'] as const) {
    it(`that stop coming (${mode}) are missed within the time that is promised`, async () => {
      const before = warnings('notifications do not come back')
      await rememberNow('ben')
      proxy.mode = mode
      await inTenant(test.core, 'a', (ctx) => ctx.forget({ userId: tenantOf('ben') }))
      // The proof runs out by itself: no timer, answer or event of a socket is needed for that.
      await sleep(TIMES.goodForMs)
      assert.equal(await resolve('ben'), 'asked')
      assert.equal(await resolve('ben'), 'asked', 'nothing is remembered')
      await until('it is logged', () => warnings('notifications do not come back') > before)
      await until('all is forgotten', () => cache.size === 0)
      proxy.mode = 'pass'
      await rememberNow('ben')
    })
  }

  it('that are left out for a while are missed by the next that comes', async () => {
    await rememberNow('cleo')
    proxy.mode = 'deafen'
    const echo = cache.test(100)
    await inTenant(test.core, 'a', (ctx) => ctx.forget({ userId: tenantOf('cleo') }))
    assert.equal(await echo, false)
    proxy.mode = 'pass'
    assert.equal(await cache.test(10_000), true)
    assert.equal(await resolve('cleo'), 'asked')
  })

  it('that never come back let a core start, and remember nothing', async () => {
    proxy.mode = 'deafen'
    const deaf = createStandingCache(test.core, proxy.url, { times: TIMES })
    await deaf.start()
    assert.deepEqual([await resolve('dan', deaf), await resolve('dan', deaf), deaf.size], ['asked', 'asked', 0])
    const check = test.core.registry.modules
      .flatMap(({ checks }) => checks)
      .find(({ name }) => name === 'notifications')
    assert.ok(check)
    await assert.rejects(check.check({ ...test.core, standings: deaf }), /DATABASE_LISTEN_URL.*direct connection/)
    assert.match(await check.check(test.core), /come back/)
    await deaf.close()
  })

  it('have to have come back once before anything is remembered, however long deafness goes unnoticed', async () => {
    proxy.mode = 'deafen'
    const unaware = createStandingCache(test.core, proxy.url, { times: { everyMs: 600_000, goodForMs: 1_800_000 } })
    await unaware.start()
    assert.deepEqual(
      [await resolve('eve', unaware), await resolve('eve', unaware), unaware.size],
      ['asked', 'asked', 0],
    )
    await unaware.close()
  })

  it('keep the time that SECURITY.md promises', () => {
    assert.deepEqual(ECHO_TIMES, { everyMs: 5_000, goodForMs: 15_000 })
    assert.match(readFileSync('SECURITY.md', 'utf8'), /within 15 seconds/)
  })
})
