import { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'

const cases: Cases = {
  routes: {
    'POST /authz/explain': {
      given: async ({ id }) => ({
        body: { permission: 'store.view', store_id: await id('/stores'), user_id: await id('/users') },
      }),
      see: ({ body }, sent) => has(body, { allowed: true, reason: 'granted', via: [{ store_id: sent.body.store_id }] }),
    },
  },
}

export default cases
