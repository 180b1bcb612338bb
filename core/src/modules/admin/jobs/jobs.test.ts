import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Closed, defineJob, defineModule, MINUTES, newId, type OperatorRole, Type } from '#kernel'
import { createTestCore, drainJobs, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { builtinModules } from '../../index.ts'
import { operatorsOf } from '../admin.fixture.ts'

/** What the jobs of this file do: fail, wait for a word, or note that they ran. */
const behaviour = { fails: true, ran: [] as string[], hold: undefined as Promise<void> | undefined }
const payload = Closed({ word: Type.String() })
const handler = async (_: unknown, { word }: { word: string }) => {
  await behaviour.hold
  if (behaviour.fails) throw new Error(`no luck with ${word}`)
  behaviour.ran.push(word)
}
const tryOnce = defineJob('desk.try_once', { payload, maxAttempts: 1, transaction: 'manual', handler })
const tryTwice = defineJob('desk.try_twice', { payload, maxAttempts: 2, outbound: true, handler })
const desk = defineModule({ name: 'desk', jobs: [tryOnce, tryTwice] })

let test: TestCore
let operators: Record<OperatorRole, TestPerson>
let tenant: TestTenant
before(async () => {
  test = await createTestCore({ modules: [...builtinModules, desk] })
  operators = await operatorsOf(test)
  tenant = await test.foundTenant()
  await test.drainJobs(tenant.id)
})
after(() => test?.close())
beforeEach(() => {
  Object.assign(behaviour, { fails: true, ran: [], hold: undefined })
})

type Seen = Record<'id' | 'task' | 'status', string> & { attempts: number; tenant_id: string | null }
const list = async (query: string): Promise<Seen[]> => {
  const { status, body, text } = await operators.operations.get(`/admin/jobs?${query}`)
  assert.equal(status, 200, text)
  return body.data
}
const told = ({ status, body }: { status: number; body: { code?: string } | undefined }) =>
  `${status} ${body?.code ?? ''}`.trim()
const retry = (id: string, by = operators.operations) => by.post(`/admin/jobs/${id}/retry`)
const remove = (id: string, by = operators.operations) => by.delete(`/admin/jobs/${id}`)

/** A job that was given up, of the tenant or of none; its id and the word that it was to note. */
async function failed(tenantId: string | null, job: typeof tryOnce = tryOnce) {
  const word = newId()
  await test.core.run((ctx) => ctx.enqueue(job, { word }), { tenantId })
  for (let attempt = 0; attempt < job.maxAttempts; attempt++) {
    await drainJobs(test.core, tenantId)
    test.clock.advance(MINUTES)
  }
  const [found] = (await list(`status=failed&task=${job.name}&limit=1`)).filter((each) => each.tenant_id === tenantId)
  assert.ok(found)
  return { id: found.id, word }
}

/** What both logs say of a job. */
async function recordsOf(jobId: string) {
  const columns = 'action, actor_type, actor_id, old_values, new_values'
  const read = (table: string) =>
    test.core.db.systemQuery<{ action: string; actor_id: string; old_values: object; new_values: object }>(
      `select ${columns} from ${table} where resource_id = $1 order by id`,
      [jobId],
    )
  return { own: await read('audit_logs'), global: await read('global_audit_logs') }
}

describe('the list of jobs', () => {
  it('has those of all tenants and of none, with what they failed with and never what they are about', async () => {
    const [own, none] = [await failed(tenant.id, tryTwice), await failed(null)]
    const { body, text } = await operators.operations.get('/admin/jobs?status=failed')
    const [first, second] = body.data
    assert.deepEqual(Object.keys(first).sort(), [
      'attempts',
      'id',
      'last_error',
      'max_attempts',
      'run_at',
      'status',
      'task',
      'tenant_id',
    ])
    has(first, { id: none.id, task: 'desk.try_once', status: 'failed', attempts: 1, max_attempts: 1, tenant_id: null })
    has(second, { id: own.id, task: 'desk.try_twice', attempts: 2, max_attempts: 2, tenant_id: tenant.id })
    assert.equal(first.last_error, `no luck with ${none.word}`)
    assert.ok(!text.includes('payload'))
    assert.deepEqual(
      (await list(`tenant_id=${tenant.id.toUpperCase()}&status=failed`)).map(({ id }) => id),
      [own.id],
    )
    assert.deepEqual(await list(`tenant_id=${newId()}`), [])
    assert.deepEqual(await list('task=desk.unknown'), [])
  })

  it('tells those that wait from those that run, and from those whose process died', async () => {
    let release = () => {}
    behaviour.hold = new Promise((resolve) => {
      release = resolve
    })
    behaviour.fails = false
    const other = await test.foundTenant()
    await test.drainJobs(other.id)
    await test.core.run((ctx) => ctx.enqueue(tryOnce, { word: 'held' }), { tenantId: other.id })
    const mine = (query: string) => list(`tenant_id=${other.id}&task=desk.try_once${query}`)
    assert.deepEqual(
      (await mine('&status=waiting')).map(({ status }) => status),
      ['waiting'],
    )
    assert.deepEqual(await mine('&status=running'), [])
    const running = drainJobs(test.core, other.id)
    await until('it runs', async () => (await mine('&status=running')).length === 1)
    assert.deepEqual(await mine('&status=waiting'), [])
    const [job] = await mine('')
    has(job, { status: 'running', attempts: 1 })
    assert.equal((await list('status=running&task=desk.try_once')).length, 1)
    assert.equal(told(await remove(job?.id ?? '')), '409 conflict')
    assert.equal(told(await retry(job?.id ?? '')), '409 conflict')
    const lease = (to: string) =>
      test.core.db.systemQuery(`update tenant_jobs set locked_until = ${to} where id = $1 returning 1`, [job?.id])
    for (const to of ["now() - interval '1 day'", "now() + interval '1 day'"]) {
      await lease(to)
      assert.deepEqual(
        (await mine('&status=waiting')).map(({ status }) => status),
        ['waiting'],
        to,
      )
      assert.deepEqual(await mine('&status=running'), [], to)
    }
    release()
    await running
    assert.deepEqual([behaviour.ran, await mine('')], [['held'], []])
  })

  it('is read in pages: each job once, whatever table it is in and whatever comes meanwhile', async () => {
    await test.core.db.systemQuery("delete from tenant_jobs where task like 'desk.%'")
    await test.core.db.systemQuery("delete from system_jobs where task like 'desk.%'")
    const task = `desk.${newId()}`
    for (const [table, columns, values] of [
      ['tenant_jobs', 'tenant_id,', `'${tenant.id}',`],
      ['system_jobs', '', ''],
    ])
      await test.core.db.systemQuery(
        `insert into ${table} (${columns} id, task, payload, origin, status, max_attempts, run_at, created_at)
         select ${values} gen_random_uuid(), $1, '{}', '{}', case when n % 3 = 0 then 'failed' else 'waiting' end, 3, $2, $2
         from generate_series(1, 30) n returning 1`,
        [task, test.clock.now()],
      )
    const seen: string[] = []
    for (let cursor = ''; ; ) {
      const { body } = await operators.operations.get(
        `/admin/jobs?task=${task}&limit=7${cursor && `&cursor=${cursor}`}`,
      )
      seen.push(...body.data.map(({ id }: { id: string }) => id))
      await test.core.run((ctx) => ctx.enqueue(tryOnce, { word: 'later' }), { tenantId: null })
      if (body.next_cursor === null) break
      cursor = body.next_cursor
    }
    assert.deepEqual([seen.length, new Set(seen).size], [60, 60])
    assert.deepEqual(seen, [...seen].sort().reverse())
    const { text } = await operators.operations.request('GET', `/admin/jobs?task=${task}&limit=1`, {
      headers: { accept: 'text/csv' },
    })
    const lines = text.trimEnd().split('\r\n')
    assert.deepEqual([lines.length, lines[1]?.slice(1, 37)], [61, seen[0]])
    assert.equal(
      (await test.core.db.systemQuery("select 1 from global_audit_logs where action = 'admin.jobs_exported'")).length,
      1,
    )
    await test.core.db.systemQuery('delete from tenant_jobs where task = $1', [task])
    await test.core.db.systemQuery('delete from system_jobs where task = $1', [task])
  })

  it('is for `operations`, and refuses filters that are none', async () => {
    const { id } = await failed(null)
    for (const role of ['support', 'billing'] as const) {
      assert.equal(told(await operators[role].get('/admin/jobs')), '403 permission_denied')
      assert.equal(told(await retry(id, operators[role])), '403 permission_denied')
      assert.equal(told(await remove(id, operators[role])), '403 permission_denied')
    }
    for (const query of ['status=done', 'task=', `task=${'x'.repeat(201)}`, 'tenant_id=acme', 'payload=x', 'cursor=x'])
      assert.equal((await operators.operations.get(`/admin/jobs?${query}`)).status, 400, query)
    assert.equal((await operators.all.get('/admin/jobs')).status, 200)
  })
})

describe('a job that was given up', () => {
  it('runs again at once, with as many attempts as a new one, of a tenant and of none', async () => {
    for (const tenantId of [tenant.id, null])
      for (const job of [tryOnce, tryTwice]) {
        behaviour.fails = true
        const { id, word } = await failed(tenantId, job)
        const { status, body } = await retry(id)
        assert.equal(status, 200)
        has(body, { id, status: 'waiting', attempts: 0, max_attempts: job.maxAttempts, tenant_id: tenantId })
        assert.ok(body.run_at <= test.clock.now())
        await drainJobs(test.core, tenantId)
        has(
          (await list(`task=${job.name}`)).find((each) => each.id === id),
          { attempts: 1 },
        )
        if (job === tryTwice) {
          assert.equal(told(await retry(id)), '409 conflict', 'it waits to be tried again')
          test.clock.advance(MINUTES)
          await drainJobs(test.core, tenantId)
        }
        assert.equal((await retry(id)).status, 200)
        behaviour.fails = false
        await drainJobs(test.core, tenantId)
        assert.deepEqual(behaviour.ran.splice(0), [word])
        assert.equal(told(await retry(id)), '404 not_found')
      }
  })

  it('is run once by however many retries at once', async () => {
    for (const tenantId of [tenant.id, null]) {
      behaviour.fails = true
      const { id, word } = await failed(tenantId)
      behaviour.fails = false
      const answers = await Promise.all(Array.from({ length: 20 }, () => retry(id)))
      assert.deepEqual(answers.map(told).sort(), ['200', ...Array.from({ length: 19 }, () => '409 conflict')])
      await drainJobs(test.core, tenantId)
      assert.deepEqual(behaviour.ran.splice(0), [word])
    }
  })

  it('is retried or deleted, not both', async () => {
    const { id } = await failed(tenant.id)
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? retry(id) : remove(id))))
    const done = answers.map(told)
    assert.equal(done.filter((each) => each === '204').length, 1)
    assert.ok(done.filter((each) => each === '200').length <= 1)
    assert.ok(
      done.every((each) => ['200', '204', '404 not_found', '409 conflict'].includes(each)),
      done.join(),
    )
  })

  it('is retried by an operator whom both logs name, with what it was', async () => {
    const { id } = await failed(tenant.id)
    await retry(id)
    const { own, global } = await recordsOf(id)
    assert.deepEqual(own, global)
    has(own, [{ action: 'admin.job_retried', actor_type: 'admin', actor_id: operators.operations.userId }])
    assert.deepEqual(own[0]?.old_values, { status: 'failed', attempts: 1 })
    assert.deepEqual(own[0]?.new_values, { status: 'waiting', attempts: 0 })
    await remove(id)
    const after = await recordsOf(id)
    assert.deepEqual(after.own, after.global)
    has(after.own.at(-1), {
      action: 'admin.job_deleted',
      old_values: { id, task: 'desk.try_once', status: 'waiting', tenant_id: tenant.id },
    })
    const none = await failed(null)
    await remove(none.id)
    const { own: nothing, global: records } = await recordsOf(none.id)
    assert.deepEqual([nothing, records.map(({ action }) => action)], [[], ['admin.job_deleted']])
    assert.ok(!(await list('task=desk.try_once')).some((each) => [id, none.id].includes(each.id)))
  })

  it('is one that there is: 404 for another id', async () => {
    for (const id of [newId(), 'me', 'x'.repeat(300)]) {
      assert.equal(told(await retry(id)), '404 not_found')
      assert.equal(told(await remove(id)), '404 not_found')
    }
    const { id } = await failed(tenant.id)
    assert.equal(told(await remove(id)), '204')
    assert.equal(told(await remove(id)), '404 not_found')
  })
})
