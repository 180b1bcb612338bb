import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

const path = '/tenants/current/mail-domain'
/** Nobody has it in DNS: no name server is asked in these tests that would know it. */
const domainOf = ({ tenantId }: Tenant) => `${tenantId}.example.com`

const given = async (tenant: Tenant) => {
  await tenant.send('PUT', path, { domain: domainOf(tenant) })
  return {}
}

const cases: Cases = {
  routes: {
    [`GET ${path}`]: {
      given,
      see: ({ body }, _sent, tenant) => {
        has(body, { tenant_id: tenant.tenantId, domain: domainOf(tenant), status: 'pending' })
        assert.ok(!JSON.stringify(body).includes('PRIVATE'))
      },
    },
    [`PUT ${path}`]: {
      given: async (tenant) => {
        await given(tenant)
        return { body: { domain: domainOf(tenant), from_address: `Post@${domainOf(tenant)}` } }
      },
      see: ({ body }, _sent, tenant) =>
        has(body, { domain: domainOf(tenant), from_address: `post@${domainOf(tenant)}`, rotation: 'none' }),
    },
    [`DELETE ${path}`]: {
      given,
      see: async (_answer, _sent, { test, owner }) => {
        const gone = await test.request('GET', `/api/v1${path}`, { token: owner })
        assert.equal(gone.status, 404)
      },
    },
    [`POST ${path}/verify`]: {
      given,
      see: ({ body }) => {
        has(body, { status: 'pending', error: 'The name servers of the domain do not answer.' })
        assert.notEqual(body.last_checked_at, null)
      },
    },
    [`POST ${path}/rotate`]: { given, see: ({ body }) => has(body, { rotation: 'waiting', status: 'pending' }) },
  },
}

export default cases
