// catalog/isolation.test.ts: drives the ids of another tenant, and of another store of the same one, into every route and table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinModules, openapiDocument } from 'tenantry'
import { createTestCore, type Fillers, runIsolationKit, undescribed } from 'tenantry/testing'
import { catalog } from './index.ts'
import { signPrices } from './supplier.ts'

const modules = [...builtinModules, catalog]
const CATALOG_SUPPLIER_SECRET = 'what-both-sides-know'

/** What the kit cannot make up from the schemas: a signature. */
const fillers: Fillers = {
  requests: {
    'POST /suppliers/:tenant_id/prices': async (tenant) => {
      const raw = JSON.stringify({ article_id: await tenant.id('/articles'), price_cents: 1 })
      const signature = signPrices(CATALOG_SUPPLIER_SECRET, tenant.tenantId, raw)
      return { params: { tenant_id: tenant.tenantId }, headers: { 'supplier-signature': signature }, raw }
    },
  },
}

test('nothing of one tenant, or of one store, is reached from another', async () => {
  const report = await runIsolationKit({ modules, fillers, env: { CATALOG_SUPPLIER_SECRET } })
  assert.ok(report.requests > 1_000)
})

test('the API document says what everything is', async () => {
  const core = await createTestCore({ modules })
  try {
    assert.deepEqual(undescribed(openapiDocument(core.core)), [])
  } finally {
    await core.close()
  }
})
