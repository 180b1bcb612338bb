import { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases } from '../../testing/index.ts'

const cases: Cases = {
  routes: {
    'GET /users/me': {
      see: ({ body }, _sent, { email }) => has(body, { email, status: 'active', is_super_admin: false }),
    },
    'PUT /users/me': {
      given: () => ({ body: { phone: '+41 44 123 45 67', locale: 'de-CH', timezone: 'Europe/Zurich' } }),
      see: ({ body }, sent, { email }) => has(body, { email, ...sent.body }),
    },
  },
}

export default cases
