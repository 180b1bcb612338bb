import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { type Cases, SOME_PICTURE } from '../../testing/index.ts'

const cases: Cases = {
  routes: {
    'GET /users/me': {
      see: ({ body }, _sent, { email }) => has(body, { email, status: 'active', is_super_admin: false }),
    },
    'PUT /users/me': {
      given: () => ({ body: { phone: '+41 44 123 45 67', locale: 'de-CH', timezone: 'Europe/Zurich' } }),
      see: ({ body }, sent, { email }) => has(body, { email, ...sent.body }),
    },
    'POST /users/me/avatar': {
      given: () => ({ file: SOME_PICTURE }),
      see: async ({ body }, _sent, { email, send }) => {
        has(body, { email, avatar_url: (await send('GET', '/users/me')).avatar_url })
        assert.match(body.avatar_url, /\/api\/v1\/pictures\/[\da-f-]{36}$/)
      },
    },
    'DELETE /users/me/avatar': {
      see: async (_answer, _sent, { send }) => has(await send('GET', '/users/me'), { avatar_url: null }),
    },
  },
}

export default cases
