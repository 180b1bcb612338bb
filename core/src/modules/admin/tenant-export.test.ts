import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { HOURS, newId, type OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { download, read } from '../tenant-exports/tenant-exports.fixture.ts'
import { asSuperuser, passGrace, remove } from '../tenant-removal/tenant-removal.fixture.ts'
import { globalRecords, operatorsOf, ownRecords } from './admin.fixture.ts'

let t: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  t = await createTestCore()
  operators = await operatorsOf(t)
})
after(() => t?.close())

const ask = (id: string, who = operators.operations) => who.post(`/admin/tenants/${id}/export`)
const state = (id: string, who = operators.operations) => who.get(`/admin/tenants/${id}/export`)
const taken = async (url: string) => (await download(t, url)).status
/** Asked for and written; gives the link. */
async function exported({ id }: TestTenant): Promise<string> {
  assert.equal((await ask(id)).status, 202)
  await t.drainJobs(id)
  const { body } = await state(id)
  assert.deepEqual([body.status, body.requested_by], ['done', null])
  return body.url
}

describe('an export of a tenant for an operator', () => {
  it('has all that one for its owner has, and its owners get to know of it', async () => {
    const tenant = await t.foundTenant({ name: 'Open Orchard' })
    await tenant.owner.post('/stores', { name: 'Second' })
    const { body } = await ask(tenant.id)
    assert.deepEqual((await ask(tenant.id)).body, body, 'while it is being written it is the same one')
    await t.drainJobs(tenant.id)
    const { url } = (await state(tenant.id)).body
    const answer = await download(t, url)
    const { manifest, rows } = await read(answer.bytes)
    assert.equal(manifest.tenant.name, 'Open Orchard')
    assert.equal(rows('stores').length, 2)
    assert.equal((await tenant.owner.get('/tenants/current/export')).body.job_id, body.job_id)
    const subjects = (await t.mails(tenant.owner.email)).map(({ subject }) => subject)
    assert.deepEqual(subjects, ['Your export is ready'])
    const own = (await ownRecords(t, tenant.id)).map(({ action, actor_id }) => [action, actor_id])
    const { userId } = operators.operations
    assert.deepEqual(
      own.filter(([action]) => action !== 'tenant.exported'),
      [
        ['tenant.export_requested', userId],
        ['tenant.export_downloaded', userId],
      ],
    )
    const global = (await globalRecords(t, tenant.id)).map(({ action, actor_id }) => [action, actor_id])
    assert.deepEqual(global, [
      ['admin.tenant_export_requested', userId],
      ['admin.tenant_export_requested', userId],
      ['admin.tenant_export_downloaded', userId],
    ])
  })

  it('is written also of one that is suspended or deleted, whose owners get at nothing', async () => {
    const suspended = await t.foundTenant()
    await operators.operations.post(`/admin/tenants/${suspended.id}/suspend`, { reason: 'Unpaid' })
    assert.equal(await taken(await exported(suspended)), 200)
    const deleted = await t.foundTenant()
    await t.drainJobs(deleted.id)
    await remove(operators.operations, deleted.id)
    assert.equal(await taken(await exported(deleted)), 200)
    const waits = await asSuperuser(t, "select 1 from core.tenant_jobs where tenant_id = $1 and status = 'waiting'", [
      deleted.id,
    ])
    assert.ok(waits.length > 0, 'everything else waits')
  })

  it('is downloaded by whoever was given the link, as long as they may export tenants, for an hour', async () => {
    const tenant = await t.foundTenant()
    const url = await exported(tenant)
    const person = await t.addOperator(['operations'])
    const theirs = (await state(tenant.id, person)).body.url
    assert.deepEqual([await taken(url), await taken(theirs)], [200, 200])
    await operators.all.post('/admin/operators', { user_id: person.userId, roles: ['support'] })
    assert.deepEqual([await taken(url), await taken(theirs)], [200, 404])
    await asSuperuser(t, "update core.users set operator_roles = '{operations}', status = 'disabled' where id = $1", [
      person.userId,
    ])
    assert.equal(await taken(theirs), 404)
    // The token of an owner is none of an operator, nor the other way round.
    const owners = (await tenant.owner.get('/tenants/current/export')).body.url
    await operators.operations.post(`/admin/tenants/${tenant.id}/suspend`, { reason: 'Unpaid' })
    assert.deepEqual([await taken(owners), await taken(url)], [404, 200])
    t.clock.advance(1 * HOURS + 1000)
    assert.equal(await taken(url), 400)
  })

  it('takes the role, a tenant that is there, and one of which nothing is gone', async () => {
    const tenant = await t.foundTenant()
    for (const role of ['support', 'billing'] as const) {
      assert.equal((await ask(tenant.id, operators[role])).status, 403)
      assert.equal((await state(tenant.id, operators[role])).status, 403)
    }
    assert.equal((await ask(newId())).status, 404)
    assert.equal((await state(newId())).status, 404)
    assert.equal((await state(tenant.id)).status, 404)
    await remove(operators.operations, tenant.id)
    await passGrace(t)
    await asSuperuser(t, 'update core.tenant_removals set begun_at = now() where tenant_id = $1', [tenant.id])
    assert.equal((await ask(tenant.id)).body.code, 'conflict')
  })
})
