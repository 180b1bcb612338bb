import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DAYS, defineModule } from '#kernel'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { attachPaymentMethod, type Collection, settleCharge, subscriptions, tenantOfCharge } from '../index.ts'
import {
  BUSINESS,
  type Customer,
  foundCustomer,
  runRollOver,
  STARTER,
  storedOf,
  testModules,
} from '../subscriptions.fixture.ts'

/** What the bank answers to whatever is collected next, and what it was asked. */
const bank = { answer: 'paid' as 'paid' | 'declined' | 'pending' | 'down', asked: [] as Collection[] }

/** How a payment provider plugs in. */
const bankModule = defineModule({
  name: 'bank',
  dependsOn: [subscriptions],
  payments: {
    name: 'bank',
    async collect(_ctx, collection) {
      bank.asked.push(collection)
      if (bank.answer === 'down') throw new Error('the bank does not answer')
      return bank.answer
    },
  },
})

let test: TestCore
let customer: Customer
before(async () => {
  test = await createTestCore({ modules: [...testModules, bankModule] })
})
after(() => test.close())
beforeEach(async () => {
  bank.asked = []
  customer = await foundCustomer(test)
  const method = { type: 'card', label: 'Visa', last4: '4242', expires: null }
  await customer.run((ctx) => attachPaymentMethod(ctx, { provider: 'bank', reference: 'pm_1', method }))
})

const work = () => drainJobs(test.core, customer.tenantId)
const status = async () => (await customer.get('/subscriptions/current')).body.status
const startFirstPeriod = async (answer: typeof bank.answer) => {
  bank.answer = answer
  test.clock.advance(14 * DAYS)
  await runRollOver(test)
  await work()
}
/** What the route for the provider's callbacks does. */
const callBack = (outcome: 'paid' | 'declined', key = bank.asked.at(-1)?.key ?? '') =>
  test.core.run((ctx) => settleCharge(ctx, { key, outcome }), { tenantId: tenantOfCharge(key) })

describe('a payment provider', () => {
  it('is asked for each period once, in a job, with a key that stays the same', async () => {
    await startFirstPeriod('paid')
    assert.equal(bank.asked.length, 1)
    const { key, ...asked } = bank.asked[0] ?? assert.fail()
    const { due_at, ...rest } = asked
    assert.equal(due_at, (await storedOf(test, customer.tenantId)).current_period_start)
    const { tenantId } = customer
    assert.deepEqual(rest, { tenantId, amount_cents: 2900, currency: 'USD', planCode: 'starter', reference: 'pm_1' })
    assert.equal(tenantOfCharge(key), tenantId)
    assert.equal(await status(), 'active')
    assert.equal((await storedOf(test, tenantId)).charge, null)
    test.clock.advance(31 * DAYS)
    await runRollOver(test)
    await runRollOver(test)
    await work()
    assert.equal(bank.asked.length, 2)
    assert.notEqual(bank.asked[1]?.key, key)
  })

  it('that does not answer is asked again with the same key, while the tenant goes on', async () => {
    await startFirstPeriod('down')
    assert.equal(await status(), 'active')
    bank.answer = 'paid'
    test.clock.advance(DAYS)
    await work()
    assert.equal(bank.asked.length, 2)
    assert.equal(bank.asked[0]?.key, bank.asked[1]?.key)
    assert.equal((await storedOf(test, customer.tenantId)).charge, null)
  })

  it('that declines leaves 14 days of grace; another payment method is tried at once', async () => {
    await startFirstPeriod('declined')
    assert.equal(await status(), 'past_due')
    bank.answer = 'paid'
    const method = { type: 'card', label: 'Other', last4: '1881', expires: null }
    await customer.run((ctx) => attachPaymentMethod(ctx, { provider: 'bank', reference: 'pm_2', method }))
    await work()
    assert.deepEqual(
      bank.asked.map(({ reference }) => reference),
      ['pm_1', 'pm_2'],
    )
    assert.equal(await status(), 'active')
  })

  it('may answer later, as often as it likes', async () => {
    await startFirstPeriod('pending')
    assert.equal(await status(), 'active')
    const told = await Promise.all(Array.from({ length: 20 }, () => callBack('paid')))
    assert.equal(told.filter(Boolean).length, 1)
    assert.equal(await callBack('declined'), false, 'what is settled stays settled')
    assert.equal(await status(), 'active')
    const before = (await customer.history()).length
    await callBack('paid')
    assert.equal((await customer.history()).length, before)
  })

  it('that never answers is waited for until the next period, and then for the grace', async () => {
    await startFirstPeriod('pending')
    test.clock.advance(31 * DAYS)
    assert.equal(await status(), 'past_due')
    test.clock.advance(14 * DAYS)
    await runRollOver(test)
    assert.equal(await status(), 'expired')
    assert.equal(await callBack('declined'), false)
    assert.equal(await callBack('paid'), true, 'a payment that came too late still counts')
    assert.equal(await status(), 'active')
  })

  it('collects the difference of an upgrade, and one thing at a time', async () => {
    await startFirstPeriod('paid')
    bank.answer = 'pending'
    await customer.change('change-plan', { plan_id: BUSINESS })
    await work()
    assert.ok(Math.abs((bank.asked[1]?.amount_cents ?? 0) - 7000) < 10)
    await customer.change('change-plan', { plan_id: STARTER })
    await callBack('declined')
    assert.equal(await status(), 'past_due')
  })

  it('never shows what it knows the payment method by', async () => {
    const answers = [await customer.get('/subscriptions/current'), await customer.get('/subscriptions/current/details')]
    for (const { text } of answers) assert.ok(!text.includes('pm_1'))
    assert.ok(!JSON.stringify(await customer.history()).includes('pm_1'))
  })
})
