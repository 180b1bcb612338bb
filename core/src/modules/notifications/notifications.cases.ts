import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import type { Cases, Tenant } from '../../testing/index.ts'
import { announcementCases } from './announcements/announcements.cases.ts'
import { announcementNotice } from './kinds.ts'
import { pushCases } from './push/push.cases.ts'
import { streamCases } from './stream/stream.cases.ts'

/** One that the owner was told of, unread; its id. */
async function told({ test, tenantId, text, send }: Tenant): Promise<string> {
  const title = text()
  const data = { title, message: text() }
  await test.core.run((ctx) => ctx.notify(announcementNotice, { data }), { tenantId })
  await test.drainJobs(tenantId)
  return latest(send, title)
}

/** The same with an action. */
async function actionable({ test, tenantId, send }: Tenant): Promise<string> {
  const { email, id, name, locale, timezone } = await send('GET', '/users/me')
  const device = { device: `Device ${newId()}`, named: 'unknown', program: '', system: '' }
  const data = { ...device, at: test.clock.now(), ip_address: null }
  const to = [{ email, id, name, locale, timezone }]
  const kind = test.core.registry.notifications.get('auth.new_sign_in')
  assert.ok(kind)
  await test.core.run((ctx) => ctx.notify(kind, { data: data as never, to }), { tenantId }) // as its module declares
  await test.drainJobs(tenantId)
  return latest(send, undefined)
}

async function latest(send: Tenant['send'], title: string | undefined): Promise<string> {
  const { data } = await send('GET', '/notifications')
  const found = title === undefined ? data[0] : data.find((each: { title: string }) => each.title === title)
  return found.id
}

const params = async (tenant: Tenant) => ({ params: { id: await told(tenant) } })

const cases: Cases = {
  makers: { '/notifications': told, ...pushCases.makers },
  ids: { last_event_id: '/notifications', tenant_ids: 'tenant' },
  routes: {
    ...streamCases(told),
    ...pushCases.routes,
    ...announcementCases,
    'GET /notifications': {
      given: async (tenant) => {
        await tenant.id('/notifications')
        return { query: { kind: announcementNotice.kind } }
      },
      see: async ({ body }, _sent, { marker }) =>
        assert.ok(body.data.some(({ title }: { title: string }) => title.includes(marker))),
    },
    'GET /notifications/unread-count': {
      see: ({ body }) => assert.ok(body.unread_count >= 0),
    },
    'PUT /notifications/read-all': {
      see: async (_answer, _sent, { send }) =>
        assert.deepEqual(await send('GET', '/notifications/unread-count'), { unread_count: 0 }),
    },
    'PUT /notifications/:id/read': {
      given: params,
      see: ({ body }, sent) => {
        has(body, { id: sent.params.id })
        assert.equal(typeof body.read_at, 'string')
      },
    },
    'POST /notifications/:id/archive': {
      given: params,
      see: ({ body }) => assert.equal(typeof body.archived_at, 'string'),
    },
    'POST /notifications/:id/act': {
      given: async (tenant) => ({ params: { id: await actionable(tenant) }, body: { action: 'dismiss' } }),
      see: ({ body }) => has(body, { outcome: { action: 'dismiss' } }),
    },
    'DELETE /notifications/:id': {
      given: params,
      see: async (_answer, { params }, { send }) => {
        const { data } = await send('GET', '/notifications')
        assert.ok(!data.some(({ id }: { id: string }) => id === params.id))
      },
    },
    'GET /notifications/preferences': {
      see: ({ body }) => assert.ok(['person', 'tenant', 'default'].includes(body.data[0].timezone_source)),
    },
    'PUT /notifications/preferences': {
      given: () => ({
        body: { data: [{ notification_type: announcementNotice.kind, email_enabled: false, email_digest: true }] },
      }),
      see: ({ body }) => {
        const changed = body.data.find(
          (each: { notification_type: string }) => each.notification_type === announcementNotice.kind,
        )
        has(changed, { email_enabled: false, email_digest: true, in_app_enabled: true })
      },
    },
    'GET /notifications/quiet-hours': {
      see: ({ body }) => has(body, { digest_time: '08:00' }),
    },
    'PUT /notifications/quiet-hours': {
      given: () => ({ body: { quiet_hours: { from: '21:00', to: '06:00' } } }),
      see: ({ body }) => has(body, { quiet_hours: { from: '21:00', to: '06:00' } }),
    },
  },
}

export default cases
