import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases } from '../../testing/index.ts'

/** What is told of the routes about operators. */
const cases: Cases = {
  routes: {
    'GET /admin/operators': {
      given: async ({ test }) => {
        await test.addOperator(['support'])
        return asOperator(test)
      },
      see: ({ body }) => {
        const roles = body.data.map((each: { roles: string[] }) => each.roles.join())
        assert.ok(roles.includes('all') && roles.includes('support'), roles.join(' '))
      },
    },
    'POST /admin/operators': {
      given: async ({ test }) => {
        const { userId } = await test.addPerson()
        return { ...(await asOperator(test)), body: { user_id: userId, roles: ['support', 'billing'] } }
      },
      see: ({ body }, sent) => has(body, { id: sent.body.user_id, roles: ['support', 'billing'] }),
    },
    'DELETE /admin/operators/:user_id': {
      given: async ({ test }) => {
        const { userId } = await test.addOperator(['billing'])
        return { ...(await asOperator(test)), params: { user_id: userId } }
      },
      see: async (_answer, { params, token }, { test }) => {
        const { body } = await test.request('GET', '/api/v1/admin/operators', { token })
        assert.ok(!body.data.some(({ id }: { id: string }) => id === params.user_id))
      },
    },
  },
}

export default cases
