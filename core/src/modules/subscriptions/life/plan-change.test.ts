import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DAYS, newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  outcome,
  runRollOver,
  STARTER,
} from '../subscriptions.fixture.ts'

const YEARLY = newId()
const EURO = newId()

let test: TestCore
let customer: Customer
before(async () => {
  test = await createShop()
  test.clock.stop()
  for (const [id, code, price, currency, interval] of [
    [YEARLY, 'starter_yearly', 29_000, 'USD', 'year'],
    [EURO, 'business_euro', 9_000, 'EUR', 'month'],
  ])
    await test.core.db.systemQuery(
      `insert into plans (id, code, name, description, price_cents, currency, interval, trial_days, is_public, is_active, created_at, updated_at)
       values ($1, $2, $2, '', $3, $4, $5, 14, true, true, now(), now())`,
      [id, code, price, currency, interval],
    )
})
after(() => test?.close())
beforeEach(async () => {
  customer = await foundCustomer(test)
})

const current = async () => (await customer.get('/subscriptions/current')).body
const preview = async (plan_id: string, more = {}) =>
  (await customer.change('change-plan/preview', { plan_id, ...more })).body
const change = async (plan_id: string, more = {}) => (await customer.change('change-plan', { plan_id, ...more })).body

/** Ten days into the first period of a plan that was chosen in the trial. */
async function tenDaysInto(plan: string) {
  await change(plan, { at: 'now' })
  await customer.pay()
  test.clock.advance(24 * DAYS)
  const subscription = await current()
  assert.deepEqual([subscription.status, subscription.plan.id], ['active', plan])
  return subscription
}

/** Takes the payment method off file, which no call does. */
async function loseCard() {
  await runRollOver(test)
  await test.core.db.systemQuery(
    'update subscriptions set payment_method = null, payment_provider = null where tenant_id = $1',
    [customer.tenantId],
  )
}

/** What the preview says, without the moment. */
async function told(plan: string, more = {}) {
  const { allowed, amount_due_cents, dropped_cents, takes_cancellation_back } = await preview(plan, more)
  return { allowed, amount_due_cents, dropped_cents, takes_cancellation_back }
}
const nothing = { allowed: true, amount_due_cents: 0, dropped_cents: 0, takes_cancellation_back: false }

describe('a paid year', () => {
  it('is not given up for a month, whether that costs more or less: the change waits for its end', async () => {
    for (const [plan, price] of [
      [STARTER, 2900],
      [BUSINESS, 9900],
      [FREE, 0],
    ] as const) {
      customer = await foundCustomer(test)
      const { current_period_end } = await tenDaysInto(YEARLY)
      assert.deepEqual(await told(plan), { ...nothing, amount_due_cents: price })
      assert.equal((await preview(plan)).effective_at, current_period_end)
      const changed = await change(plan)
      assert.deepEqual(
        [changed.plan.id, changed.pending_plan_id, changed.current_period_end],
        [YEARLY, plan, current_period_end],
      )
      test.clock.advance(Date.parse(current_period_end) - test.clock.ms())
      assert.deepEqual([(await current()).plan.id, (await current()).status], [plan, 'active'])
    }
  })

  it('is changed at once when that is asked for, and what is lost by it is told', async () => {
    await tenDaysInto(YEARLY)
    const seen = await told(STARTER, { at: 'now' })
    const left = Math.round((29_000 * 355) / 365)
    assert.deepEqual([seen.allowed, seen.amount_due_cents], [true, 0])
    assert.ok(Math.abs(seen.dropped_cents - (left - 2900)) <= 80, `${seen.dropped_cents}`)
    assert.equal((await preview(STARTER, { at: 'now' })).effective_at, test.clock.now())
    const changed = await change(STARTER, { at: 'now' })
    assert.deepEqual([changed.plan.id, changed.current_period_start], [STARTER, test.clock.now()])
  })

  it('is begun at once from a free plan, and waits for a month that is paid', async () => {
    await tenDaysInto(FREE)
    assert.equal((await told(YEARLY)).amount_due_cents, 29_000)
    assert.equal((await change(YEARLY)).plan.id, YEARLY)
    customer = await foundCustomer(test)
    const { current_period_end } = await tenDaysInto(STARTER)
    assert.equal((await preview(YEARLY)).effective_at, current_period_end, 'it costs less for the same time')
    const now = await told(YEARLY, { at: 'now' })
    assert.ok(now.amount_due_cents < 29_000 && now.amount_due_cents > 29_000 - 2900 && now.dropped_cents === 0)
  })
})

describe('plans of different currencies', () => {
  it('cannot be set off against each other: the change waits, and at once it costs the whole', async () => {
    const { current_period_start, current_period_end } = await tenDaysInto(STARTER)
    assert.equal((await preview(EURO)).effective_at, current_period_end)
    assert.deepEqual(await told(EURO), { ...nothing, amount_due_cents: 9000 })
    const [start, end] = [Date.parse(current_period_start), Date.parse(current_period_end)]
    const left = (end - test.clock.ms()) / (end - start)
    assert.deepEqual(await told(EURO, { at: 'now' }), {
      ...nothing,
      amount_due_cents: Math.round(9000 * left),
      dropped_cents: Math.round(2900 * left),
    })
    assert.equal((await change(EURO)).pending_plan_id, EURO)
  })

  it('are the same where one of them is free', async () => {
    await tenDaysInto(FREE)
    assert.equal((await change(EURO)).plan.id, EURO)
    const { current_period_end } = await current()
    assert.equal((await preview(FREE)).effective_at, current_period_end)
  })
})

describe('a cancellation that waits', () => {
  it('is taken back by choosing another plan, and the preview says so', async () => {
    await tenDaysInto(STARTER)
    await customer.change('cancel', { at_period_end: true, reason: 'Too small' })
    assert.equal((await told(STARTER)).takes_cancellation_back, false)
    assert.equal((await change(STARTER)).cancel_at_period_end, true, 'the plan of now is no other')
    assert.equal((await told(BUSINESS)).takes_cancellation_back, true)
    const changed = await change(BUSINESS)
    assert.deepEqual([changed.plan.id, changed.cancel_at_period_end], [BUSINESS, false])
    test.clock.advance(40 * DAYS)
    await runRollOver(test)
    assert.equal((await current()).status, 'active')
  })

  it('is taken back by a change that waits too, which would never come otherwise', async () => {
    const { current_period_end } = await tenDaysInto(STARTER)
    await customer.change('cancel', { at_period_end: true })
    assert.equal((await told(FREE)).takes_cancellation_back, true)
    assert.deepEqual([(await change(FREE)).cancel_at_period_end], [false])
    test.clock.advance(Date.parse(current_period_end) - test.clock.ms())
    assert.deepEqual([(await current()).plan.id, (await current()).status], [FREE, 'active'])
  })
})

describe('a trial that was canceled', () => {
  it('is brought back before its end without a payment method, and ends when it would have', async () => {
    const { trial_ends_at, current_period_start } = await current()
    test.clock.advance(5 * DAYS)
    await customer.change('cancel', { at_period_end: false })
    assert.equal(outcome(await customer.post('/stores', { name: 'Second' })), '402 subscription_inactive')
    test.clock.advance(5 * DAYS)
    const back = (await customer.change('reactivate')).body
    assert.deepEqual(
      [back.status, back.trial_ends_at, back.current_period_start, back.current_period_end, back.canceled_at],
      ['trialing', trial_ends_at, current_period_start, trial_ends_at, null],
    )
    assert.equal(outcome(await customer.post('/stores', { name: 'Second' })), '201')
    test.clock.advance(4 * DAYS)
    assert.equal((await current()).status, 'expired')
  })

  it('is over at its end: then it takes a payment method', async () => {
    const { trial_ends_at } = await current()
    await customer.change('cancel', { at_period_end: false })
    test.clock.advance(Date.parse(trial_ends_at) - test.clock.ms())
    await assert.rejects(customer.change('reactivate'), /409/)
    await customer.pay()
    assert.equal((await customer.change('reactivate')).body.status, 'active')
  })
})

describe('a preview', () => {
  it('does not allow what would be refused', async () => {
    await tenDaysInto(STARTER)
    await loseCard()
    const seen = await preview(BUSINESS)
    assert.deepEqual([seen.allowed, seen.requires_payment_method], [false, true])
    await assert.rejects(change(BUSINESS), /409/)
  })
})

describe('a year that is due and not paid', () => {
  it('can be given up for a month, which then ends after a month', async () => {
    await tenDaysInto(YEARLY)
    await loseCard()
    test.clock.advance(356 * DAYS)
    assert.equal((await current()).status, 'past_due')
    assert.equal((await told(STARTER)).amount_due_cents, 2900)
    const { current_period_start, current_period_end } = await change(STARTER)
    const days = (Date.parse(current_period_end) - Date.parse(current_period_start)) / DAYS
    assert.ok(days <= 31, `${days}`)
    await customer.pay()
    assert.equal((await current()).status, 'active')
  })
})
