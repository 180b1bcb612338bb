import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { builtinModules, newId } from 'tenantry'
import { createTestCore, type TestCore, type TestTenant } from 'tenantry/testing'
import { catalog } from './index.ts'
import { signPrices } from './supplier.ts'

const SECRET = 'what-both-sides-know'
let t: TestCore
let shop: TestTenant
let other: TestTenant
let article: string
before(async () => {
  t = await createTestCore({
    modules: [...builtinModules, catalog],
    env: { RATE_LIMIT_FACTOR: '0', CATALOG_SUPPLIER_SECRET: SECRET },
  })
  shop = await t.foundTenant()
  other = await t.foundTenant()
  const [store] = (await shop.owner.get('/stores')).body.data
  article = (await shop.owner.post('/articles', { store_id: store.id, name: 'Espresso', price_cents: 250 })).body.id
})
after(() => t?.close())

const sign = (payload: string, tenantId = shop.id) => signPrices(SECRET, tenantId, payload)
const callBack = (payload: string, signature = sign(payload), tenantId = shop.id) =>
  t.request('POST', `/api/v1/suppliers/${tenantId}/prices`, {
    payload,
    headers: { 'content-type': 'application/json', 'supplier-signature': signature },
  })
const price = async () => (await shop.owner.get(`/articles/${article}`)).body.price_cents

test('the callback believes what is signed, byte by byte, and nothing else', async () => {
  const payload = `{"price_cents": 275,   "article_id": "${article}"}`
  assert.equal((await callBack(payload)).status, 204)
  assert.equal(await price(), 275)
  const [record] = (await shop.owner.get('/audit?action=catalog.article.priced')).body.data
  assert.deepEqual([record.actor.type, record.actor.label], ['system', 'supplier'])
  const more = payload.replace('275', '300')
  for (const [body, signature] of [
    [more, sign(payload)],
    [`${payload} `, sign(payload)],
    [more, sign(more, other.id)],
    [more, ''],
    [more, sign(more).toUpperCase()],
    ['{', sign('}')],
  ] as const)
    assert.equal((await callBack(body, signature)).body.code, 'signature_invalid')
  assert.equal((await callBack(more, sign(more), other.id)).body.code, 'signature_invalid')
  assert.equal((await callBack(more, sign(more, other.id), other.id)).status, 404)
  assert.equal(await price(), 275)
})

test('what is signed is still held to the schema', async () => {
  const cases: [string, number, string][] = [
    ['{', 400, 'invalid_json'],
    [`{"article_id": "${newId()}", "price_cents": 1}`, 404, 'not_found'],
    [`{"article_id": "x", "price_cents": -1, "colour": {}}`, 400, 'invalid_request'],
    [`{"article_id": "x", "price_cents": -1, "__proto__": {}}`, 400, 'invalid_json'],
    [`${'['.repeat(65)}${']'.repeat(65)}`, 400, 'invalid_json'],
  ]
  for (const [payload, status, code] of cases) {
    const answer = await callBack(payload)
    assert.deepEqual([answer.status, answer.body.code], [status, code], payload)
  }
  const { body } = await callBack('{"article_id": "x", "price_cents": -1, "colour": {}}')
  assert.deepEqual(
    body.errors.map(({ pointer }: { pointer: string }) => pointer),
    ['#/article_id', '#/price_cents', '#/colour'],
  )
})

test('where no secret is set, no price is taken', async () => {
  const { body } = await callBackWithout()
  assert.equal(body.code, 'unavailable')
})

async function callBackWithout() {
  const without = await createTestCore({ modules: [...builtinModules, catalog] })
  try {
    const headers = { 'content-type': 'application/json', 'supplier-signature': '' }
    return await without.request('POST', `/api/v1/suppliers/${newId()}/prices`, { payload: '{}', headers })
  } finally {
    await without.close()
  }
}
