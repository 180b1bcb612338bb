import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import type { Counter, RateStore } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { personOf, turnstile } from './turnstile-module.ts'

let t: TestCore
afterEach(() => t.close())

describe('a store of the application', () => {
  /** Answers as it is told to, and keeps what it was asked. */
  async function startWith(take: RateStore['take']) {
    const asked: (readonly Counter[])[] = []
    const rates: RateStore = {
      take: (counters) => {
        asked.push(counters)
        return take(counters)
      },
    }
    t = await createTestCore({ modules: [turnstile], rates })
    return asked
  }
  const full = (counters: readonly Counter[]) => counters.map(({ max, windowMs }) => ({ used: max, leftMs: windowMs }))

  it('is asked once for all that counts at one moment', async () => {
    const asked = await startWith((counters) => ({ isAllowed: true, counts: full(counters) }))
    assert.equal((await t.request('GET', '/api/v1/gate/reports', { token: personOf('ada', 2) })).status, 204)
    assert.deepEqual(
      asked.map((counters) => counters.map(({ policy }) => policy)),
      [['user', 'tenant', 'reports']],
    )
    await t.request('POST', '/api/v1/gate/sign-in', { body: { email: 'ada@example.com' } })
    assert.deepEqual(
      asked.slice(1).map((counters) => counters.map(({ policy }) => policy)),
      [['auth'], ['auth_account']],
    )
    assert.doesNotMatch(JSON.stringify(asked), /example/)
  })

  it('refuses by all policies where it gives no reason', async () => {
    await startWith((counters) => ({ isAllowed: false, counts: counters.map(() => ({ used: 0, leftMs: 5_000 })) }))
    const refused = await t.request('GET', '/api/v1/gate/reports', { token: personOf('ada') })
    assert.deepEqual([refused.status, refused.body.violated_policies], [429, ['user', 'reports']])
    assert.equal(refused.headers['retry-after'], '5')
  })

  it('may be asynchronous, and may fail', async () => {
    let isWell = true
    const asked = await startWith(async (counters) => {
      if (!isWell) throw new Error('gone')
      return { isAllowed: false, counts: full(counters) }
    })
    assert.equal((await t.request('GET', '/api/v1/gate/open')).status, 429)
    isWell = false
    assert.equal((await t.request('GET', '/api/v1/gate/open')).status, 204)
    assert.equal(asked.length, 2)
  })

  it('is named by the check that finds it failing, and Redis is not', async () => {
    const rates: RateStore = {
      take: (counters) => ({ isAllowed: true, counts: full(counters) }),
      probe: async () => {
        throw new Error('GONE')
      },
    }
    t = await createTestCore({ modules: [turnstile], rates })
    await assert.rejects(t.core.rates.check(), ({ message }: Error) => {
      assert.match(message, /^the store of the application does not count \(GONE\)/)
      assert.doesNotMatch(message, /redis/i)
      return true
    })
  })
})
