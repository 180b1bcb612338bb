import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore, type TestTenant } from '../src/testing/index.ts'
import { catalog } from './catalog/index.ts'

let test: TestCore
let shop: TestTenant
let store: string
before(async () => {
  const modules = [...builtinModules, catalog]
  test = await createTestCore({ modules, env: { CATALOG_MAX_PRICE_CENTS: '5000' } })
  shop = await test.foundTenant()
  store = (await shop.owner.post('/stores', { name: 'Main Street', email: 'main@example.com' })).body.id
})
after(() => test.close())

const mailsToStore = () => test.mails('main@example.com')

describe('the module of the handbook', () => {
  it('tells a store of a price once it wants to know', async () => {
    const { body } = await shop.owner.post('/articles', { store_id: store, name: 'Espresso', price_cents: 300 })
    const price = async (price_cents: number) => {
      assert.equal((await shop.owner.put(`/articles/${body.id}/price`, { price_cents })).status, 200)
      await test.drainJobs(shop.id)
    }
    await price(320)
    assert.deepEqual(await mailsToStore(), [], 'nobody has asked for it')
    const settings = await shop.owner.put(`/stores/${store}/settings`, { price_notices: true })
    assert.equal(settings.body.price_notices, true)
    await price(350)
    const [mail, ...others] = await mailsToStore()
    assert.equal(mail?.subject, 'New price of Espresso')
    assert.match(mail.text, /At Main Street, Espresso costs 3\.50 now\.\n\nLook at the articles:\nhttp.*\/articles\n/)
    assert.deepEqual(others, [])
  })

  it('takes no price above the one that whoever runs it has set', async () => {
    const answer = await shop.owner.post('/articles', { store_id: store, name: 'Gold', price_cents: 5001 })
    assert.deepEqual(
      [answer.status, answer.body.errors],
      [400, [{ pointer: '#/price_cents', detail: 'must be at most 5000' }]],
    )
  })
})
