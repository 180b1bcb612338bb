import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { asOperator, type Cases, type Filling, type Tenant } from '../../../testing/index.ts'

/** A person of its own, who is signed in and whom what is done to does not matter to. */
async function onSomebody({ test }: Tenant): Promise<Filling & { params: { id: string } }> {
  const person = await test.addPerson()
  await person.token()
  return { ...(await asOperator(test)), params: { id: person.userId } }
}

async function disabled(tenant: Tenant) {
  const filling = await onSomebody(tenant)
  const { token } = filling
  const { status } = await tenant.test.request('POST', `/api/v1/admin/users/${filling.params.id}/disable`, { token })
  assert.equal(status, 200)
  return filling
}

/** What is told of the routes about people. */
export const peopleCases: NonNullable<Cases['routes']> = {
  'GET /admin/users': {
    given: async ({ test }) => {
      await test.addPerson()
      return asOperator(test)
    },
    see: ({ body }) => assert.ok(body.data.length > 0),
  },
  'GET /admin/users/:id': {
    given: ({ test }) => asOperator(test),
    see: ({ body }, { params }) => {
      has(body, { id: params.id, status: 'active', operator_roles: [] })
      assert.ok(body.membership_count >= 1)
    },
  },
  'PUT /admin/users/:id': {
    given: async (tenant) => ({ ...(await onSomebody(tenant)), body: { name: 'Renamed', email_verified: true } }),
    see: ({ body }, sent) => has(body, { id: sent.params.id, name: 'Renamed' }),
  },
  'POST /admin/users/:id/disable': {
    given: onSomebody,
    see: ({ body }, sent) => has(body, { id: sent.params.id, status: 'disabled', open_sessions: 0 }),
  },
  'POST /admin/users/:id/enable': {
    given: disabled,
    see: ({ body }, sent) => has(body, { id: sent.params.id, status: 'active' }),
  },
  'POST /admin/users/:id/revoke-sessions': {
    given: onSomebody,
    see: ({ body }, sent) => has(body, { id: sent.params.id, status: 'active', open_sessions: 0 }),
  },
}
