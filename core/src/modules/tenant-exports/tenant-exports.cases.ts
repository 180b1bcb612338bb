import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

const path = '/tenants/current/export'

const started = async (tenant: Tenant) => {
  await tenant.send('POST', path)
  return {}
}

/** The token of a link to an export that is done. */
async function linked(tenant: Tenant): Promise<string> {
  await started(tenant)
  await tenant.test.drainJobs(tenant.tenantId)
  const { url } = await tenant.send('GET', path)
  return url.slice(url.lastIndexOf('/') + 1)
}

const cases: Cases = {
  ids: { '/export-links': null },
  tableRows: {
    tenant_restores: () => ({
      ...{ manifest_sha256: '0'.repeat(64), tables: ['stores'], replaces: false, step: 'stores', counts: '{}' },
    }),
  },
  routes: {
    [`POST ${path}`]: {
      see: async ({ body }, _sent, tenant) => has(await tenant.send('GET', path), { job_id: body.job_id }),
    },
    [`GET ${path}`]: {
      given: started,
      see: ({ body }, _sent, { tenantId }) => has(body, { tenant_id: tenantId, error: null }),
    },
    'GET /export-links/:token': {
      given: async (tenant) => ({ params: { token: await linked(tenant) } }),
      see: ({ headers }) => assert.equal(headers['content-type'], 'application/zip'),
      // Whoever was given such an address by the other tenant may download by it: that is what it is for.
      across: null,
    },
  },
}

export default cases
