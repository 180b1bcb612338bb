import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, newId, type OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { addPrivatePlan, globalRecords, operatorsOf, ownRecords } from './admin.fixture.ts'

let test: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  test = await createTestCore()
  operators = await operatorsOf(test)
})
after(() => test?.close())

const extend = (id: string, days: unknown) => operators.billing.post(`/admin/tenants/${id}/extend-trial`, { days })
const choose = (id: string, plan_id: unknown, more: object = {}) =>
  operators.billing.post(`/admin/tenants/${id}/change-plan`, { plan_id, ...more })
const publicPlan = async (wanted: string): Promise<string> =>
  (await test.request('GET', '/api/v1/subscriptions/plans')).body.data.find(
    ({ code }: { code: string }) => code === wanted,
  ).id
const subscriptionOf = async (owner: TestPerson) => (await owner.get('/subscriptions/current')).body
const later = (moment: string, days: number) => new Date(Date.parse(moment) + days * DAYS).toISOString()

describe('a trial that an operator extends', () => {
  it('ends so many days later, and is warned of again', async () => {
    const { id, owner } = await test.foundTenant()
    const before = await subscriptionOf(owner)
    const { status, body } = await extend(id, 14)
    assert.equal(status, 200)
    const end = later(before.trial_ends_at, 14)
    assert.deepEqual(
      [body.subscription.status, body.trial_ends_at, body.subscription.current_period_end],
      ['trialing', end, end],
    )
    assert.equal((await owner.get('/subscriptions/current/trial')).body.ends_at, end)
    const [own] = await ownRecords(test, id)
    assert.deepEqual([own?.action, own?.actor_id], ['subscription.changed', operators.billing.userId])
    const [act] = await globalRecords(test, id)
    assert.deepEqual([act?.action, act?.new_values.days], ['admin.trial_extended', 14])
  })

  it('goes on from now where it is over, and the tenant writes again', async () => {
    const { id, owner } = await test.foundTenant()
    test.clock.advance(20 * DAYS)
    assert.equal((await owner.post('/stores', { name: 'Late' })).status, 402)
    const now = test.clock.now()
    const { body } = await extend(id, 3)
    assert.equal(body.subscription.status, 'trialing')
    assert.ok(body.trial_ends_at >= later(now, 3))
    assert.equal((await owner.post('/stores', { name: 'Late' })).status, 201)
    test.clock.advance(4 * DAYS)
    assert.equal((await subscriptionOf(owner)).status, 'expired')
  })

  it('is one that nothing has followed: 409 for what is paid or canceled, and nothing is recorded', async () => {
    const paid = await test.foundTenant({ plan: 'starter' })
    const canceled = await test.foundTenant()
    await canceled.owner.post('/subscriptions/current/cancel', { at_period_end: false })
    const unpaid = await test.foundTenant({ plan: 'starter' })
    await test.core.db.systemQuery(
      "update subscriptions set status = 'expired', next_change_at = null where tenant_id = $1 returning id",
      [unpaid.id],
    )
    const ending = await test.foundTenant()
    await ending.owner.post('/subscriptions/current/cancel', { at_period_end: true })
    for (const { id } of [paid, canceled, ending, unpaid]) {
      const { status, body } = await extend(id, 7)
      assert.deepEqual([status, body.code], [409, 'conflict'])
      assert.deepEqual([await ownRecords(test, id), await globalRecords(test, id)], [[], []])
    }
  })

  it('is extended by each of many at once', async () => {
    const { id, owner } = await test.foundTenant()
    const before = await subscriptionOf(owner)
    const answers = await Promise.all(Array.from({ length: 20 }, () => extend(id, 1)))
    for (const { status, text } of answers) assert.equal(status, 200, text)
    assert.equal((await subscriptionOf(owner)).trial_ends_at, later(before.trial_ends_at, 20))
    assert.equal((await globalRecords(test, id)).length, 20)
  })

  it('is extended once by a request that is repeated under one key', async () => {
    const { id, owner } = await test.foundTenant()
    const before = await subscriptionOf(owner)
    const headers = { 'idempotency-key': newId() }
    const send = () =>
      operators.billing.request('POST', `/admin/tenants/${id}/extend-trial`, { body: { days: 5 }, headers })
    const [one, two] = [await send(), await send()]
    assert.deepEqual([one.status, two.text], [200, one.text])
    assert.equal((await subscriptionOf(owner)).trial_ends_at, later(before.trial_ends_at, 5))
  })

  it('is longer by whole days, from one to a year', async () => {
    const { id } = await test.foundTenant()
    for (const days of [0, -1, 366, 1.5, '7', null, undefined, 1e9])
      assert.equal((await extend(id, days)).status, 400, String(days))
  })
})

describe('a plan that an operator chooses', () => {
  it('may be a private one, by the rules that hold for the tenant itself', async () => {
    const { id, owner } = await test.foundTenant()
    const plan = await addPrivatePlan(test, `own-${newId().slice(-8)}`, { price_cents: 5_000 })
    assert.equal((await owner.post('/subscriptions/current/change-plan', { plan_id: plan })).status, 404)
    const { status, body } = await choose(id, plan)
    assert.deepEqual([status, body.plan.id, body.subscription.status], [200, plan, 'trialing'])
    assert.equal((await subscriptionOf(owner)).plan.id, plan)
    const [own] = await ownRecords(test, id)
    assert.deepEqual([own?.action, own?.actor_id], ['subscription.changed', operators.billing.userId])
    const [act] = await globalRecords(test, id)
    assert.deepEqual([act?.action, act?.new_values.plan], ['admin.plan_changed', body.plan.code])
  })

  it('is one that can be chosen: 404 for others', async () => {
    const { id } = await test.foundTenant()
    const inactive = await addPrivatePlan(test, `old-${newId().slice(-8)}`, { is_active: false })
    for (const plan of [inactive, newId()]) assert.equal((await choose(id, plan)).status, 404)
    for (const plan of ['starter', null, 3]) assert.equal((await choose(id, plan)).status, 400)
    assert.equal((await choose(id, inactive, { force: true })).status, 400)
  })

  it('holds what is in use: 422 where that is more, and 409 where nobody could pay', async () => {
    const { id, owner } = await test.foundTenant({ plan: 'business' })
    await owner.post('/stores', { name: 'Second' })
    const small = await addPrivatePlan(test, `small-${newId().slice(-8)}`, { price_cents: 100, limits: { stores: 1 } })
    const { status, body } = await choose(id, small, { at: 'now' })
    assert.deepEqual(
      [status, body.code, body.exceeds],
      [422, 'downgrade_exceeds_limits', [{ limit: 'stores', used: 2, max: 1 }]],
    )
    const free = await test.foundTenant()
    const freePlan = await publicPlan('free')
    test.clock.advance(20 * DAYS)
    await choose(free.id, freePlan)
    await free.owner.post('/subscriptions/current/reactivate')
    const refused = await choose(free.id, await publicPlan('business'))
    assert.deepEqual([refused.status, refused.body.code], [409, 'conflict'])
  })

  it('that is less waits for the end of the period, and the record says which it was', async () => {
    const { id, owner } = await test.foundTenant({ plan: 'business' })
    const starter = await publicPlan('starter')
    const { body } = await choose(id, starter)
    assert.deepEqual([body.plan.code, body.subscription.pending_plan_id], ['business', starter])
    const { pending_plan_id, current_period_end } = await subscriptionOf(owner)
    assert.equal(pending_plan_id, starter)
    assert.equal((await choose(id, starter)).status, 200)
    const [act, ...others] = await globalRecords(test, id)
    assert.deepEqual(others, [], 'the second time nothing changed')
    assert.deepEqual(
      [act?.old_values?.plan, act?.new_values.plan, act?.new_values.plan_at],
      ['business', 'starter', current_period_end],
    )
  })

  it('that it has already leaves no record, and another one says which it had and since when it has this', async () => {
    const { id } = await test.foundTenant({ plan: 'business' })
    const business = await publicPlan('business')
    assert.equal((await choose(id, business)).status, 200)
    assert.deepEqual([await ownRecords(test, id), await globalRecords(test, id)], [[], []])
    const before = test.clock.now()
    assert.equal((await choose(id, await publicPlan('starter'), { at: 'now' })).status, 200)
    const [act] = await globalRecords(test, id)
    assert.deepEqual([act?.old_values?.plan, act?.new_values.plan], ['business', 'starter'])
    assert.ok(String(act?.new_values.plan_at) >= before)
  })
})
