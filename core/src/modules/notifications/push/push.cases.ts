import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import type { Cases, Tenant } from '../../../testing/index.ts'

const PATH = '/notifications/push-subscriptions'
/** Of no service, since nothing is sent. */
const subscriptionOf = ({ marker }: Tenant) => ({
  endpoint: `http://127.0.0.1:9/${marker}/${newId()}`,
  // Those of the example of RFC 8291.
  keys: {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  },
})

async function subscribed(tenant: Tenant): Promise<{ id: string; endpoint: string }> {
  const subscription = subscriptionOf(tenant)
  const { id } = await tenant.send('POST', PATH, subscription)
  return { id, endpoint: subscription.endpoint }
}

/** What is told of the routes of web push. */
export const pushCases: Cases = {
  makers: { [PATH]: async (tenant) => (await subscribed(tenant)).id },
  routes: {
    'GET /notifications/push-key': {
      see: ({ body }) => assert.equal(Buffer.from(body.public_key, 'base64url').length, 65),
    },
    [`POST ${PATH}`]: {
      given: (tenant) => ({ body: subscriptionOf(tenant) }),
      see: ({ body }, _sent, { tenantId }) => has(body, { tenant_id: tenantId, service: '127.0.0.1' }),
    },
    [`DELETE ${PATH}`]: {
      given: async (tenant) => ({ query: { endpoint: (await subscribed(tenant)).endpoint } }),
      see: () => {},
    },
    [`DELETE ${PATH}/:id`]: {
      given: async (tenant) => ({ params: { id: (await subscribed(tenant)).id } }),
      see: () => {},
    },
  },
}
