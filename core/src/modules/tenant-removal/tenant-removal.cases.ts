import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { newId } from '#kernel'
import { asOperator, type Cases, type Tenant } from '../../testing/index.ts'

/** The id of a tenant that is gone, as its certificate has it. */
async function gone({ test }: Tenant): Promise<string> {
  const id = newId()
  const content = '{}'
  const hash = createHash('sha256').update(content).digest()
  await test.core.db.systemQuery(
    `insert into tenant_removal_certificates (tenant_id, purged_at, slug_hash, content, hash, key_id, public_key, signature)
     values ($1, now(), $2, $3, $2, 'key', 'key', $2) returning 1`,
    [id, hash, JSON.stringify({ ...FACTS, tenant_id: id })],
  )
  return id
}

const MOMENT = '2026-01-31T12:00:00.000Z'
const FACTS = {
  certificate: 'tenantry.tenant-removal',
  version: 1,
  slug_sha256: 'a'.repeat(64),
  requested_at: MOMENT,
  requested_by: { type: 'system', id: null, label: 'system' },
  reason: null,
  purge_at: MOMENT,
  begun_at: MOMENT,
  purged_at: MOMENT,
  rows: [],
  storages: [],
  accounts: 0,
  product: { name: 'Tenantry', version: '0.1.0' },
}

/** What is told of the routes by which tenants end. */
const cases: Cases = {
  routes: {
    'DELETE /admin/tenants/:id': {
      given: async ({ test }) => ({ ...(await asOperator(test)), params: { id: (await test.foundTenant()).id } }),
      see: ({ body }) => assert.ok(body.purge_at > MOMENT),
    },
    'GET /admin/tenants/:id/certificate': {
      given: async (tenant) => ({ ...(await asOperator(tenant.test)), params: { id: await gone(tenant) } }),
      see: ({ body }, { params }) => has(body, { facts: { tenant_id: params.id }, is_valid: false }),
    },
  },
}

export default cases
