// catalog/isolation.test.ts: drives the ids of another tenant, and of another store of the same one, into every route and table
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinModules, openapiDocument } from 'tenantry'
import { createTestCore, runIsolationKit, undescribed } from 'tenantry/testing'
import { SUPPLIER_SECRET } from './catalog.cases.ts'
import { catalog } from './index.ts'

const modules = [...builtinModules, catalog]

test('nothing of one tenant, or of one store, is reached from another', async () => {
  const env = { CATALOG_SUPPLIER_SECRET: SUPPLIER_SECRET }
  // Without `only`, the routes of the built-in modules are tried again too.
  const report = await runIsolationKit({ modules, only: [catalog.name], env })
  assert.equal(report.routes, catalog.routes.length)
  assert.equal(report.tables, 1)
})

test('the API document says what everything is', async () => {
  const core = await createTestCore({ modules })
  try {
    assert.deepEqual(undescribed(openapiDocument(core.core)), [])
  } finally {
    await core.close()
  }
})
