import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type LimitSpec, newId, type OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { builtinModules } from '../../index.ts'
import { printShop, STARTER } from '../../subscriptions/subscriptions.fixture.ts'
import { countWaiting, globalRecords, operatorsOf } from '../admin.fixture.ts'

const FREE = '01900000-0000-7000-8000-000000000001'
const options = { modules: [...builtinModules, printShop], rateLimits: true, env: { RATE_LIMIT_FACTOR: '10' } }

let test: TestCore
let other: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  test = await createTestCore(options)
  other = await createTestCore({ ...options, database: test.database })
  operators = await operatorsOf(test)
})
after(async () => {
  await other?.close()
  await test?.close()
})

let codes = 0
const wish = (more: object = {}) => ({
  code: `plan-${++codes}`,
  name: 'Chain',
  price_cents: 19_900,
  currency: 'EUR',
  ...more,
})
async function make(more: object = {}) {
  const { status, body, text } = await operators.billing.post('/admin/plans', wish(more))
  assert.equal(status, 201, text)
  return body
}
const put = (id: string, body: object) => operators.billing.put(`/admin/plans/${id}`, body)
const outcome = ({ status, body }: { status: number; body: { code?: string } }) =>
  status < 300 ? `${status}` : `${status} ${body.code}`
const pointers = (body: { errors?: { pointer: string }[] }) => (body.errors ?? []).map(({ pointer }) => pointer).sort()
const choose = (tenantId: string, plan_id: string, at?: string) =>
  operators.billing.post(`/admin/tenants/${tenantId}/change-plan`, { plan_id, ...(at && { at }) })

describe('plans', () => {
  it('are seen by every operator, and made, changed and deleted by billing', async () => {
    const { id } = await make()
    for (const role of ['support', 'operations'] as const) {
      assert.equal(outcome(await operators[role].get('/admin/plans')), '200')
      assert.equal(outcome(await operators[role].get(`/admin/plans/${id}`)), '200')
      assert.equal(outcome(await operators[role].post('/admin/plans', wish())), '403 permission_denied')
      assert.equal(outcome(await operators[role].put(`/admin/plans/${id}`, { name: 'X' })), '403 permission_denied')
      assert.equal(outcome(await operators[role].request('DELETE', `/admin/plans/${id}`)), '403 permission_denied')
    }
    assert.equal(outcome(await operators.all.request('DELETE', `/admin/plans/${id}`)), '204')
  })

  it('are private until they are said to be public, and show every limit and feature that there is', async () => {
    const made = await make({ limits: { stores: 7 }, features: { colour: true } })
    assert.deepEqual(
      [made.is_public, made.is_active, made.interval, made.trial_days, made.description],
      [false, true, 'month', 0, ''],
    )
    assert.deepEqual([made.limits.stores, made.limits.users, made.features], [7, null, { colour: true, staples: true }])
    const listed = async () =>
      (await test.request('GET', '/api/v1/subscriptions/plans')).body.data.map(({ id }: { id: string }) => id)
    assert.ok(!(await listed()).includes(made.id))
    assert.equal(outcome(await put(made.id, { is_public: true })), '200')
    assert.ok((await listed()).includes(made.id))
    assert.equal(outcome(await put(made.id, { is_active: false })), '200')
    assert.ok(!(await listed()).includes(made.id))
  })

  it('are counted with the tenants that have them, and will', async () => {
    const [now, next] = [await make({ price_cents: 0 }), await make({ price_cents: 0, currency: 'CHF' })]
    const [one, two] = [await test.foundTenant({ plan: 'starter' }), await test.foundTenant()]
    for (const { id } of [one, two]) assert.equal(outcome(await choose(id, now.id, 'now')), '200')
    assert.equal(outcome(await choose(one.id, next.id)), '200')
    const { body } = await operators.support.get('/admin/plans?limit=100')
    const of = (id: string) => {
      const { subscriptions, pending_subscriptions } = body.data.find((plan: { id: string }) => plan.id === id)
      return [subscriptions, pending_subscriptions]
    }
    assert.deepEqual(
      [of(now.id), of(next.id)],
      [
        [2, 0],
        [0, 1],
      ],
    )
    const codes = body.data.map(({ code }: { code: string }) => code)
    assert.deepEqual([codes[0], codes.includes('free')], [next.code, true])
  })

  it('have limits and features that a module declares: 422 names each other one, and nothing is written', async () => {
    const wrong = {
      limits: { stores: 5, 'st~res/x': 3, requests_per_minute: 0 },
      features: { color: true, colour: true },
    }
    const at = ['#/features/color', '#/limits/requests_per_minute', '#/limits/st~0res~1x']
    const refused = await operators.billing.post('/admin/plans', wish({ code: 'wrong', ...wrong }))
    assert.deepEqual([outcome(refused), pointers(refused.body)], ['422 terms_invalid', at])
    const plan = await make({ limits: { stores: 5 } })
    const answer = await put(plan.id, { name: 'Other', ...wrong })
    assert.deepEqual([outcome(answer), pointers(answer.body)], ['422 terms_invalid', at])
    assert.deepEqual((await operators.billing.get(`/admin/plans/${plan.id}`)).body, plan)
    for (const body of [
      { limits: { stores: -1 } },
      { limits: { stores: 1.5 } },
      { limits: { stores: '5' } },
      { limits: { stores: 2 ** 53 } },
      { features: { colour: null } },
      { features: { colour: 1 } },
      { price_cents: -1 },
      { currency: 'XYZ' },
      { code: 'A B' },
      { interval: 'week' },
      { name: '' },
    ])
      assert.equal(outcome(await put(plan.id, body)), '400 invalid_request', JSON.stringify(body))
  })

  it('have a code that is theirs alone, however many ask for it at once', async () => {
    const body = wish({ code: 'wanted' })
    const answers = await Promise.all(Array.from({ length: 20 }, () => operators.billing.post('/admin/plans', body)))
    assert.deepEqual(answers.map(outcome).sort(), ['201', ...Array(19).fill('409 conflict')])
    const another = await make()
    assert.equal(outcome(await put(another.id, { code: 'wanted' })), '409 conflict')
    assert.equal(outcome(await put(another.id, { code: 'wanted-too' })), '200')
  })

  it('change as they are asked to, limit by limit, and the log of the installation says from what to what', async () => {
    const plan = await make({ limits: { stores: 5, users: 9 }, description: 'Old' })
    const { body } = await put(plan.id, { limits: { stores: 6 }, price_cents: 20_000, description: '' })
    assert.deepEqual([body.limits.stores, body.limits.users, body.price_cents], [6, 9, 20_000])
    assert.equal(outcome(await put(plan.id, { limits: { stores: 6 } })), '200')
    assert.equal(outcome(await operators.billing.request('DELETE', `/admin/plans/${plan.id}`)), '204')
    const records = await globalRecords(test, plan.id)
    assert.deepEqual(
      records.map(({ action, actor_type, actor_id }) => [action, actor_type, actor_id]),
      ['admin.plan_created', 'admin.plan_updated', 'admin.plan_deleted'].map((action) => [
        action,
        'admin',
        operators.billing.userId,
      ]),
    )
    assert.deepEqual(records[1]?.old_values, {
      description: 'Old',
      price_cents: 19_900,
      limits: { stores: 5, users: 9 },
    })
    assert.deepEqual(records[1]?.new_values, { description: '', price_cents: 20_000, limits: { stores: 6, users: 9 } })
    assert.equal(outcome(await put(plan.id, { name: 'Gone' })), '404 not_found')
  })
})

describe('a plan that somebody has', () => {
  it('keeps its code, price, currency and interval, and is not deleted; all else may change', async () => {
    const plan = await make({ price_cents: 0 })
    const { id } = await test.foundTenant()
    assert.equal(outcome(await choose(id, plan.id, 'now')), '200')
    const fixed = [{ code: 'other' }, { price_cents: 1 }, { currency: 'USD' }, { interval: 'year' }]
    for (const body of fixed) assert.equal(outcome(await put(plan.id, { name: 'X', ...body })), '409 conflict')
    assert.equal(outcome(await operators.billing.request('DELETE', `/admin/plans/${plan.id}`)), '409 conflict')
    const same = await put(plan.id, { price_cents: 0, name: 'Better', trial_days: 3, is_public: true })
    assert.deepEqual([same.status, same.body.name, same.body.subscriptions], [200, 'Better', 1])
    // Whoever has it keeps it.
    assert.equal(outcome(await put(plan.id, { is_active: false })), '200')
    assert.equal((await operators.support.get(`/admin/tenants/${id}`)).body.plan.id, plan.id)
    assert.equal(outcome(await choose((await test.foundTenant()).id, plan.id, 'now')), '404 not_found')
  })

  it('is so before it begins, and not any more once nobody is to have it', async () => {
    const [now, next] = [await make({ price_cents: 0 }), await make({ price_cents: 0, currency: 'CHF' })]
    const { id } = await test.foundTenant({ plan: 'starter' })
    assert.equal(outcome(await choose(id, now.id, 'now')), '200')
    assert.equal(outcome(await choose(id, next.id)), '200')
    assert.equal(outcome(await put(next.id, { price_cents: 500 })), '409 conflict')
    assert.equal(outcome(await operators.billing.request('DELETE', `/admin/plans/${next.id}`)), '409 conflict')
    assert.equal(outcome(await choose(id, now.id)), '200')
    assert.equal(outcome(await put(next.id, { price_cents: 500 })), '200')
    assert.equal(outcome(await operators.billing.request('DELETE', `/admin/plans/${next.id}`)), '204')
  })

  it('costs what it cost when it was chosen, whoever changes it at that moment', async () => {
    for (const change of [
      (id: string) => put(id, { price_cents: 99_900 }),
      (id: string) => operators.billing.request('DELETE', `/admin/plans/${id}`),
    ]) {
      const plan = await make({ price_cents: 9_900, currency: 'USD', is_public: true })
      const { id, owner } = await test.foundTenant({ plan: 'free' })
      await owner.put('/subscriptions/current/payment-method', { type: 'card', label: 'Visa', last4: '4242' })
      let chosen: Promise<{ status: number; body: { code?: string } }> | undefined
      let changed: typeof chosen
      // The choice has read the plan, and waits for its own subscription.
      await other.core.run(
        async ({ tx }) => {
          await tx.selectFrom('subscriptions').select('id').where('tenant_id', '=', id).forUpdate().execute()
          chosen = owner.post('/subscriptions/current/change-plan', { plan_id: plan.id })
          await until('the choice waits', async () => (await countWaiting(test, 'transactionid')) > 0)
          let isChanged = false
          changed = change(plan.id).finally(() => {
            isChanged = true
          })
          await until(
            'the change waits for the choice',
            async () => isChanged || (await countWaiting(test, 'advisory')) > 0,
          )
        },
        { role: 'system', tenantId: id },
      )
      assert.deepEqual([outcome(await chosen!), outcome(await changed!)], ['200', '409 conflict']) // both were begun
      assert.equal((await operators.billing.get(`/admin/plans/${plan.id}`)).body.price_cents, 9_900)
    }
  })
})

describe('the plans that tenants begin with', () => {
  it('are neither deleted, deactivated, renamed in code, nor such that nobody could begin with them', async () => {
    for (const id of [FREE, STARTER]) {
      assert.equal(outcome(await operators.all.request('DELETE', `/admin/plans/${id}`)), '409 conflict')
      for (const body of [{ is_active: false }, { code: 'begun' }])
        assert.equal(outcome(await operators.all.put(`/admin/plans/${id}`, body)), '409 conflict', JSON.stringify(body))
    }
    assert.equal(outcome(await operators.all.put(`/admin/plans/${STARTER}`, { trial_days: 0 })), '409 conflict')
    const { status, body } = await operators.all.put(`/admin/plans/${FREE}`, { price_cents: 100 })
    assert.deepEqual([status, body.code], [409, 'conflict'])
  })

  it('as well as those that modules name keep their codes, had by nobody or not', async () => {
    const named = await make({ code: 'gold' })
    const limits = test.core.registry.limits as Map<string, LimitSpec & { module: string }> // so that a module names it
    const stores = limits.get('stores')!
    limits.set('stores', { ...stores, plans: { gold: 3 } })
    try {
      assert.equal(outcome(await put(named.id, { code: 'silver' })), '409 conflict')
      assert.equal(outcome(await operators.billing.request('DELETE', `/admin/plans/${named.id}`)), '409 conflict')
    } finally {
      limits.set('stores', stores)
    }
    assert.equal(outcome(await put(named.id, { code: 'silver' })), '200')
  })
})

describe('what a plan allows', () => {
  it('counts from the next request on, in every process, and takes nothing away', async () => {
    const plan = await make({ price_cents: 0, limits: { stores: 3, requests_per_minute: 500 } })
    const { id, owner } = await test.foundTenant()
    assert.equal(outcome(await choose(id, plan.id, 'now')), '200')
    const send = async (core: TestCore, method: string, path: string, body?: object) =>
      core.request(method, `/api/v1${path}`, { token: await owner.token(), body })
    const policy = async (core: TestCore) => String((await send(core, 'GET', '/stores')).headers['ratelimit-policy'])
    assert.match(await policy(test), /"tenant";q=5000/)
    assert.match(await policy(other), /"tenant";q=5000/)
    for (const name of ['Two', 'Three']) assert.equal(outcome(await send(other, 'POST', '/stores', { name })), '201')
    assert.equal(outcome(await put(plan.id, { limits: { stores: 2, requests_per_minute: 700 } })), '200')
    assert.match(await policy(test), /"tenant";q=7000/)
    await until('the other process has heard', async () => /"tenant";q=7000/.test(await policy(other)))
    const refused = await send(other, 'POST', '/stores', { name: 'Four' })
    assert.deepEqual([outcome(refused), refused.body.max, refused.body.used], ['402 plan_limit_reached', 2, 3])
    assert.equal((await send(other, 'GET', '/stores')).body.data.length, 3)
    assert.equal(outcome(await put(plan.id, { limits: { stores: 4 } })), '200')
    assert.equal(outcome(await send(other, 'POST', '/stores', { name: `Four ${newId()}` })), '201')
  })
})
