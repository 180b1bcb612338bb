import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { builtinModules, newId } from 'tenantry'
import { createTestCore, type TestCore, type TestTenant } from 'tenantry/testing'
import { catalog } from './index.ts'

let t: TestCore
let shop: TestTenant
let article: string
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, catalog], env: { RATE_LIMIT_FACTOR: '0' } })
  shop = await t.foundTenant()
  const [store] = (await shop.owner.get('/stores')).body.data
  article = (await shop.owner.post('/articles', { store_id: store.id, name: 'Espresso', price_cents: 250 })).body.id
})
after(() => t?.close())

const price = async () => (await shop.owner.get(`/articles/${article}`)).body.price_cents

test('a patch changes what is named, once per Idempotency-Key', async () => {
  const patch = (body: object, key = newId()) =>
    shop.owner.request('PATCH', `/articles/${article}`, { body, headers: { 'idempotency-key': key } })
  const same = await patch({})
  assert.deepEqual([same.status, same.body.price_cents], [200, 250])
  const key = newId()
  const changed = await patch({ price_cents: 310 }, key)
  assert.deepEqual([changed.status, changed.body.price_cents, await price()], [200, 310, 310])
  assert.equal((await patch({ price_cents: 310 }, key)).headers['idempotent-replayed'], 'true')
  const { owner } = await t.foundTenant()
  assert.equal((await owner.request('PATCH', `/articles/${article}`, { body: {} })).status, 404)
})

test('a form sets a cookie, which the page reads back', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const chosen = await t.request('POST', '/api/v1/till/theme', { payload: 'theme=dark', headers })
  const cookie = String(chosen.headers['set-cookie'])
  assert.deepEqual([chosen.status, cookie], [204, 'theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax'])
  const seen = await t.request('GET', '/till', { headers: { cookie: cookie.split(';')[0] ?? '' } })
  assert.equal(seen.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(seen.text, /<body class="dark">/)
  assert.match((await t.request('GET', '/till')).text, /<body class="light">/)
  assert.equal((await t.request('POST', '/api/v1/till/theme', { payload: 'theme=pink', headers })).status, 400)
})
