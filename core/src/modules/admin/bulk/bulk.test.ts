import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { DAYS, newId, type OperatorRole, systemActor, unavailable } from '#kernel'
import { createContext, noOrigin } from '../../../kernel/create-context.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { addPrivatePlan, globalRecords, operatorsOf, ownRecords } from '../admin.fixture.ts'
import { actInBulk, type BulkAct } from './bulk.ts'

let test: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  test = await createTestCore()
  operators = await operatorsOf(test)
})
after(() => test?.close())

interface Outcome {
  id: string
  outcome: string
  code: string | null
  detail: string | null
}
type Kind = 'tenants' | 'users' | 'jobs'
const send = (kind: Kind, body: object, by = operators.all, headers: Record<string, string> = {}) =>
  by.request('POST', `/admin/${kind}/bulk`, { body: { dry_run: false, ...body }, headers })
const bulk = async (kind: Kind, body: object, by = operators.all): Promise<Outcome[]> => {
  const { status, body: answer, text } = await send(kind, body, by)
  assert.equal(status, 200, text)
  assert.equal(answer.dry_run, 'dry_run' in body && body.dry_run)
  return answer.data
}
const short = (data: Outcome[]) => data.map(({ outcome, code }) => (code === null ? outcome : `${outcome} ${code}`))
const found = (count: number) => Promise.all(Array.from({ length: count }, () => test.foundTenant()))
const idsOf = (tenants: TestTenant[]) => tenants.map(({ id }) => id)
const statusOf = async (id: string) => (await operators.support.get(`/admin/tenants/${id}`)).body.status
const trialEnd = async (id: string) => (await operators.support.get(`/admin/tenants/${id}`)).body.trial_ends_at
const later = (moment: string, days: number) => new Date(Date.parse(moment) + days * DAYS).toISOString()

/** How many rows there are in every table but those of sessions, which asking makes. */
async function countRows(): Promise<Record<string, number>> {
  const tables = await test.core.db.systemQuery<{ name: string }>(
    "select name from tenantry.tables where name not in ('sessions', 'refresh_tokens', 'user_logins', 'known_devices') order by name",
  )
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    // Some are for the owner alone.
    const rows = await test.core.db
      .systemQuery<{ count: number }>(`select count(*)::int as count from ${name}`)
      .catch(() => [])
    counts[name] = rows[0]?.count ?? -1
  }
  return counts
}

describe('many tenants', () => {
  it('are suspended and reactivated, each with its own records, whatever becomes of the others', async () => {
    const tenants = await found(3)
    const [one, two, three] = idsOf(tenants) as [string, string, string]
    await operators.operations.post(`/admin/tenants/${two}/suspend`, { reason: 'Before' })
    assert.equal((await operators.operations.delete(`/admin/tenants/${three}`)).status, 202)
    const ids = [one.toUpperCase(), two, three, newId(), one]
    const data = await bulk('tenants', { action: 'suspend', ids, reason: 'Card testing' }, operators.operations)
    assert.deepEqual(short(data), ['done', 'unchanged', 'refused conflict', 'refused not_found'])
    assert.deepEqual(
      data.map(({ id }) => id),
      [one, two, three, ids[3]],
    )
    assert.match(data[2]?.detail ?? '', /deleted/)
    assert.deepEqual([await statusOf(one), await statusOf(two)], ['suspended', 'suspended'])
    const [own] = await ownRecords(test, one)
    has(own, {
      action: 'tenant.suspended',
      actor_id: operators.operations.userId,
      new_values: { reason: 'Card testing' },
    })
    const [act] = await globalRecords(test, one)
    has(act, { action: 'admin.tenant_suspended', new_values: { reason: 'Card testing' } })
    const back = await bulk('tenants', { action: 'reactivate', ids: [one, two, three] })
    assert.deepEqual(short(back), ['done', 'done', 'done'])
    assert.equal(await statusOf(three), 'active')
    assert.deepEqual(short(await bulk('tenants', { action: 'reactivate', ids: [one] })), ['unchanged'])
  })

  it('get longer trials and other plans, by the rules for one', async () => {
    const paid = await test.foundTenant({ plan: 'starter' })
    const [trial] = idsOf(await found(1)) as [string]
    const before = await trialEnd(trial)
    const extended = await bulk(
      'tenants',
      { action: 'extend-trial', ids: [trial, paid.id], days: 7 },
      operators.billing,
    )
    assert.deepEqual(short(extended), ['done', 'refused conflict'])
    assert.equal(await trialEnd(trial), later(before, 7))
    const plan_id = await addPrivatePlan(test, `own-${newId().slice(-8)}`, { price_cents: 100, limits: { stores: 1 } })
    await paid.owner.post('/stores', { name: 'Second' })
    const change = { action: 'change-plan', ids: [trial, paid.id], plan_id, at: 'now' }
    assert.deepEqual(short(await bulk('tenants', change)), ['done', 'refused downgrade_exceeds_limits'])
    assert.deepEqual(short(await bulk('tenants', { ...change, ids: [trial] })), ['unchanged'])
    assert.deepEqual(short(await bulk('tenants', { ...change, plan_id: newId() })), [
      'refused not_found',
      'refused not_found',
    ])
  })

  it('are acted on by whoever may act on one', async () => {
    const [id] = idsOf(await found(1)) as [string]
    const acts = {
      suspend: { reason: 'Unpaid' },
      reactivate: {},
      'extend-trial': { days: 1 },
      'change-plan': { plan_id: newId() },
    }
    const may: Record<string, string> = {
      suspend: 'operations',
      reactivate: 'operations',
      'extend-trial': 'billing',
      'change-plan': 'billing',
    }
    for (const [action, fields] of Object.entries(acts))
      for (const role of ['support', 'billing', 'operations', 'all'] as const) {
        const { status, body } = await send('tenants', { action, ids: [id], dry_run: true, ...fields }, operators[role])
        const expected = role === 'all' || may[action] === role ? [200, undefined] : [403, 'permission_denied']
        assert.deepEqual([status, body.code], expected, `${role} ${action}`)
      }
    for (const kind of ['users', 'jobs'] as const)
      for (const role of ['support', 'billing'] as const) {
        const action = kind === 'users' ? 'disable' : 'retry'
        const { status } = await send(kind, { action, ids: [newId()], dry_run: true }, operators[role])
        assert.equal(status, 403)
      }
  })

  it('are asked for in a form that says all that the action needs, and nothing else', async () => {
    const ids = [newId()]
    for (const [kind, body] of [
      ['tenants', { action: 'suspend', ids }],
      ['tenants', { action: 'suspend', ids, reason: ' \u200b' }],
      ['tenants', { action: 'suspend', ids, reason: 'a', days: 3 }],
      ['tenants', { action: 'reactivate', ids, reason: 'a' }],
      ['tenants', { action: 'extend-trial', ids }],
      ['tenants', { action: 'extend-trial', ids, days: 366 }],
      ['tenants', { action: 'extend-trial', ids, days: 1, at: 'now' }],
      ['tenants', { action: 'change-plan', ids }],
      ['tenants', { action: 'change-plan', ids, plan_id: 'starter' }],
      ['tenants', { action: 'delete', ids }],
      ['tenants', { action: 'reactivate', ids: [] }],
      ['tenants', { action: 'reactivate', ids: ['acme'] }],
      ['tenants', { action: 'reactivate', ids: Array.from({ length: 501 }, newId) }],
      ['tenants', { action: 'reactivate', ids: [ids[0], ids[0]] }],
      ['tenants', { action: 'reactivate', ids, dry_run: 'yes' }],
      ['tenants', { action: 'reactivate', ids, dry_run: undefined }],
      ['tenants', { ids }],
      ['users', { action: 'reset-2fa', ids }],
      ['users', { action: 'disable', ids, reason: 'a' }],
      ['jobs', { action: 'run', ids }],
      ['jobs', { action: 'retry' }],
    ] as const)
      assert.equal((await send(kind, body)).status, 400, JSON.stringify(body).slice(0, 200))
    const { body } = await send('tenants', { action: 'suspend', ids, days: 3, at: 'now' })
    assert.deepEqual(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '#/at',
      '#/days',
      '#/reason',
    ])
  })
})

describe('a dry run', () => {
  it('says what would be done, and leaves nothing behind', async () => {
    const tenants = await found(3)
    const ids = [...idsOf(tenants), newId()]
    await operators.operations.post(`/admin/tenants/${ids[1]}/suspend`, { reason: 'Before' })
    const { owner } = tenants[0] as TestTenant
    const person = await test.addPerson()
    await Promise.all([person.token(), owner.token()])
    const jobId = newId()
    await test.core.db.systemQuery(
      "insert into tenant_jobs (tenant_id, id, task, payload, origin, status, attempts, max_attempts, run_at, created_at) values ($1, $2, 'desk.none', '{}', '{}', 'failed', 3, 3, $3, $3)",
      [ids[0], jobId, test.clock.now()],
    )
    const plan_id = await addPrivatePlan(test, `own-${newId().slice(-8)}`)
    const before = await countRows()
    const dry = { dry_run: true }
    const said = [
      await bulk('tenants', { ...dry, action: 'suspend', ids, reason: 'Unpaid' }),
      await bulk('tenants', { ...dry, action: 'reactivate', ids }),
      await bulk('tenants', { ...dry, action: 'extend-trial', ids: ids.slice(0, 1), days: 30 }),
      await bulk('tenants', { ...dry, action: 'change-plan', ids: ids.slice(0, 1), plan_id }),
      await bulk('users', { ...dry, action: 'disable', ids: [person.userId, operators.all.userId, newId()] }),
      await bulk('users', { ...dry, action: 'revoke-sessions', ids: [person.userId] }),
      await bulk('jobs', { ...dry, action: 'retry', ids: [jobId] }),
      await bulk('jobs', { ...dry, action: 'delete', ids: [jobId] }),
    ].map(short)
    assert.deepEqual(said, [
      ['done', 'unchanged', 'done', 'refused not_found'],
      ['unchanged', 'done', 'unchanged', 'refused not_found'],
      ['done'],
      ['done'],
      ['done', 'refused conflict', 'refused not_found'],
      ['done'],
      ['done'],
      ['done'],
    ])
    assert.deepEqual(await countRows(), before)
    assert.equal((await owner.get('/stores')).status, 200)
    assert.equal((await person.get('/users/me')).status, 200)
    assert.equal(await statusOf(ids[1] ?? ''), 'suspended')
    has((await operators.all.get(`/admin/users/${person.userId}`)).body, { status: 'active', open_sessions: 1 })
    has((await operators.all.get(`/admin/jobs?task=desk.none`)).body.data, [{ status: 'failed', attempts: 3 }])
  })
})

describe('many people and jobs', () => {
  it('are acted on one by one', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => test.addPerson()))
    const ids = people.map(({ userId }) => userId)
    await people[0]?.token()
    assert.deepEqual(short(await bulk('users', { action: 'revoke-sessions', ids })), ['done', 'unchanged', 'unchanged'])
    const mixed = [...ids.slice(0, 2), operators.all.userId, operators.operations.userId, newId()]
    const disabled = await bulk('users', { action: 'disable', ids: mixed }, operators.operations)
    assert.deepEqual(short(disabled), [
      'done',
      'done',
      'refused permission_denied',
      'refused conflict',
      'refused not_found',
    ])
    assert.deepEqual(short(await bulk('users', { action: 'enable', ids })), ['done', 'done', 'unchanged'])
    assert.deepEqual(
      (await globalRecords(test, ids[0] ?? '')).map(({ action }) => action),
      ['admin.sessions_revoked', 'admin.user_disabled', 'admin.user_enabled'],
    )
    const jobs = [newId(), newId()]
    for (const [i, id] of jobs.entries())
      await test.core.db.systemQuery(
        `insert into system_jobs (id, task, payload, origin, status, max_attempts, run_at, created_at) values ($1, 'desk.none', '{}', '{}', '${i ? 'waiting' : 'failed'}', 3, $2, $2)`,
        [id, test.clock.now()],
      )
    assert.deepEqual(short(await bulk('jobs', { action: 'retry', ids: [...jobs, newId()] })), [
      'done',
      'refused conflict',
      'refused not_found',
    ])
    assert.deepEqual(short(await bulk('jobs', { action: 'delete', ids: jobs })), ['done', 'done'])
    assert.deepEqual(short(await bulk('jobs', { action: 'delete', ids: jobs })), [
      'refused not_found',
      'refused not_found',
    ])
  })
})

describe('who acts on many', () => {
  it('does so as long as they may', async () => {
    const leaver = await test.addOperator(['operations'])
    const people = await Promise.all([test.addPerson(), test.addPerson()])
    await Promise.all(people.map((person) => person.token()))
    const [before = '', after = ''] = people.map(({ userId }) => userId)
    const asked = { action: 'revoke-sessions', ids: [before, leaver.userId, after] }
    for (const dry_run of [true, false])
      assert.deepEqual(
        short(await bulk('users', { ...asked, dry_run }, leaver)),
        dry_run ? ['done', 'done', 'done'] : ['done', 'done', 'refused session_revoked'],
      )
    assert.equal((await people[1]?.get('/users/me'))?.status, 200)
  })
})

describe('what is done to many', () => {
  const ids = [newId(), newId(), newId()]
  const run = (act: BulkAct['act'], more: Partial<BulkAct> = {}) => {
    const ctx = createContext(test.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
    const scope = () => ({ role: 'system', tenantId: null }) as const // words are types
    return actInBulk(ctx, { ids, dry_run: false }, { role: 'operations', scope, act, ...more })
  }

  it('ends while somebody waits for it: what was not begun by then is not tried', async () => {
    const begun: string[] = []
    const act = async (_: unknown, id: string) => begun.push(id) > 0
    assert.deepEqual(short((await run(act, { budgetMs: -1 })).data), Array(3).fill('refused not_tried'))
    assert.deepEqual(begun, [])
    assert.deepEqual(short((await run(act)).data), ['done', 'done', 'done'])
    assert.deepEqual(begun, ids)
  })

  it('ends where the database cannot be reached, and goes on after what is wrong with one', async () => {
    const failing = (error: Error) => async (_: unknown, id: string) => {
      if (id === ids[1]) throw error
      return true
    }
    assert.deepEqual(short((await run(failing(unavailable()))).data), [
      'done',
      'refused unavailable',
      'refused not_tried',
    ])
    const { data } = await run(failing(new Error('a fault of ours')))
    assert.deepEqual(short(data), ['done', 'refused internal_error', 'done'])
    assert.ok(!JSON.stringify(data).includes('fault of ours'))
    assert.ok(test.logs.some((line) => line.includes('a fault of ours')))
  })
})

describe('a request whose answer could not be kept', () => {
  /** Until `work` is over nothing can be written down as the answer to a key, as if the process had died before it could. */
  async function withoutAnswers(work: () => Promise<void>): Promise<void> {
    const owner = new pg.Client({ connectionString: test.database.superuserUrl })
    await owner.connect()
    try {
      await owner.query(
        `create function core.lose() returns trigger language plpgsql as $$ begin raise exception 'lost'; end $$`,
      )
      await owner.query(
        'create trigger lose before update on core.global_idempotency_keys for each row when (new.status is not null) execute function core.lose()',
      )
      await work()
    } finally {
      await owner.query('drop function if exists core.lose cascade')
      await owner.end()
    }
  }

  it('acts on one tenant once, however often it is sent', async () => {
    const [id] = idsOf(await found(1)) as [string]
    const before = await trialEnd(id)
    const headers = { 'idempotency-key': newId() }
    const extend = () =>
      operators.billing.request('POST', `/admin/tenants/${id}/extend-trial`, { body: { days: 5 }, headers })
    await withoutAnswers(async () => assert.equal((await extend()).status, 500))
    assert.equal(await trialEnd(id), before)
    assert.deepEqual([(await extend()).status, (await extend()).status], [200, 200])
    assert.equal(await trialEnd(id), later(before, 5))
    assert.equal((await globalRecords(test, id)).length, 1)
  })

  it('acts on each of many once', async () => {
    const ids = idsOf(await found(3))
    const before = await Promise.all(ids.map(trialEnd))
    const key = newId()
    const extend = (of: string[], days = 5) =>
      send('tenants', { action: 'extend-trial', ids: of, days }, operators.billing, { 'idempotency-key': key })
    await withoutAnswers(async () => assert.equal((await extend(ids)).status, 500))
    assert.deepEqual(
      await Promise.all(ids.map(trialEnd)),
      before.map((end) => later(end, 5)),
      'each was done',
    )
    const { status, body } = await extend(ids)
    assert.deepEqual([status, short(body.data)], [200, ['done', 'done', 'done']])
    assert.deepEqual(
      await Promise.all(ids.map(trialEnd)),
      before.map((end) => later(end, 5)),
    )
    for (const id of ids) assert.equal((await globalRecords(test, id)).length, 1)
    assert.equal((await extend(ids, 6)).status, 422)
    test.clock.advance(2 * DAYS)
    assert.deepEqual(short((await extend(ids)).body.data), ['done', 'done', 'done'], 'a day later the key is a new one')
    assert.deepEqual(
      await Promise.all(ids.map(trialEnd)),
      before.map((end) => later(end, 10)),
    )
  })

  it('is answered again to nobody who has lost the role that it took', async () => {
    const [id] = idsOf(await found(1)) as [string]
    const person = await test.addOperator(['billing', 'operations'])
    const headers = { 'idempotency-key': newId() }
    const suspend = () => send('tenants', { action: 'suspend', ids: [id], reason: 'Unpaid' }, person, headers)
    assert.deepEqual([(await suspend()).status, (await suspend()).status], [200, 200])
    await operators.all.post('/admin/operators', { user_id: person.userId, roles: ['billing'] })
    assert.equal((await suspend()).status, 403)
  })
})
