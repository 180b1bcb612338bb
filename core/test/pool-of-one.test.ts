import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { MINUTES, newId } from '#kernel'
import { runSchedule } from '../src/kernel/jobs/schedules.ts'
import { sealAll } from '../src/modules/audit/seals/seal.fixture.ts'
import {
  BOOTSTRAP_TOKEN,
  login,
  PASSWORD,
  type Person,
  refresh,
  register,
  tokenTo,
} from '../src/modules/auth/auth.fixture.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { until } from './probe-module.ts'

// Whoever holds the only connection and waits for another waits for themselves, for ten seconds.
const DATABASE_POOL_SIZE = '1'
const QUICK_MS = 8_000

describe('with a single connection for each role', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ env: { DATABASE_POOL_SIZE, BOOTSTRAP_TOKEN } })
  })
  after(() => test.close())

  const inTime = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now()
    const result = await work()
    // A pool gives up after ten seconds. On a machine that is merely slow nothing fails, so that is looked at as well.
    const waited = test.logs.filter((line) => line.includes('timeout exceeded when trying to connect'))
    assert.deepEqual(waited, [], `${what}: ${Math.round(performance.now() - begun)} ms`)
    return result
  }

  it('people register and sign in', async () => {
    const person = await inTime('registering', () => register(test))
    assert.equal((await inTime('signing in', () => login(test, person.email))).status, 200)
  })

  it('a burst of refreshes after a quiet minute is answered, and nobody waits for the keys', async () => {
    const people: Person[] = []
    for (let i = 0; i < 14; i++) people.push(await register(test))
    test.clock.advance(2 * MINUTES)
    const answers = await inTime('refreshing', () =>
      Promise.all(people.map(({ refreshToken }) => refresh(test, refreshToken))),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      people.map(() => 200),
    )
  })

  it('an invitation is sent and accepted', async () => {
    const owner = await register(test)
    const email = `${newId()}@example.com`
    const body = { email, name: 'Iris Invited' }
    const invited = await inTime('inviting', () =>
      test.request('POST', '/api/v1/users/invite', { token: owner.token, body }),
    )
    assert.equal(invited.status, 201, invited.text)
    const token = await inTime('mailing', () => tokenTo(test, email, 'invites you'))
    const accept = () => test.request('POST', '/api/v1/auth/accept-invite', { body: { token, password: PASSWORD } })
    const accepted = await inTime('accepting', accept)
    assert.equal(accepted.status, 200, accepted.text)
  })

  it('every schedule runs, retention and sealing too', async () => {
    const { tenantId } = await register(test)
    await inTime('sealing', () => sealAll(test, tenantId))
    for (const schedule of test.core.registry.schedules) {
      await inTime(schedule.name, () => runSchedule(test.core, schedule))
    }
    await inTime('what they enqueued', () => drainJobs(test.core, tenantId))
    const errors = test.logs.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50)
    assert.deepEqual(errors, [])
  })

  it('a worker works beside requests', async () => {
    const person = await register(test)
    await test.core.startWorker()
    const waiting = () =>
      test.core.db.systemQuery("select 1 from system_jobs where status = 'waiting' and run_at <= now()")
    await until('all jobs are done', async () => (await waiting()).length === 0)
    assert.equal((await login(test, person.email)).status, 200)
    // The one connection may just be taken.
    await until('it is ready', async () => (await test.request('GET', '/health/ready')).status === 200)
  })
})

describe('a transaction', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ env: { DATABASE_POOL_SIZE, BOOTSTRAP_TOKEN } })
  })
  after(() => test.close())

  it('cannot wait for another one, and says what was called', async () => {
    const { core } = test
    const nested: [string, () => Promise<unknown>][] = [
      ['core.run', () => core.run(async () => {})],
      ['core.run', () => core.run(async () => {}, { role: 'system' })],
      ['db.transaction', () => core.db.transaction({ tenantId: null, role: 'app' }, async () => {})],
      ['db.systemQuery', () => core.db.systemQuery('select 1')],
    ]
    for (const role of ['app', 'system'] as const) {
      for (const [what, work] of nested) {
        const begun = performance.now()
        await assert.rejects(core.run(work, { role }), new RegExp(`${what} was called inside an open transaction`))
        assert.ok(performance.now() - begun < QUICK_MS, 'at once')
      }
      const again = core.run((ctx) => ctx.transaction(async () => {}), { role })
      await assert.rejects(again, /A transaction is already open/)
    }
  })

  it('may leave work behind that goes on when it is over', async () => {
    const { core } = test
    let later: Promise<unknown> = Promise.resolve()
    let goOn = () => {}
    await core.run(async () => {
      const over = new Promise<void>((resolve) => {
        goOn = resolve
      })
      later = over.then(() => core.db.systemQuery('select 1'))
    })
    goOn()
    await later
    await core.run(async () => {
      later = core.db.aside(() => core.run(async () => 'aside'))
    })
    assert.equal(await later, 'aside')
  })
})
