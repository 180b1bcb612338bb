import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { Cases, Tenant } from '../../testing/index.ts'

const FIRST_ID = '00000000-0000-7000-8000-000000000000'
const hash = `\\x${'00'.repeat(32)}`

/**
 * Records of stores. That one was exported is a record too, with the ids that were asked for, whosever they are: the
 * records looked at are of something else.
 */
const ofStores = async ({ id }: Tenant, query = {}) => {
  await id('/stores')
  return { query: { resource_type: 'store', ...query } }
}

const cases: Cases = {
  ids: { resource_id: '/stores' },
  makers: {
    '/audit': async ({ id, send }) => {
      const store = await id('/stores')
      const { data } = await send('GET', '/audit?action=store.created')
      return data.find(({ resource_id }: { resource_id: string }) => resource_id === store).id
    },
  },
  routes: {
    'GET /audit': {
      given: (tenant) => ofStores(tenant),
      see: async ({ body }, _sent, { id, send, marker }) => {
        const store = await id('/stores')
        const [record] = body.data.filter(({ resource_id }: { resource_id: string }) => resource_id === store)
        has(record, { action: 'store.created', resource_type: 'store' })
        assert.ok(record.resource_label.includes(marker))
        const found = await send('GET', `/audit?action=store.*&resource_id=${store}`)
        has(found, { data: [record], next_cursor: null })
      },
    },
    'GET /audit/:id': {
      see: ({ body }, { params }, { tenantId }) => {
        has(body, { ...params, tenant_id: tenantId, action: 'store.created' })
        assert.ok(body.user_id)
      },
    },
    'GET /audit/export': {
      given: (tenant) => ofStores(tenant, { format: 'ndjson' }),
      see: async ({ text, headers }, _sent, { id, tenantId }) => {
        const records = text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
        for (const record of records) has(record, { tenant_id: tenantId, resource_type: 'store' })
        const store = await id('/stores')
        assert.ok(records.some(({ resource_id }) => resource_id === store))
        assert.match(String(headers['content-disposition']), /^attachment; filename="audit-/)
      },
    },
    'GET /audit/verify': { see: ({ body }) => has(body, { valid: true, first_invalid: null }) },
    'GET /audit/keys': {
      see: ({ body }) => {
        const keys = body.data.map(({ algorithm, public_key }: Record<string, string>) => [
          algorithm,
          public_key?.length,
        ])
        assert.deepEqual(keys, [['Ed25519', 43]])
      },
    },
  },
  // As a job writes them that seals records, and one that removes old ones.
  tableRows: {
    audit_chains: () => ({ height: 1, position: 0, hash, sealed_to: FIRST_ID, complete_to: FIRST_ID }),
    audit_names: () => ({ kind: 'action', first_id: FIRST_ID, last_id: FIRST_ID }),
    audit_blocks: () => ({
      kind: 'removal',
      hash,
      previous_hash: hash,
      record_count: 0,
      removed_to: FIRST_ID,
      kept_from: 1,
    }),
  },
}

export default cases
