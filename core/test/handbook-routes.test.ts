import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { defineModule, newId } from '#kernel'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { catalog } from './catalog/index.ts'
import { supplierPrices } from './catalog/supplier.ts'
import { tillRoutes } from './catalog/till.ts'

const SECRET = 'what both sides know'
const suppliers = defineModule({ name: 'suppliers', dependsOn: [catalog], routes: [supplierPrices(SECRET)] })
const tills = defineModule({ name: 'tills', dependsOn: [catalog], routes: tillRoutes })

let t: TestCore
let owner: Person
let other: Person
let article: { id: string }
before(async () => {
  t = await createTestCore({ modules: [...builtinModules, catalog, suppliers, tills], env: { RATE_LIMIT_FACTOR: '0' } })
  owner = await register(t)
  other = await register(t)
  const { token } = owner
  const stores = await t.request('GET', '/api/v1/stores', { token })
  const body = { store_id: stores.body.data[0].id, name: 'Espresso', price_cents: 250 }
  article = (await t.request('POST', '/api/v1/articles', { token, body })).body
})
after(() => t?.close())

const sign = (payload: string, tenantId = owner.tenantId) =>
  createHmac('sha256', SECRET).update(`${tenantId}.${payload}`).digest('hex')
const callBack = (payload: string, signature = sign(payload), tenantId = owner.tenantId) =>
  t.request('POST', `/api/v1/suppliers/${tenantId}/prices`, {
    payload,
    headers: { 'content-type': 'application/json', 'supplier-signature': signature },
  })
const price = async () =>
  (await t.request('GET', `/api/v1/articles/${article.id}`, { token: owner.token })).body.price_cents

test('the handbook’s callback believes what is signed, byte by byte, and nothing else', async () => {
  const payload = `{"price_cents": 275,   "article_id": "${article.id}"}`
  assert.equal((await callBack(payload)).status, 204)
  assert.equal(await price(), 275)
  const more = payload.replace('275', '300')
  for (const [body, signature] of [
    [more, sign(payload)],
    [`${payload} `, sign(payload)],
    [more, sign(more, other.tenantId)],
    [more, ''],
    [more, sign(more).toUpperCase()],
    ['{', sign('}')],
  ] as const)
    assert.equal((await callBack(body, signature)).body.code, 'signature_invalid')
  assert.equal((await callBack(more, sign(more), other.tenantId)).body.code, 'signature_invalid')
  assert.equal((await callBack(more, sign(more, other.tenantId), other.tenantId)).status, 404)
  assert.equal(await price(), 275)
})

test('what is signed is still held to the schema', async () => {
  const cases: [string, number, string][] = [
    ['{', 400, 'invalid_json'],
    [`{"article_id": "${newId()}", "price_cents": 1}`, 404, 'not_found'],
    [`{"article_id": "x", "price_cents": -1, "more": {}}`, 400, 'invalid_request'],
    [`{"article_id": "x", "price_cents": -1, "__proto__": {}}`, 400, 'invalid_json'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 400, 'invalid_json'],
  ]
  for (const [payload, status, code] of cases) {
    const answer = await callBack(payload)
    assert.deepEqual([answer.status, answer.body.code], [status, code], payload)
  }
  const { body } = await callBack('{"article_id": "x", "price_cents": -1, "more": {}}')
  assert.deepEqual(
    body.errors.map(({ pointer }: { pointer: string }) => pointer),
    ['#/article_id', '#/price_cents', '#/more'],
  )
})

test('the handbook’s patch changes what is named, once per Idempotency-Key', async () => {
  const patch = (body: object, key = newId()) =>
    t.request('PATCH', `/api/v1/articles/${article.id}`, {
      token: owner.token,
      body,
      headers: { 'idempotency-key': key },
    })
  const same = await patch({})
  assert.deepEqual([same.status, same.body.price_cents], [200, await price()])
  const key = newId()
  const changed = await patch({ price_cents: 310 }, key)
  assert.deepEqual([changed.status, changed.body.price_cents, await price()], [200, 310, 310])
  assert.equal((await patch({ price_cents: 310 }, key)).headers['idempotent-replayed'], 'true')
  const theirs = await t.request('PATCH', `/api/v1/articles/${article.id}`, { token: other.token, body: {} })
  assert.equal(theirs.status, 404)
})

test('the handbook’s form sets a cookie, which is read back', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const chosen = await t.request('POST', '/api/v1/till/theme', { payload: 'theme=dark', headers })
  const cookie = String(chosen.headers['set-cookie'])
  assert.deepEqual([chosen.status, cookie], [204, 'theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax'])
  const seen = await t.request('GET', '/api/v1/till/theme', { headers: { cookie: cookie.split(';')[0] ?? '' } })
  assert.deepEqual(seen.body, { theme: 'dark' })
  assert.deepEqual((await t.request('GET', '/api/v1/till/theme')).body, { theme: 'light' })
  assert.equal((await t.request('POST', '/api/v1/till/theme', { payload: 'theme=pink', headers })).status, 400)
})
