import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findRenamed, isStale, renderDocument } from './openapi.ts'

test('docs/openapi.json is current', () => {
  assert.ok(!isStale(), 'run node scripts/openapi.ts')
})

test('every operation is called what docs/openapi.json calls it, since clients are made of it', () => {
  assert.deepEqual(findRenamed(), [])
})

test('an operation that is called otherwise, or is gone, is named', () => {
  const { paths } = JSON.parse(renderDocument())
  paths['/api/v1/stores'].get.operationId = 'browseStores'
  delete paths['/api/v1/stores/{id}'].delete
  delete paths['/metrics']
  assert.deepEqual(findRenamed({ paths }), [
    'GET /metrics: getMetrics → nothing',
    'GET /api/v1/stores: listStores → browseStores',
    'DELETE /api/v1/stores/{id}: deleteStore → nothing',
  ])
})
