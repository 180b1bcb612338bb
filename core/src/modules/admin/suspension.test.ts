import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { scopesForKeys } from '../api-keys/index.ts'
import { globalRecords, operatorsOf, ownRecords } from './admin.fixture.ts'

let first: TestCore
let second: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  first = await createTestCore()
  second = await createTestCore({ database: first.database })
  operators = await operatorsOf(first)
})
after(async () => {
  await second?.close()
  await first?.close()
})

const suspend = (id: string, reason = 'Card testing') =>
  operators.operations.post(`/admin/tenants/${id}/suspend`, { reason })
const reactivate = (id: string) => operators.operations.post(`/admin/tenants/${id}/reactivate`)
const ask = async (core: TestCore, token: string, path = '/stores') => {
  const { status, body } = await core.request('GET', `/api/v1${path}`, { token })
  return `${status} ${body.code ?? ''}`
}
const SUSPENDED = '403 tenant_suspended'

describe('a suspended tenant', () => {
  it('keeps its people and keys out, in another process within a second, and lets them in again', async () => {
    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const tenant = await first.foundTenant()
      const key = (await tenant.owner.post('/api-keys', { name: 'All', scopes: scopesForKeys(first.core) })).body.key
      const clerk = await (await tenant.member({ role: 'staff' })).token()
      const tokens = [await tenant.owner.token(), clerk, key]
      for (const core of [first, second]) for (const token of tokens) assert.equal(await ask(core, token), '200 ')
      const { status, body } = await suspend(tenant.id)
      assert.deepEqual([status, body.status, body.suspended_reason], [200, 'suspended', 'Card testing'])
      const since = performance.now()
      for (const token of tokens) assert.equal(await ask(first, token), SUSPENDED)
      const refuses = async () =>
        (await Promise.all(tokens.map((token) => ask(second, token)))).every((each) => each === SUSPENDED)
      await until('the other process knows', refuses)
      times.push(performance.now() - since)
      assert.equal((await reactivate(tenant.id)).body.status, 'active')
      for (const token of tokens) assert.equal(await ask(first, token), '200 ')
      await until('the other process knows', async () => (await ask(second, key)) === '200 ')
    }
    // The best of them: a busy machine is late with others.
    assert.ok(Math.min(...times) < 1_000, `${times} ms`)
  })

  it('leaves its people their other tenants, and a way in there', async () => {
    const [one, two] = [await first.foundTenant(), await first.foundTenant()]
    const invited = await one.member({ role: 'staff' })
    const { body } = await invited.in(one.id).post('/tenants', { name: 'Own company' })
    const [here, there] = [await invited.token(), await invited.in(body.id).token()]
    await suspend(one.id)
    assert.equal(await ask(first, here), SUSPENDED)
    assert.equal(await ask(first, there), '200 ')
    // Whoever signs in anew, without a word about where, is taken to the other one.
    assert.equal((await invited.in().get('/tenants/current')).body.id, body.id)
    assert.equal(await ask(first, await two.owner.token()), '200 ')
    await reactivate(one.id)
  })

  it('keeps no operator from their work, who belongs nowhere else', async () => {
    const tenant = await first.foundTenant()
    const colleague = await tenant.member({ role: 'staff' })
    await operators.all.post('/admin/operators', { user_id: colleague.userId, roles: ['support'] })
    await suspend(tenant.id)
    assert.equal((await colleague.in().get('/admin/overview')).status, 200)
    await assert.rejects(tenant.owner.in().token(), { code: 'tenant_suspended' })
    await reactivate(tenant.id)
  })

  it('goes on with its jobs, and loses none', async () => {
    const tenant = await first.foundTenant()
    await tenant.owner.post('/users/invite', { email: 'invited@example.com' })
    const waiting = async () =>
      (await first.core.db.systemQuery('select id from tenant_jobs where tenant_id = $1', [tenant.id])).length
    assert.ok((await waiting()) > 0)
    await suspend(tenant.id)
    await first.drainJobs(tenant.id)
    assert.equal(await waiting(), 0)
    assert.equal((await first.mails('invited@example.com')).length, 1)
    await reactivate(tenant.id)
    assert.equal(await ask(first, await tenant.owner.token()), '200 ')
  })

  it('is suspended and reactivated once each, however many do so at once', async () => {
    const { id } = await first.foundTenant()
    const rivals = Array.from({ length: 20 }, (_, i) => i)
    const codes = async (act: () => Promise<{ status: number; body: { code?: string } }>) =>
      (await Promise.all(rivals.map(act))).map(({ status, body }) => `${status} ${body.code ?? ''}`).sort()
    const once = ['200 ', ...rivals.slice(1).map(() => '409 conflict')]
    assert.deepEqual(await codes(() => suspend(id)), once)
    assert.deepEqual(await codes(() => reactivate(id)), once)
    const actions = (records: { action: string }[]) => records.map(({ action }) => action)
    assert.deepEqual(actions(await ownRecords(first, id)), ['tenant.suspended', 'tenant.reactivated'])
    assert.deepEqual(actions(await globalRecords(first, id)), ['admin.tenant_suspended', 'admin.tenant_reactivated'])
  })

  it('finds in its own log who did it and why, and nobody reactivates what is not suspended', async () => {
    const { id, owner } = await first.foundTenant()
    assert.equal((await reactivate(id)).body.code, 'conflict')
    await suspend(id, 'Unpaid for 60 days')
    await reactivate(id)
    const { body } = await owner.get('/audit?action=tenant.suspended')
    const [record] = body.data
    const { userId, name } = operators.operations
    assert.deepEqual(
      [record.actor.type, record.actor.id, record.actor.label, record.user_id, record.new_values.reason],
      ['admin', userId, name, userId, 'Unpaid for 60 days'],
    )
    const [act] = await globalRecords(first, id)
    assert.deepEqual([act?.actor_id, act?.new_values.reason, act?.new_values.id], [userId, 'Unpaid for 60 days', id])
    await first.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [id])
    assert.equal((await suspend(id)).body.code, 'conflict')
    // Also one that was deleted by hand, before that could be planned.
    assert.equal((await reactivate(id)).body.status, 'active')
  })

  it('has a reason that says something', async () => {
    const { id } = await first.foundTenant()
    const path = `/admin/tenants/${id}/suspend` as const
    for (const body of [
      {},
      { reason: '' },
      { reason: ' \u200b' },
      { reason: null },
      { reason: 'x'.repeat(1_001) },
      { reason: 'a', until: 1 },
    ])
      assert.equal((await operators.all.post(path, body)).status, 400, JSON.stringify(body))
    assert.equal((await operators.all.get(`/admin/tenants/${id}`)).body.status, 'active')
  })
})
