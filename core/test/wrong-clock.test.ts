import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, defineModule, every, HOURS, isAhead, MINUTES, newId } from '#kernel'
import { runSchedule } from '../src/kernel/jobs/schedules.ts'
import { runUpkeep } from '../src/kernel/jobs/upkeep.ts'
import { record, sealAll } from '../src/modules/audit/seals/seal.fixture.ts'
import { BOOTSTRAP_TOKEN, login, refresh, register, statusOf } from '../src/modules/auth/auth.fixture.ts'
import { renewSigningKey } from '../src/modules/auth/tokens/key-rotation.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, countProbes, inTenant, managedJob, probe, tenantOf, until } from './probe-module.ts'

const EVERY_MINUTE = 'late.every_minute'
let ran = 0
const late = defineModule({
  name: 'late',
  schedules: [
    every('* * * * *', EVERY_MINUTE, async (ctx) => {
      ran++
      await behaviour.schedule?.(ctx)
    }),
  ],
})

const FAR = "interval '800 days'"
const GET_READY = ['GET', '/health/ready'] as const

describe('a clock that was ahead', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe, late], env: { WORKER_CONCURRENCY: '2' } })
  })
  after(async () => {
    behaviour.schedule = undefined
    await test.close()
  })
  const query = <R extends Record<string, unknown>>(sql: string, values: unknown[] = []) =>
    test.core.db.systemQuery<R>(sql, values)

  it('stops no schedule: what it left in the memory of the queue is brought back at the start', async () => {
    await query(
      `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
       select name, now() - interval '1 day', now() + ${FAR} from unnest($1::text[]) as name`,
      [[EVERY_MINUTE, 'kernel.sweep_jobs', 'kernel.tidy']],
    )
    await query(
      `select graphile_worker.add_job($1, '{}', run_at => now() + ${FAR}), graphile_worker.add_job('run_jobs',
         json_build_object('tenant_id', $2::text), run_at => now() + ${FAR}, job_key => $2 || ':lane:1', job_key_mode => 'preserve_run_at')`,
      [EVERY_MINUTE, tenantOf('a')],
    )
    await test.core.startWorker()
    await until('the schedule that waited runs', () => ran > 0)
    const ahead = await query('select 1 from graphile_worker._private_known_crontabs where last_execution > now()')
    assert.deepEqual(ahead, [])
    const before = ran
    await until('and so does its next time', () => ran > before)
    assert.ok(test.logs.some((line) => line.includes('moments of a clock that was ahead were brought back')))
  })

  it('keeps no job waiting', async () => {
    const label = 'from the future'
    await inTenant(test.core, 'a', (ctx) => ctx.enqueue(managedJob, { label }, { runAt: ctx.clock.now() }))
    await until('it runs', async () => (await countProbes(test.core, label)) === 1)
    const insert = (columns: string, values: string) =>
      query(
        `insert into tenant_jobs (tenant_id, id, task, payload, origin, max_attempts, ${columns})
         values ($1, $2, 'probe.managed', $3, $4, 5, ${values})`,
        [
          tenantOf('a'),
          newId(),
          JSON.stringify({ label }),
          JSON.stringify({ actor: { type: 'system', id: null, label: 'system', impersonatorId: null } }),
        ],
      )
    // Made by it, put off by it after a failure, and taken by a process of its time.
    await insert('run_at, created_at', `now() + ${FAR}, now() + ${FAR}`)
    await insert('run_at, created_at, attempts', `now() + ${FAR}, now(), 1`)
    await insert('run_at, created_at, locked_until, locked_by', `now(), now(), now() + ${FAR}, gen_random_uuid()`)
    // What is meant for later stays for later, counted from when it was made.
    await insert('run_at, created_at', "now() + interval '30 days', now()")
    await insert('run_at, created_at', `now() + ${FAR} + interval '30 days', now() + ${FAR}`)
    await runUpkeep(test.core)
    test.core.wake(tenantOf('a'), test.clock.now())
    await until('three run', async () => (await countProbes(test.core, label)) === 4)
    const left = await query<{ days: number }>(
      'select round(extract(epoch from run_at - now()) / 86400)::int as days from tenant_jobs',
    )
    assert.deepEqual(left, [{ days: 30 }, { days: 30 }])
  })

  it('and a schedule that does not come to its end are an alarm where work is done, and in the metrics', async () => {
    const overdue = async () => {
      const { text } = await test.request('GET', '/metrics')
      return Number(/tenantry_schedule_overdue_seconds\{schedule="late.every_minute"\} (\d+)/.exec(text)?.[1])
    }
    const check = test.core.registry.modules.flatMap(({ checks }) => checks).find(({ name }) => name === 'schedules')
    assert.ok(check)
    await until('it is in time', async () => (await test.request(...GET_READY)).status === 200)
    assert.equal(await overdue(), 0)
    assert.match(await check.check(test.core), /nothing is overdue/)
    // It fails from now on; workers have been there all the time.
    behaviour.schedule = async () => {
      throw new Error('broken')
    }
    const ago = (ms: number) => new Date(test.clock.ms() - ms).toISOString()
    await query("update runs set position = $1 where name = 'kernel.worker'", [ago(DAYS)])
    await query('update runs set done_at = $1 where name = $2', [ago(HOURS), EVERY_MINUTE])
    const answer = await test.request(...GET_READY)
    assert.equal(answer.status, 503)
    assert.match(answer.body.detail, /schedules/)
    const seconds = await overdue()
    assert.ok(seconds > 3_400 && seconds < 3_800, `${seconds}`)
    await assert.rejects(check.check(test.core), /late.every_minute \(\d+ s\)/)
    // An end in the future is no end.
    await query(`update runs set done_at = now() + ${FAR} where name = $1`, [EVERY_MINUTE])
    assert.equal((await test.request(...GET_READY)).status, 503)
    behaviour.schedule = undefined
    const [schedule] = test.core.registry.schedules
    assert.ok(schedule)
    await runSchedule(test.core, schedule)
    assert.equal((await test.request(...GET_READY)).status, 200)
  })

  it('counts as no delay where no worker has been', async () => {
    await query("update runs set done_at = now() - interval '1 hour'")
    const check = test.core.registry.modules.flatMap(({ checks }) => checks).find(({ name }) => name === 'schedules')
    assert.match((await check?.check(test.core)) ?? '', /no worker/)
    await runUpkeep(test.core)
    assert.match((await check?.check(test.core)) ?? '', /nothing is overdue/, 'lateness is counted from its return')
  })

  it('jobs that were given up are counted', async () => {
    await query(`update tenant_jobs set status = 'failed'`)
    const { text } = await test.request('GET', '/metrics')
    assert.match(text, /^tenantry_jobs_failed 2$/m)
  })
})

describe('what a clock that was ahead has left in the modules', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: builtinModules })
  })
  after(() => test.close())

  it('is brought back wherever a module says that no right clock writes it', async () => {
    const { moments } = Object.groupBy(
      test.core.registry.modules.flatMap((module) => module.moments),
      () => 'moments',
    )
    assert.ok(moments && moments.length >= 3)
    const key = 'account:far'
    await test.core.db.systemQuery(
      `insert into login_failures (key, failures, window_ends_at) values ($1, 10, now() + ${FAR})`,
      [key],
    )
    await runUpkeep(test.core)
    const [row] = await test.core.db.systemQuery<{ over: boolean }>(
      "select window_ends_at <= now() + interval '1 second' as over from login_failures where key = $1",
      [key],
    )
    assert.equal(row?.over, true)
    const errors = test.logs.filter((line) => line.includes('cannot be looked for'))
    assert.deepEqual(errors, [], 'every statement fits the schema')
  })

  it('gives back a key of a repeated request', async () => {
    await test.core.db.systemQuery(
      `insert into global_idempotency_keys (id, created_at, request_hash, claim, claimed_until)
       values (gen_random_uuid(), now() + ${FAR}, 'x', gen_random_uuid(), now() + ${FAR})`,
    )
    await runUpkeep(test.core)
    const rows = await test.core.db.systemQuery(
      "select 1 from global_idempotency_keys where claimed_until > now() + interval '1 second' or created_at > now() + interval '1 second'",
    )
    assert.deepEqual(rows, [])
  })

  it('is told from clocks that merely differ', () => {
    const at = (ms: number) => new Date(test.clock.ms() + ms).toISOString()
    assert.deepEqual([isAhead(test.clock, at(4 * MINUTES)), isAhead(test.clock, at(6 * MINUTES))], [false, true])
  })
})

describe('what was promised by a clock that was ahead', () => {
  it('is worth nothing once it is right again', async (context) => {
    const test = await createTestCore({ modules: builtinModules, env: { BOOTSTRAP_TOKEN } })
    context.after(() => test.close())
    test.clock.advance(800 * DAYS)
    const person = await register(test)
    test.clock.advance(-800 * DAYS)
    assert.equal(await statusOf(test, person.token), '401 session_revoked')
    assert.equal((await refresh(test, person.refreshToken)).body.code, 'session_revoked')
    assert.equal((await login(test, person.email)).status, 200, 'the person can sign in again')
  })

  it('keeps no signing key from being followed', async (context) => {
    const test = await createTestCore({ modules: builtinModules, env: { BOOTSTRAP_TOKEN } })
    context.after(() => test.close())
    const count = async () => (await test.core.db.systemQuery('select 1 from signing_keys')).length
    const renew = () => test.core.run(renewSigningKey, { role: 'system' })
    const before = await count()
    await renew()
    assert.equal(await count(), before)
    await test.core.db.systemQuery(`update signing_keys set created_at = created_at + ${FAR}`)
    await renew()
    assert.equal(await count(), before + 1)
    assert.equal((await login(test, (await register(test)).email)).status, 200)
  })

  it('keeps no records from being sealed', async (context) => {
    const test = await createTestCore({ modules: builtinModules, env: { BOOTSTRAP_TOKEN } })
    context.after(() => test.close())
    const { tenantId } = await register(test)
    await sealAll(test, tenantId)
    await test.core.db.systemQuery(`update audit_chains set candidate_at = candidate_at + ${FAR}`)
    await record(test, tenantId)
    assert.ok((await sealAll(test, tenantId)) > 0)
    const [chain] = await test.core.db.systemQuery<{ sane: boolean }>(
      "select candidate_at < now() + interval '1 day' as sane from audit_chains",
    )
    assert.equal(chain?.sane, true, 'what is complete moves on')
  })
})
