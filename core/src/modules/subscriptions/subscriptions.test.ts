import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { DAYS, newId } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  outcome,
  STARTER,
  succeeded,
} from './subscriptions.fixture.ts'

let test: TestCore
let customer: Customer
before(async () => {
  test = await createShop()
})
after(() => test.close())
afterEach(() => test.clock.start())
beforeEach(async () => {
  customer = await foundCustomer(test)
})

const current = async () => (await customer.get('/subscriptions/current')).body
const actions = async () => (await customer.history()).map(({ action }) => action)
const openBranches = async (count: number) => {
  for (let i = 0; i < count; i++) succeeded(await customer.post('/stores', { name: `Store ${i}` }))
}
/** Puts a payment method on file and lets the trial end. */
const becomeActive = async () => {
  await customer.pay()
  test.clock.advance(14 * DAYS)
}

describe('plans', () => {
  it('can be read without signing in, cheapest first; private and inactive ones look like none', async () => {
    const { body } = await test.request('GET', '/api/v1/subscriptions/plans')
    assert.deepEqual(
      body.data.map((plan: { code: string; price_cents: number }) => [plan.code, plan.price_cents]),
      [
        ['free', 0],
        ['starter', 2900],
        ['business', 9900],
      ],
    )
    const get = (id: string) => test.request('GET', `/api/v1/subscriptions/plans/${id}`)
    assert.deepEqual((await get(STARTER)).body, body.data[1])
    for (const column of ['is_public', 'is_active']) {
      await test.core.db.systemQuery(`update plans set ${column} = false where id = $1`, [BUSINESS])
      assert.equal((await test.request('GET', '/api/v1/subscriptions/plans')).body.data.length, 2)
      const refused = [
        await get(BUSINESS),
        await customer.post('/subscriptions/current/change-plan', { plan_id: BUSINESS }),
      ]
      refused.push(await customer.post('/subscriptions/current/change-plan/preview', { plan_id: BUSINESS }))
      refused.push(await customer.post('/subscriptions/current/change-plan', { plan_id: newId() }))
      assert.deepEqual(refused.map(outcome), Array(4).fill('404 not_found'))
      await test.core.db.systemQuery(`update plans set ${column} = true where id = $1`, [BUSINESS])
    }
    assert.equal(outcome(await get('nonsense')), '404 not_found')
  })
})

describe('a new tenant', () => {
  it('tries starter for 14 days', async () => {
    const subscription = await current()
    assert.deepEqual([subscription.status, subscription.plan.code], ['trialing', 'starter'])
    assert.equal(Date.parse(subscription.trial_ends_at) - Date.parse(subscription.created_at), 14 * DAYS)
    assert.equal(subscription.current_period_end, subscription.trial_ends_at)
    assert.deepEqual(await actions(), ['subscription.created'])
    const trial = (await customer.get('/subscriptions/current/trial')).body
    assert.deepEqual(trial, { in_trial: true, days_left: 14, ends_at: subscription.trial_ends_at })
    test.clock.advance(12 * DAYS + DAYS / 2)
    assert.equal((await customer.get('/subscriptions/current/trial')).body.days_left, 2)
    const details = (await customer.get('/subscriptions/current/details')).body
    assert.equal(details.subscription.id, subscription.id)
    assert.equal(details.trial.days_left, 2)
    assert.equal(details.limits.stores, 5)
    assert.equal(details.usage.stores.used, 1)
  })
})

describe('a change of plan', () => {
  const preview = async (body: object) => (await customer.post('/subscriptions/current/change-plan/preview', body)).body

  it('upward is at once', async () => {
    const { allowed, exceeds, amount_due_cents } = await preview({ plan_id: BUSINESS })
    assert.deepEqual({ allowed, exceeds, amount_due_cents }, { allowed: true, exceeds: [], amount_due_cents: 0 })
    assert.equal((await current()).plan.code, 'starter', 'a preview changes nothing')
    const { body } = await customer.change('change-plan', { plan_id: BUSINESS })
    assert.deepEqual([body.plan.code, body.status], ['business', 'trialing'])
    await openBranches(6)
    const { action, new_values } = (await customer.history()).at(-1) ?? {}
    assert.equal(action, 'subscription.changed')
    assert.deepEqual(new_values, { plan: { id: BUSINESS, code: 'business', name: 'Business' } })
  })

  it('upward costs what is left of the period, and a payment method', async () => {
    await becomeActive()
    const { current_period_start: start, current_period_end: end } = await current()
    test.clock.advance((Date.parse(end) - Date.parse(start)) / 2 - (test.clock.ms() - Date.parse(start)))
    const { allowed, amount_due_cents } = await preview({ plan_id: BUSINESS })
    assert.ok(allowed && Math.abs(amount_due_cents - (9900 - 2900) / 2) <= 1, `${amount_due_cents}`)
    const { body } = await customer.change('change-plan', { plan_id: BUSINESS })
    assert.deepEqual([body.plan.code, body.current_period_end], ['business', end])

    await customer.change('change-plan', { plan_id: FREE, at: 'now' })
    await customer.run(({ tx, tenantId }) =>
      tx
        .updateTable('subscriptions')
        .set({ payment_method: null, payment_provider: null })
        .where('tenant_id', '=', tenantId)
        .execute(),
    )
    const unpaid = await preview({ plan_id: STARTER })
    assert.deepEqual([unpaid.allowed, unpaid.requires_payment_method], [false, true])
    const refused = await customer.post('/subscriptions/current/change-plan', { plan_id: STARTER })
    assert.equal(outcome(refused), '409 conflict')
    await customer.pay()
    assert.equal((await customer.change('change-plan', { plan_id: STARTER })).body.plan.code, 'starter')
  })

  it('downward waits for the end of the period, and can be taken back', async () => {
    await becomeActive()
    const { current_period_end } = await current()
    const seen = await preview({ plan_id: FREE })
    assert.deepEqual([seen.allowed, seen.effective_at, seen.amount_due_cents], [true, current_period_end, 0])
    const { body } = await customer.change('change-plan', { plan_id: FREE })
    assert.deepEqual([body.plan.code, body.pending_plan_id], ['starter', FREE])
    await customer.change('change-plan', { plan_id: STARTER })
    assert.equal((await current()).pending_plan_id, null)
    const before = await actions()
    await customer.change('change-plan', { plan_id: STARTER })
    assert.deepEqual(await actions(), before, 'what changes nothing is not recorded')

    await customer.change('change-plan', { plan_id: FREE })
    test.clock.advance(Date.parse(current_period_end) - test.clock.ms())
    const after = await current()
    assert.deepEqual([after.plan.code, after.status, after.pending_plan_id], ['free', 'active', null])
    assert.equal(outcome(await customer.post('/stores', { name: 'Second' })), '402 plan_limit_reached')
  })

  it('downward is at once when that is asked for and fits', async () => {
    const { body } = await customer.change('change-plan', { plan_id: FREE, at: 'now' })
    assert.equal(body.plan.code, 'free')
    assert.equal(outcome(await customer.post('/stores', { name: 'Second' })), '402 plan_limit_reached')
  })

  it('below what is in use is refused, naming each limit, and deletes nothing', async () => {
    await openBranches(2)
    for (let i = 0; i < 4; i++) succeeded(await customer.post('/prints', {}))
    const stores = { limit: 'stores', used: 3, max: 1 }
    const branches = { limit: 'branches', used: 3, max: 1 }
    const prints = { limit: 'prints', used: 4, max: 2 }
    for (const [body, exceeds] of [
      [{ plan_id: FREE, at: 'now' }, [stores, branches, prints]],
      // In the next period no page will have been printed yet.
      [{ plan_id: FREE }, [stores, branches]],
    ] as const) {
      const refused = await customer.post('/subscriptions/current/change-plan', body)
      assert.equal(outcome(refused), '422 downgrade_exceeds_limits')
      assert.deepEqual(refused.body.exceeds, exceeds)
      const seen = await preview(body)
      assert.deepEqual([seen.allowed, seen.exceeds], [false, exceeds])
    }
    assert.equal((await current()).pending_plan_id, null)
    assert.equal((await customer.get('/stores')).body.data.length, 3)
  })

  it('that fitted when it was chosen and does not at the end of the period leaves everything, and makes nothing', async () => {
    await customer.change('change-plan', { plan_id: FREE })
    await openBranches(3)
    test.clock.advance(14 * DAYS)
    assert.deepEqual([(await current()).plan.code, (await current()).status], ['free', 'active'])
    const [{ id }] = (await customer.get('/stores')).body.data
    succeeded(await customer.put(`/stores/${id}`, { name: 'Still ours' }))
    const refused = await customer.post('/stores', { name: 'Another' })
    assert.deepEqual([outcome(refused), refused.body.used, refused.body.max], ['402 plan_limit_reached', 4, 1])
    assert.deepEqual((await customer.get('/subscriptions/current/usage')).body.stores, {
      used: 4,
      max: 1,
      percent: 400,
    })
  })
})

describe('a canceled subscription', () => {
  it('goes on until the end of its period, unless that is taken back', async () => {
    await becomeActive()
    const { body } = await customer.change('cancel', { at_period_end: true, reason: 'Too dear' })
    assert.deepEqual([body.status, body.cancel_at_period_end, body.canceled_at], ['active', true, null])
    succeeded(await customer.post('/stores', { name: 'Second' }))
    assert.equal((await customer.change('reactivate')).body.cancel_at_period_end, false)
    assert.equal(outcome(await customer.post('/subscriptions/current/reactivate')), '409 conflict')

    await customer.change('cancel', { at_period_end: true })
    const { current_period_end } = await current()
    test.clock.stop()
    test.clock.advance(Date.parse(current_period_end) - test.clock.ms() - 1)
    assert.equal(outcome(await customer.post('/prints', {})), '200')
    test.clock.advance(1)
    const ended = await current()
    assert.deepEqual([ended.status, ended.canceled_at], ['canceled', current_period_end])
    assert.equal(outcome(await customer.post('/prints', {})), '402 subscription_inactive')
  })

  it('at once can only be read from then on; paying and beginning anew opens it', async () => {
    const [{ id }] = (await customer.get('/stores')).body.data
    const { body } = await customer.change('cancel', { at_period_end: false, reason: 'Closing' })
    assert.equal(body.status, 'canceled')
    assert.ok(body.canceled_at)
    assert.deepEqual((await actions()).slice(1), ['subscription.canceled'])
    const writes = [
      await customer.post('/stores', { name: 'Second' }),
      await customer.put(`/stores/${id}`, { name: 'Renamed' }),
      await customer.put('/tenants/current', { name: 'Renamed' }),
      await customer.post('/prints', {}),
      await customer.post('/prints/many', { pages: 1 }),
      await customer.post('/colours', {}),
    ]
    assert.deepEqual(writes.map(outcome), Array(writes.length).fill('402 subscription_inactive'))
    const [{ name }] = (await customer.get('/stores')).body.data
    assert.equal(name, 'Main', 'nothing was written')
    // What is wrong otherwise is said first, as ever.
    assert.equal(outcome(await customer.remove(`/stores/${id}`)), '409 conflict')
    assert.equal(outcome(await customer.remove(`/stores/${newId()}`)), '404 not_found')
    assert.equal(outcome(await customer.post('/prints/many', { pages: 1, jams: true })), '409 conflict')

    for (const path of ['/stores', `/stores/${id}`, '/users/me', '/subscriptions/current/details', '/tenants/current'])
      assert.equal(outcome(await customer.get(path)), '200', path)
    assert.equal(outcome(await customer.put('/users/me', { name: 'Ada' })), '200', 'what is a person’s own')
    assert.equal(outcome(await customer.post('/own/prints')), '200')
    test.clock.advance(14 * DAYS)
    assert.equal(outcome(await customer.post('/subscriptions/current/cancel', { at_period_end: true })), '409 conflict')
    assert.equal(outcome(await customer.post('/subscriptions/current/reactivate')), '409 conflict')

    await customer.pay()
    assert.equal(outcome(await customer.post('/prints', {})), '402 subscription_inactive')
    const begun = (await customer.change('reactivate')).body
    assert.deepEqual([begun.status, begun.canceled_at], ['active', null])
    assert.equal(outcome(await customer.put(`/stores/${id}`, { name: 'Renamed' })), '200')
  })

  it('may choose another plan to begin anew with, the free one without paying', async () => {
    await openBranches(2)
    await customer.change('cancel', { at_period_end: false })
    const { body } = await customer.change('change-plan', { plan_id: FREE })
    assert.deepEqual([body.plan.code, body.status], ['free', 'canceled'])
    assert.equal((await customer.change('reactivate')).body.status, 'active')
    assert.equal(outcome(await customer.post('/stores', { name: 'Another' })), '402 plan_limit_reached')
    const [{ id }] = (await customer.get('/stores')).body.data
    assert.equal(outcome(await customer.remove(`/stores/${id}`)), '204')
  })
})

describe('an expired trial', () => {
  it('is closed to writing the moment it ends, though nobody has written that down', async () => {
    const { trial_ends_at } = await current()
    test.clock.stop()
    test.clock.advance(Date.parse(trial_ends_at) - test.clock.ms() - 1)
    assert.equal(outcome(await customer.post('/stores', { name: 'In time' })), '201')
    test.clock.advance(1)
    assert.equal(outcome(await customer.post('/stores', { name: 'Too late' })), '402 subscription_inactive')
    assert.equal(outcome(await customer.post('/prints/many', { pages: 1 })), '402 subscription_inactive')
    assert.equal((await current()).status, 'expired')
    assert.deepEqual((await customer.get('/subscriptions/current/trial')).body, {
      in_trial: false,
      days_left: 0,
      ends_at: trial_ends_at,
    })
    assert.deepEqual(await actions(), ['subscription.created'])
    await customer.pay()
    assert.deepEqual((await actions()).slice(1), ['subscription.expired', 'subscription.changed'])
    const [, expired] = await customer.history()
    assert.equal(expired?.actor, 'system', 'the clock did it, whoever came by')
    assert.equal((await customer.change('reactivate')).body.status, 'active')
  })
})

describe('a payment method', () => {
  const put = (body: object) => customer.put('/subscriptions/current/payment-method', body)
  const pointers = async (body: object) => {
    const answer = await put(body)
    assert.equal(outcome(answer), '400 invalid_request')
    return answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
  }

  it('is kept masked, and changed field by field', async () => {
    const { body } = await put({ type: 'card', label: 'Visa', last4: '4242', expires: '2030-12' })
    const method = { type: 'card', label: 'Visa', last4: '4242', expires: '2030-12' }
    assert.deepEqual(body.payment_method, method)
    assert.deepEqual((await put({ expires: '2031-01' })).body.payment_method, { ...method, expires: '2031-01' })
    assert.deepEqual((await put({ last4: null })).body.payment_method.last4, null)
    const recorded = (await customer.history()).at(-2)
    assert.deepEqual(recorded?.new_values, { payment_method: { ...method, expires: '2031-01' } })
    assert.equal((await put({})).status, 200)
  })

  it('is refused with anything that looks like a whole number, however it is written', async () => {
    for (const number of [
      '4242424242424242',
      '4242 4242 4242 4242',
      'Visa 4242-4242-4242-4242',
      '4242.4242.4242.4242',
      '4242424242424242',
      '٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢',
      '4242​4242​4242​4242',
      'IBAN 00762011623852957',
    ])
      assert.deepEqual(await pointers({ type: 'card', label: number }), ['#/label'], number)
    assert.deepEqual(await pointers({ type: 'card', label: 'x', last4: '42424242' }), ['#/last4'])
    assert.equal((await current()).payment_method, null)
    await put({ type: 'card', label: 'Visa of 2026, desk 12, 4242' })
  })

  it('needs to say what it is', async () => {
    assert.deepEqual(await pointers({ last4: '4242' }), ['#/type', '#/label'])
    assert.deepEqual(await pointers({}), ['#/type', '#/label'])
    assert.deepEqual(await pointers({ type: 'card', label: 'x', number: '1' }), ['#/number'])
  })
})

describe('who may', () => {
  it('look and change is a matter of two permissions', async () => {
    const get = (who: TestPerson) => who.get('/subscriptions/current')
    const cancel = (who: TestPerson) => who.post('/subscriptions/current/cancel', { at_period_end: true })
    const [nobody, viewer, manager] = [
      await customer.member(),
      await customer.member({ permissions: ['subscription.view'] }),
      await customer.member({ permissions: ['subscription.manage'] }),
    ]
    assert.equal(outcome(await get(nobody)), '403 permission_denied')
    assert.equal(outcome(await get(viewer)), '200')
    assert.equal(outcome(await cancel(viewer)), '403 permission_denied')
    assert.equal(outcome(await cancel(manager)), '200')
    const roles = ['subscription.view', 'subscription.manage'].map((code) => test.core.registry.permissions.get(code))
    assert.deepEqual(
      roles.map((permission) => permission?.roles),
      [undefined, undefined],
      'owner and admin, by default',
    )
  })
})
