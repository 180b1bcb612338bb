import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError, consume, release } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { planAllowances } from './limits/limits.ts'
import {
  type Customer,
  createShop,
  foundCustomer,
  outcome,
  runRollOver,
  succeeded,
  takeSubscription,
} from './subscriptions.fixture.ts'

describe('a tenant without a subscription', () => {
  let test: TestCore
  let customer: Customer
  before(async () => {
    test = await createShop()
    customer = await foundCustomer(test)
    succeeded(await customer.post('/stores', { name: 'Spare' }))
    await takeSubscription(test, customer)
  })
  after(() => test.close())

  it('may only read, whatever it would write', async () => {
    const stores = succeeded(await customer.get('/stores')).body.data
    const store = stores[0]
    const refused = [
      await customer.post('/stores', { name: 'Second' }),
      await customer.post('/branches', { name: 'Third' }),
      await customer.post('/prints', {}),
      await customer.post('/prints/many', { pages: 1 }),
      await customer.put(`/stores/${store.id}`, { name: 'Renamed' }),
      await customer.put('/tenants/current', { name: 'Renamed' }),
      await customer.remove(`/stores/${store.id}`),
    ]
    assert.deepEqual(refused.map(outcome), Array(refused.length).fill('402 subscription_inactive'))
    assert.deepEqual(succeeded(await customer.get('/stores')).body.data, stores, 'nothing was written')
    succeeded(await customer.get('/tenants/current'))
    succeeded(await customer.get('/subscriptions/plans'))
    assert.equal(outcome(await customer.get('/subscriptions/current')), '404 not_found')
  })

  it('keeps nobody from what is their own', async () => {
    succeeded(await customer.put('/users/me', { name: 'Ada L.' }))
    succeeded(await customer.post('/own/prints'))
    succeeded(await customer.post('/tenants', { name: 'Another' }))
  })

  it('has no feature and nothing left of any limit', async () => {
    assert.equal(outcome(await customer.get('/colours')), '402 feature_not_in_plan')
    assert.equal(outcome(await customer.post('/colours', {})), '402 subscription_inactive')
    await customer.run(async (ctx) => {
      assert.equal(await planAllowances.hasFeature(ctx, 'staples'), false, 'which every plan includes')
      const { writable, features, limits } = await planAllowances.overview(ctx)
      assert.deepEqual([writable, features], [false, []])
      for (const limit of ['branches', 'prints']) assert.equal(limits[limit]?.max, 0, limit)
    })
  })

  it('consumes nothing, in whatever way it comes about, and may give back', async () => {
    for (const limit of ['branches', 'prints']) {
      const isInactive = (error: unknown) => error instanceof AppError && error.kind.code === 'subscription_inactive'
      await assert.rejects(
        customer.run((ctx) => consume(ctx, limit)),
        isInactive,
        limit,
      )
      await customer.run((ctx) => release(ctx, limit))
    }
  })

  it('goes on as soon as it has one', async () => {
    await runRollOver(test)
    succeeded(await customer.post('/prints', {}))
    succeeded(await customer.get('/subscriptions/current'))
  })
})
