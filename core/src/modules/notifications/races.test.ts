import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fromNow, HOURS, newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { builtinModules } from '../index.ts'
import { makeAlarms, offerNotice } from './delivery/gateway.fixture.ts'
import { badgeOf, listOf, recount, tellPeople } from './notifications.fixture.ts'

let t: TestCore
let alarms: Awaited<ReturnType<typeof makeAlarms>>
let tenant: TestTenant
before(async () => {
  alarms = await makeAlarms()
  t = await createTestCore({ modules: [...builtinModules, alarms.module] })
  tenant = await t.foundTenant()
  await t.drainJobs(tenant.id)
})
after(async () => {
  await t?.close()
  await alarms?.remove()
})

/** One that the owner was just told; its id. */
async function told(): Promise<string> {
  const data = { name: newId(), until: fromNow(t.clock, 1 * HOURS) }
  await tellPeople(t, tenant.id, offerNotice, { data })
  const [latest] = await listOf(tenant.owner, '&kind=offer.made')
  assert.ok(latest)
  return latest.id
}
const records = async (action: string, id: string) =>
  (
    await t.core.db.systemQuery<{ new_values: { action?: string } }>(
      'select new_values from audit_logs where tenant_id = $1 and action = $2 and resource_id = $3',
      [tenant.id, action, id],
    )
  ).map(({ new_values }) => new_values)
const owner = () => tenant.owner

describe('of many at once', () => {
  test('one action is taken, and recorded once', async () => {
    const id = await told()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => owner().post(`/notifications/${id}/act`, { action: n % 2 ? 'look' : 'go' })),
    )
    const [taken] = await records('notification.acted', id)
    assert.equal((await records('notification.acted', id)).length, 1)
    const found = (await owner().get(`/notifications?kind=offer.made`)).body.data[0]
    assert.equal(found.outcome.action, taken?.action)
    answers.forEach(({ status }, n) => {
      assert.equal(status, (n % 2 ? 'look' : 'go') === taken?.action ? 200 : 409)
    })
  })

  test('archiving, reading and deleting leave the badge right', async () => {
    const ids = [await told(), await told(), await told()]
    await Promise.all(
      ids.flatMap((id) => [
        owner().post(`/notifications/${id}/archive`),
        owner().put(`/notifications/${id}/read`, {}),
        owner().delete(`/notifications/${id}`),
        owner().post(`/notifications/${id}/archive`),
        owner().delete(`/notifications/${id}`),
        owner().put('/notifications/read-all', {}),
      ]),
    )
    assert.equal(await badgeOf(owner()), await recount(t, tenant.id, owner().userId))
    for (const id of ids) assert.equal((await owner().put(`/notifications/${id}/read`, {})).status, 404)
  })

  test('changes of preferences of several kinds keep each other', async () => {
    const path = '/notifications/preferences'
    const kinds = ['announcement', 'user.joined', 'alarm.raised', 'offer.made']
    const answers = await Promise.all(
      kinds.map((notification_type) => owner().put(path, { data: [{ notification_type, in_app_enabled: false }] })),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    const { data } = (await owner().get(path)).body
    for (const kind of kinds) {
      const found = data.find((each: { notification_type: string }) => each.notification_type === kind)
      assert.equal(found.in_app_enabled, false, kind)
    }
  })
})
