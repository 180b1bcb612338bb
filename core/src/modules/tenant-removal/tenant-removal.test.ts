import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, HOURS, newId, type OperatorRole } from '#kernel'
import { sweepJobs } from '../../kernel/jobs/worker.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { globalRecords, operatorsOf, ownRecords } from '../admin/admin.fixture.ts'
import { scopesForKeys } from '../api-keys/index.ts'
import { rollOver } from '../subscriptions/life/renewal.ts'
import { remindOwners } from './remind.ts'
import { asSuperuser, countOf, hashesOf, passGrace, remove, runOnce } from './tenant-removal.fixture.ts'

let t: TestCore
let second: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  t = await createTestCore()
  second = await createTestCore({ database: t.database })
  operators = await operatorsOf(t)
})
after(async () => {
  await second?.close()
  await t?.close()
})

const del = (id: string, reason?: string) => remove(operators.operations, id, reason)
const reactivate = (id: string) => operators.operations.post(`/admin/tenants/${id}/reactivate`)
const read = async (id: string) => (await operators.support.get(`/admin/tenants/${id}`)).body
const ask = async (core: TestCore, token: string) => {
  const { status, body } = await core.request('GET', '/api/v1/stores', { token })
  return `${status} ${body.code ?? ''}`
}
const KEPT_OUT = '403 tenant_suspended'
const subjects = async (to: string) => {
  await t.drainJobs(null)
  return (await t.mails(to)).map(({ subject }) => subject)
}

describe('a deleted tenant', () => {
  it('keeps everybody out from the next request on, in every process, until that is undone', async () => {
    const tenant = await t.foundTenant()
    const key = (await tenant.owner.post('/api-keys', { name: 'All', scopes: scopesForKeys(t.core) })).body.key
    const tokens = [await tenant.owner.token(), key]
    for (const core of [t, second]) for (const token of tokens) assert.equal(await ask(core, token), '200 ')
    const now = t.clock.ms()
    const { status, body } = await del(tenant.id, 'Contract ended')
    assert.equal(status, 202)
    const graceMs = Date.parse(body.purge_at) - now
    assert.ok(graceMs >= 30 * DAYS && graceMs < 30 * DAYS + 1 * HOURS)
    for (const token of tokens) assert.equal(await ask(t, token), KEPT_OUT)
    await until('the other process knows', async () =>
      (await Promise.all(tokens.map((token) => ask(second, token)))).every((each) => each === KEPT_OUT),
    )
    await assert.rejects(tenant.owner.in(tenant.id).token(), { code: 'tenant_suspended' })
    const { removal, ...seen } = await read(tenant.id)
    assert.equal(seen.status, 'deleted')
    assert.deepEqual(
      [removal.reason, removal.purge_at, removal.begun_at, removal.requested_by.id],
      ['Contract ended', body.purge_at, null, operators.operations.userId],
    )
    const undone = await reactivate(tenant.id)
    assert.deepEqual([undone.status, undone.body.status, undone.body.removal], [200, 'active', null])
    for (const token of tokens) assert.equal(await ask(t, token), '200 ')
  })

  it('becomes suspended again where it was', async () => {
    const { id } = await t.foundTenant()
    await operators.operations.post(`/admin/tenants/${id}/suspend`, { reason: 'Unpaid' })
    assert.equal((await del(id)).status, 202)
    const { body } = await reactivate(id)
    assert.deepEqual([body.status, body.suspended_reason], ['suspended', 'Unpaid'])
    assert.equal((await reactivate(id)).body.status, 'active')
  })

  it('is deleted and brought back once each, however many try, and both logs say who did it and why', async () => {
    const { id, name } = await t.foundTenant()
    const rivals = Array.from({ length: 20 }, (_, i) => i)
    const codes = async (act: () => Promise<{ status: number; body: { code?: string } }>) =>
      (await Promise.all(rivals.map(act))).map(({ status, body }) => `${status} ${body.code ?? ''}`).sort()
    const rest = rivals.slice(1).map(() => '409 conflict')
    assert.deepEqual(await codes(() => del(id, 'Over')), ['202 ', ...rest])
    assert.deepEqual(await codes(() => reactivate(id)), ['200 ', ...rest])
    const [deleted, undone] = await ownRecords(t, id)
    assert.deepEqual([deleted?.action, undone?.action], ['tenant.deleted', 'tenant.reactivated'])
    assert.deepEqual(
      [deleted?.actor_id, deleted?.new_values.reason, deleted?.old_values?.status, deleted?.new_values.status],
      [operators.operations.userId, 'Over', 'active', 'deleted'],
    )
    const records = await globalRecords(t, id)
    assert.deepEqual(
      records.map(({ action, actor_id }) => [action, actor_id]),
      [
        ['admin.tenant_deleted', operators.operations.userId],
        ['admin.tenant_reactivated', operators.operations.userId],
      ],
    )
    assert.deepEqual([records[0]?.new_values.name, records[0]?.new_values.reason], [name, 'Over'])
  })

  it('is for those operators who see to that, and for tenants that are there', async () => {
    const { id, owner } = await t.foundTenant()
    for (const role of ['support', 'billing'] as const) assert.equal((await remove(operators[role], id)).status, 403)
    assert.equal((await remove(owner, id)).status, 403)
    assert.equal((await del(newId())).status, 404)
    assert.equal((await del('nobody')).status, 404)
    for (const wrong of ['', ' ', 'a'.repeat(1001), 'two\nlines'])
      assert.equal((await del(id, wrong)).status, 400, JSON.stringify(wrong))
    assert.equal((await operators.operations.delete(`/admin/tenants/${id}?force=true`)).status, 400)
    assert.equal((await remove(operators.all, id)).status, 202)
    assert.equal((await operators.billing.get(`/admin/tenants/${id}/certificate`)).status, 403)
    assert.equal((await operators.support.get(`/admin/tenants/${id}/certificate`)).status, 404)
    for (const [path, body] of [
      ['suspend', { reason: 'Unpaid' }],
      ['extend-trial', { days: 3 }],
    ] as const)
      assert.equal((await operators.all.post(`/admin/tenants/${id}/${path}`, body)).body.code, 'conflict', path)
  })

  it('keeps its slug from others', async () => {
    const { id } = await t.foundTenant({ name: 'Late Lamp' })
    await del(id)
    const other = await t.addPerson()
    assert.equal((await other.post('/tenants', { name: 'x', slug: 'late-lamp' })).body.code, 'slug_taken')
  })
})

describe('what a deleted tenant has to do', () => {
  const waiting = async ({ id }: TestTenant) => countOf(t, 'tenant_jobs', id)
  const woken = () =>
    asSuperuser<{ key: string }>(t, "select key from graphile_worker._private_jobs where key like '%:%'").then((rows) =>
      rows.map(({ key }) => key.slice(0, 36)),
    )

  it('waits, and goes on when it is brought back', async () => {
    const tenant = await t.foundTenant()
    const invited = `${newId()}@example.com`
    await tenant.owner.post('/users/invite', { email: invited })
    const before = await waiting(tenant)
    assert.ok(before > 0)
    await del(tenant.id)
    await t.drainJobs(tenant.id)
    assert.ok((await waiting(tenant)) >= before)
    assert.deepEqual(await t.mails(invited), [])
    await asSuperuser(t, 'delete from graphile_worker._private_jobs')
    await sweepJobs(t.core)
    await until('nobody is woken for it', async () => !(await woken()).includes(tenant.id))
    await reactivate(tenant.id)
    await until('it is woken', async () => (await woken()).includes(tenant.id))
    await t.drainJobs(tenant.id)
    assert.equal(await waiting(tenant), 0)
    assert.equal((await t.mails(invited)).length, 1)
  })

  it('is left out by sweeps: nothing renews or charges its subscription meanwhile', async () => {
    const [gone, stays] = [await t.foundTenant({ plan: 'starter' }), await t.foundTenant({ plan: 'starter' })]
    const periodOf = async ({ id }: TestTenant) =>
      (await asSuperuser(t, 'select current_period_end::text from core.subscriptions where tenant_id = $1', [id]))[0]
    const [before, other] = [await periodOf(gone), await periodOf(stays)]
    await del(gone.id)
    t.clock.advance(20 * DAYS)
    await t.runSchedule(rollOver)
    t.clock.advance(15 * DAYS)
    await reactivate(gone.id)
    await del(gone.id)
    const { removal } = await read(gone.id)
    assert.ok(Date.parse(removal.purge_at) > t.clock.ms() + 29 * DAYS, 'thirty days from the last time')
    await t.runSchedule(rollOver)
    assert.deepEqual(await periodOf(gone), before)
    assert.notDeepEqual(await periodOf(stays), other)
    await reactivate(gone.id)
    await t.runSchedule(rollOver)
    assert.notDeepEqual(await periodOf(gone), before)
  })
})

describe('the owners of a deleted tenant', () => {
  it('are told by mail at once, a week before the end and a day before, and of nothing else', async () => {
    const tenant = await t.foundTenant({ name: 'Quiet Quarry' })
    const colleague = await tenant.member({ role: 'owner' })
    const clerk = await tenant.member({ role: 'admin' })
    const { purge_at } = (await del(tenant.id)).body
    const [first] = await t.drainJobs(null).then(() => t.mails(tenant.owner.email))
    assert.equal(first?.subject, 'Everything of Quiet Quarry will be removed')
    assert.ok(first?.text.includes(String(new Date(purge_at).getUTCDate())), first?.text)
    assert.match(first?.text ?? '', /can be undone.*whoever runs this service/s)
    t.clock.advance(22 * DAYS)
    await t.runSchedule(remindOwners)
    assert.equal((await subjects(tenant.owner.email)).length, 1)
    t.clock.advance(1 * DAYS + 1 * HOURS)
    for (let turn = 0; turn < 2; turn++) await t.runSchedule(remindOwners)
    assert.equal((await subjects(tenant.owner.email)).length, 2)
    t.clock.advance(6 * DAYS)
    for (let turn = 0; turn < 2; turn++) await t.runSchedule(remindOwners)
    const reminder = 'Everything of Quiet Quarry will soon be removed'
    assert.deepEqual(await subjects(tenant.owner.email), [reminder, reminder, first?.subject])
    assert.equal((await subjects(colleague.email)).length, 3)
    assert.deepEqual(await subjects(clerk.email), [])
  })

  it('hear no more of it once it is undone, not even what has not left yet', async () => {
    const tenant = await t.foundTenant()
    await del(tenant.id)
    await reactivate(tenant.id)
    assert.deepEqual(await subjects(tenant.owner.email), [])
    t.clock.advance(29 * DAYS + 12 * HOURS)
    await t.runSchedule(remindOwners)
    assert.deepEqual(await subjects(tenant.owner.email), [])
  })
})

describe('the end of the thirty days', () => {
  it('is none for a tenant that was brought back', async () => {
    const { id } = await t.foundTenant()
    await del(id)
    await reactivate(id)
    const before = await hashesOf(t, id)
    await passGrace(t)
    await runOnce(t)
    assert.deepEqual(await hashesOf(t, id), before)
  })

  it('comes by the clock of the database too: one that is ahead here removes nothing', async () => {
    const own = await createTestCore()
    try {
      const operator = await own.addOperator(['operations'])
      const { id } = await own.foundTenant()
      await remove(operator, id)
      own.clock.advance(40 * DAYS)
      const before = await hashesOf(own, id)
      assert.equal(await runOnce(own), 'none')
      assert.deepEqual(await hashesOf(own, id), before)
      assert.equal((await operator.post(`/admin/tenants/${id}/reactivate`)).body.status, 'active')
    } finally {
      await own.close()
    }
  })
})
