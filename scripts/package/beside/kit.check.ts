import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinModules } from 'tenantry'
import { runIsolationKit } from 'tenantry/testing'
import { SUPPLIER_SECRET } from './catalog.cases.ts'
import { catalog } from './index.ts'

test('the isolation kit finds what it needs of the installed modules', async () => {
  const env = { CATALOG_SUPPLIER_SECRET: SUPPLIER_SECRET }
  const { routes, requests } = await runIsolationKit({ modules: [...builtinModules, catalog], only: ['catalog'], env })
  assert.equal(routes, catalog.routes.length)
  assert.ok(requests > 5)
})
