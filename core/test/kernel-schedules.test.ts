import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DAYS, defineModule, every, HOURS } from '#kernel'
import { scheduledTask } from '../src/kernel/jobs/schedules.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, probe, until } from './probe-module.ts'

const EVERY_MINUTE = 'clock.every_minute'
const NIGHTLY = 'clock.nightly'

/** Ten minutes ago, each day: missed by a core that was down for an hour. */
const nightly = Date.now() - 600_000
const ran: string[] = []
const note = (name: string) =>
  every(name === NIGHTLY ? nightlyAt() : '* * * * *', name, async (ctx) => {
    ran.push(name)
    await behaviour.schedule?.(ctx)
  })

function nightlyAt(): string {
  const at = new Date(nightly)
  return `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`
}

const clock = defineModule({ name: 'clock', schedules: [note(EVERY_MINUTE), note(NIGHTLY)] })

describe('schedules', () => {
  const cores: TestCore[] = []
  let test: TestCore
  const open = async () => {
    const database = test?.database
    const core = await createTestCore({
      modules: [probe, clock],
      env: { WORKER_CONCURRENCY: '2' },
      ...(database ? { database } : {}),
    })
    cores.push(core)
    return core
  }
  before(async () => {
    test = await open()
    for (let i = 0; i < 2; i++) await open()
  })
  after(async () => {
    for (const core of cores.reverse()) await core.close()
  })
  afterEach(() => {
    behaviour.schedule = undefined
  })

  const times = (name: string) => ran.filter((each) => each === name).length
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  const minute = () => Math.floor(Date.now() / 60_000)

  it('make up for what was missed, once, though three cores start', async () => {
    // What a core that was down for an hour left behind.
    await test.core.db.systemQuery(
      `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
       select name, $2, $3 from unnest($1::text[]) as name`,
      [[EVERY_MINUTE, NIGHTLY], ago(2 * DAYS), ago(HOURS)],
    )
    const started = minute()
    await Promise.all(cores.map(({ core }) => core.startWorker()))
    await until('both ran', () => times(EVERY_MINUTE) > 0 && times(NIGHTLY) > 0)
    await until('nothing more waits', async () => {
      const rows = await test.core.db.systemQuery(
        "select 1 from graphile_worker.jobs where task_identifier like 'clock.%'",
      )
      return rows.length === 0
    })
    await sleep(300)
    assert.equal(times(NIGHTLY), 1)
    // A minute may have begun meanwhile: that one counts by itself.
    assert.ok(times(EVERY_MINUTE) <= 1 + minute() - started, `${times(EVERY_MINUTE)} runs`)
  })

  it('hold no connection, and open what they need as the role that sees all tenants', async () => {
    let seen: unknown
    behaviour.schedule = async (ctx) => {
      assert.throws(() => ctx.tx, /No transaction is open/)
      const { system } = test.core.db.load()
      assert.equal(system.total, system.idle, 'no connection is held')
      const [row] = await ctx.transaction(
        ({ tx }) =>
          tx
            .selectFrom('probes')
            .select(({ fn }) => fn.countAll().as('n'))
            .execute(),
        { role: 'system' },
      )
      seen = [ctx.tenant, Number(row?.n), ctx.actor.type]
    }
    await run(NIGHTLY, {})
    assert.deepEqual(seen, [null, 0, 'system'])
  })

  it('never run twice at the same time', async () => {
    const before = times(NIGHTLY)
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
    behaviour.schedule = () => Promise.race([held, sleep(20_000, undefined, { ref: false })])
    // The one that runs goes on until the two others are over.
    let over = 0
    const noteEnd = () => ++over === 2 && goOn()
    await Promise.all(Array.from({ length: 3 }, () => run(NIGHTLY, {}).then(noteEnd)))
    assert.equal(times(NIGHTLY) - before, 1)
    await run(NIGHTLY, {})
    assert.equal(times(NIGHTLY) - before, 2, 'the lock went with the transaction')
  })

  it('leave out a time after which another one has come', async () => {
    // The one of the night, which no worker here starts meanwhile.
    const before = times(NIGHTLY)
    const last = Math.floor(nightly / 60_000) * 60_000
    const runOf = (at: number) => run(NIGHTLY, { _cron: { ts: new Date(at).toISOString() } })
    await runOf(last - DAYS)
    await runOf(last - 60_000)
    assert.equal(times(NIGHTLY) - before, 0)
    await runOf(last)
    await runOf(last + DAYS)
    assert.equal(times(NIGHTLY) - before, 2)
  })

  async function run(name: string, payload: unknown): Promise<void> {
    const schedule = test.core.registry.schedules.find((each) => each.name === name)
    assert.ok(schedule)
    await scheduledTask(test.core, schedule)(payload, undefined as never) // the task looks at its payload alone
  }
})
