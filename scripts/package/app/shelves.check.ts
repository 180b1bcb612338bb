import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { builtinModules } from 'tenantry'
import { createTestCore, runIsolationKit } from 'tenantry/testing'
import { shelves } from './shelves.ts'

const shop = await createTestCore({ modules: [...builtinModules, shelves] })
after(() => shop.close())

test('a shelf is put up in a store of one’s own, and in no other', async () => {
  const found = (email: string) =>
    shop.request('POST', '/api/v1/auth/register', {
      body: { email, password: 'a quiet walk along the river', name: 'Ada', tenant_name: 'Acme' },
    })
  const [ada, bob] = [await found('ada@example.com'), await found('bob@example.com')]
  assert.equal(ada.status, 201, ada.text)
  const list = await shop.request('GET', '/api/v1/stores', { token: ada.body.access_token })
  const body = { store_id: list.body.data[0].id, name: 'By the door' }
  const own = await shop.request('POST', '/api/v1/shelves', { token: ada.body.access_token, body })
  assert.deepEqual([own.status, own.body.store], [201, 'Main (active)'], own.text)
  const foreign = await shop.request('POST', '/api/v1/shelves', { token: bob.body.access_token, body })
  assert.deepEqual([foreign.status, foreign.body.code], [404, 'not_found'])
})

test('the isolation kit finds what it needs of the installed modules', async () => {
  const { routes, requests } = await runIsolationKit({ modules: [...builtinModules, shelves], only: ['shelves'] })
  assert.equal(routes, 1)
  assert.ok(requests > 5)
})
