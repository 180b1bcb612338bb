import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Closed, defineModule, defineRoute, Nullable, openapiDocument, Uuid } from '#kernel'
import { register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

const shared = {
  method: 'GET',
  summary: 'Say which store one stands in',
  response: { 200: Closed({ store_id: Nullable(Uuid) }) },
} as const // the words themselves are what a route is declared with

const routes = [
  defineRoute({
    ...shared,
    path: '/told',
    access: 'self',
    storeHeader: true,
    handler: ({ storeId }) => ({ store_id: storeId }),
  }),
  defineRoute({
    ...shared,
    path: '/by-grant',
    access: { permission: 'store.view', store: { named: 'headers/x-store-id' } },
    handler: ({ storeId }) => ({ store_id: storeId }),
  }),
  defineRoute({
    ...shared,
    path: '/untold',
    access: 'self',
    handler: ({ storeId }) => ({ store_id: storeId }),
  }),
]

describe('X-Store-ID', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [...builtinModules, defineModule({ name: 'tills', routes })] })
  })
  after(() => test.close())

  it('is read by the routes that say so, and by no other', async () => {
    const { token } = await register(test, {})
    const get = (path: string, headers: Record<string, string> = {}) =>
      test.request('GET', `/api/v1${path}`, { token, headers })
    const list = await get('/stores')
    assert.equal(list.status, 200, list.text)
    const [{ id }] = list.body.data
    for (const path of ['/told', '/by-grant']) {
      assert.deepEqual((await get(path, { 'x-store-id': id })).body, { store_id: id })
      assert.deepEqual((await get(path)).body, { store_id: null })
    }
    assert.equal((await get('/untold', { 'x-store-id': id })).status, 500)
    assert.equal((await get('/untold')).status, 500)
  })

  it('stands in the API document on these operations alone', () => {
    const { paths, components } = openapiDocument(test.core)
    const named = Object.entries(paths)
      .filter(([, { get }]) => JSON.stringify(get?.parameters ?? []).includes('/parameters/X-Store-ID'))
      .map(([path]) => path)
    assert.deepEqual(named, ['/api/v1/told', '/api/v1/by-grant'])
    assert.ok('X-Store-ID' in components.parameters)
  })
})
