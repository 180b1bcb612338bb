import { equal, partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'

const cases: Cases = {
  routes: {
    'GET /authz/me': {
      given: async ({ id }) => ({ query: { store_id: await id('/stores') } }),
      see: async ({ body, headers }, _sent, { send, id }) => {
        has(body.roles, [{ role: 'owner', store_id: null }])
        equal(headers.etag, `"${body.version}"`)
        const permission = 'store.update'
        const { allowed } = await send('POST', '/authz/explain', { permission, store_id: await id('/stores') })
        equal(body.permissions.includes(permission), allowed)
      },
    },
    'POST /authz/explain': {
      given: async ({ id }) => ({
        body: { permission: 'store.view', store_id: await id('/stores'), user_id: await id('/users') },
      }),
      see: ({ body }, sent) => has(body, { allowed: true, reason: 'granted', via: [{ store_id: sent.body.store_id }] }),
    },
  },
}

export default cases
