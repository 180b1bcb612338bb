import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { builtinModules, fromNow, HOURS, MINUTES, newId } from 'tenantry'
import { createTestCore, type TestCore, type TestTenant, untranslated } from 'tenantry/testing'
import { addArticles, retireArticles } from './commands.ts'
import { catalog } from './index.ts'
import { retireAll } from './schedules.ts'

let test: TestCore
let shop: TestTenant
let store: string
before(async () => {
  const modules = [...builtinModules, catalog]
  test = await createTestCore({ modules, env: { CATALOG_MAX_PRICE_CENTS: '5000', RATE_LIMIT_FACTOR: '0' } })
  shop = await test.foundTenant()
  store = (await shop.owner.post('/stores', { name: 'Main Street', email: 'main@example.com' })).body.id
})
after(() => test?.close())

const add = (article: object) => shop.owner.post('/articles', { store_id: store, price_cents: 300, ...article })
const added = async (article: object) => (await add(article)).body
const get = async (id: string) => (await shop.owner.get(`/articles/${id}`)).body

describe('an article', () => {
  it('stands in a store of the tenant, once by its name', async () => {
    const { status, body } = await add({ name: 'Rye' })
    assert.deepEqual([status, body.store_id, body.status, body.sold_until], [201, store, 'active', null])
    const again = await add({ name: 'RYE' })
    assert.deepEqual(
      [again.status, again.body.code, again.body.errors],
      [409, 'article_exists', [{ pointer: '#/name', detail: 'is taken' }]],
    )
    assert.equal((await add({ name: 'Wheat', store_id: newId() })).status, 404)
  })

  it('costs no more than whoever runs it has set', async () => {
    const { status, body } = await add({ name: 'Gold', price_cents: 5001 })
    assert.deepEqual([status, body.errors], [400, [{ pointer: '#/price_cents', detail: 'must be at most 5000' }]])
  })

  it('is limited by the plan', async () => {
    const bakery = await test.foundTenant({ plan: 'free' })
    const [main] = (await bakery.owner.get('/stores')).body.data
    const addTo = (name: string) => bakery.owner.post('/articles', { store_id: main.id, name, price_cents: 1 })
    for (let number = 1; number <= 20; number++) assert.equal((await addTo(`Bun ${number}`)).status, 201)
    assert.equal((await addTo('Bun 21')).body.code, 'plan_limit_reached')
  })

  it('is seen and changed by whoever works in its store, and by nobody of another', async () => {
    const { id } = await added({ name: 'Brioche' })
    const other = (await shop.owner.post('/stores', { name: 'Harbour' })).body.id
    const clerk = await shop.member({ role: 'manager', store })
    const stranger = await shop.member({ role: 'manager', store: other })
    assert.equal((await clerk.put(`/articles/${id}/price`, { price_cents: 1 })).status, 200)
    assert.equal((await stranger.put(`/articles/${id}/price`, { price_cents: 2 })).status, 404)
    assert.deepEqual((await stranger.get('/articles')).body.data, [])
    const seen = await clerk.request('GET', '/till/articles', { headers: { 'x-store-id': store } })
    assert.ok(seen.body.data.some((article: { id: string }) => article.id === id))
  })
})

describe('the list of articles', () => {
  it('is filtered by a part of the name, and by status', async () => {
    await added({ name: 'Baguette 50% rye' })
    await added({ name: 'Baguette 500 g' })
    const names = async (query: string) =>
      (await shop.owner.get(`/articles?${query}`)).body.data.map(({ name }: { name: string }) => name)
    assert.deepEqual(await names('q=GUETTE'), ['Baguette 500 g', 'Baguette 50% rye'])
    assert.deepEqual(await names('q=50%25'), ['Baguette 50% rye'])
    assert.deepEqual(await names('q=guette&status=retired'), [])
    assert.equal((await shop.owner.get('/articles?status=gone')).status, 400)
  })
})

describe('what follows', () => {
  it('tells a store of a price once it wants to know', async () => {
    const { id } = await added({ name: 'Espresso' })
    const price = async (price_cents: number) => {
      assert.equal((await shop.owner.put(`/articles/${id}/price`, { price_cents })).status, 200)
      await test.drainJobs(shop.id)
    }
    await price(320)
    assert.deepEqual(await test.mails('main@example.com'), [], 'nobody has asked for it')
    const settings = await shop.owner.put(`/stores/${store}/settings`, { price_notices: true })
    assert.equal(settings.body.price_notices, true)
    await price(350)
    const [mail, ...others] = await test.mails('main@example.com')
    assert.equal(mail?.subject, 'New price of Espresso')
    assert.match(mail.text, /At Main Street, Espresso costs 3\.50 now\.\n\nLook at the articles:\nhttp.*\/articles\n/)
    assert.deepEqual(others, [])
  })

  it('is told in German, too', () => assert.deepEqual(untranslated([...builtinModules, catalog], 'de'), []))

  it('changes a price at the moment that was planned', async () => {
    const { id } = await added({ name: 'Stollen' })
    const planned = { price_cents: 250, from: fromNow(test.clock, 2 * HOURS) }
    const { status, body } = await shop.owner.post(`/articles/${id}/plan-price`, { ...planned, price_cents: 5001 })
    assert.deepEqual([status, body.code], [400, 'invalid_request'])
    assert.equal((await shop.owner.post(`/articles/${id}/plan-price`, planned)).status, 202)
    await test.drainJobs(shop.id)
    assert.equal((await get(id)).price_cents, 300)
    test.clock.advance(2 * HOURS)
    await test.drainJobs(shop.id)
    assert.equal((await get(id)).price_cents, 250)
  })

  it('retires what is sold no longer, once', async () => {
    const { id } = await added({ name: 'Easter egg', sold_until: fromNow(test.clock, 1 * HOURS) })
    const later = await added({ name: 'Pumpkin pie', sold_until: fromNow(test.clock, 3 * HOURS) })
    await test.runSchedule(retireAll)
    assert.equal((await get(id)).status, 'active')
    test.clock.advance(1 * HOURS + 1 * MINUTES)
    await test.runSchedule(retireAll)
    await test.runSchedule(retireAll)
    assert.deepEqual([(await get(id)).status, (await get(later.id)).status], ['retired', 'active'])
    const records = await shop.owner.get('/audit?action=catalog.article.retired')
    assert.deepEqual(
      records.body.data.map(({ resource_id }: { resource_id: string }) => resource_id),
      [id],
    )
  })
})

describe('articles retire', () => {
  it('does by hand what the schedule does', async () => {
    const { id } = await added({ name: 'Fig roll', sold_until: fromNow(test.clock, 1 * HOURS) })
    test.clock.advance(1 * HOURS + 1 * MINUTES)
    await retireArticles.run(test.core, { options: {}, operands: [] })
    assert.equal((await get(id)).status, 'retired')
  })
})

describe('articles add', () => {
  const run = (name: string, operands: string[], tenant = shop.id) =>
    addArticles.run(test.core, { options: { tenant, store: name }, operands })

  it('opens a store with all articles, or does nothing', async () => {
    await run('Market', ['Plaice', 'Cod'])
    await assert.rejects(run('Quay', ['Eel', 'eel']), { code: 'article_exists' })
    const stores = (await shop.owner.get('/stores')).body.data
    assert.ok(!stores.some(({ name }: { name: string }) => name === 'Quay'))
    const market = stores.find(({ name }: { name: string }) => name === 'Market')
    const sold = await shop.owner.request('GET', '/till/articles', { headers: { 'x-store-id': market.id } })
    assert.deepEqual(
      sold.body.data.map(({ name }: { name: string }) => name),
      ['Cod', 'Plaice'],
    )
  })

  it('is held to the plan as requests are', async () => {
    const { id } = await test.foundTenant({ plan: 'free' })
    await assert.rejects(run('Quay', ['Eel'], id), { code: 'plan_limit_reached' })
  })
})
