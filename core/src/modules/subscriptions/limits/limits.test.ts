import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  outcome,
  STARTER,
  succeeded,
  testModules,
} from '../subscriptions.fixture.ts'

let test: TestCore
let customer: Customer
before(async () => {
  test = await createShop()
})
after(() => test.close())

const reset = async () => {
  customer = await foundCustomer(test)
}
let names = 0
const branch = () => customer.post('/branches', { name: `Branch ${++names}` })
const print = (body: object = {}) => customer.post('/prints', body)
const printMany = (pages: number, more = {}) => customer.post('/prints/many', { pages, ...more })
const usageOf = async (limit: string) => (await customer.get('/subscriptions/current/usage')).body[limit]
const choose = (plan_id: string, at?: string) => customer.change('change-plan', { plan_id, ...(at && { at }) })

describe('a limit of what a tenant has at once', () => {
  before(reset)

  it('appears in every plan, in usage and in the answer that refuses', async () => {
    const plans = (await test.request('GET', '/api/v1/subscriptions/plans')).body.data
    assert.deepEqual(
      plans.map(({ code, limits }: { code: string; limits: object }) => [code, limits]),
      [
        ['free', { stores: 1, users: 2, branches: 1, prints: 2, requests_per_minute: 1_200 }],
        ['starter', { stores: 5, users: 10, branches: 4, prints: 10, requests_per_minute: 6_000 }],
        ['business', { stores: null, users: null, branches: null, prints: null, requests_per_minute: 60_000 }],
      ],
    )
    assert.deepEqual(await usageOf('branches'), { used: 1, max: 4, percent: 25 })
    for (let i = 0; i < 3; i++) assert.equal(outcome(await branch()), '201')
    const refused = await branch()
    assert.equal(outcome(refused), '402 plan_limit_reached')
    const { limit, max, used } = refused.body
    assert.deepEqual({ limit, max, used }, { limit: 'branches', max: 4, used: 4 })
    assert.deepEqual(await usageOf('branches'), { used: 4, max: 4, percent: 100 })
    assert.equal((await customer.get('/stores?limit=100')).body.data.length, 4, 'nothing was made')
  })

  it('is freed by deleting', async () => {
    const [{ id }] = (await customer.get('/stores')).body.data
    await customer.remove(`/stores/${id}`)
    assert.equal(outcome(await branch()), '201')
    assert.equal(outcome(await branch()), '402 plan_limit_reached')
  })

  it('is looked at last: what is wrong otherwise is said first', async () => {
    const [{ name }] = (await customer.get('/stores')).body.data
    assert.equal(outcome(await customer.post('/branches', { name })), '409 name_taken')
    assert.equal(outcome(await customer.post('/branches', { name: '' })), '400 invalid_request')
  })

  it('says what is in use when it is more than the plan allows', async () => {
    await choose(BUSINESS)
    for (let i = 0; i < 4; i++) succeeded(await branch())
    assert.deepEqual(await usageOf('branches'), { used: 8, max: null, percent: null })
    const back = await customer.post('/subscriptions/current/change-plan', { plan_id: STARTER })
    assert.equal(outcome(back), '422 downgrade_exceeds_limits')
    await test.core.db.systemQuery('update subscriptions set plan_id = $1 where tenant_id = $2', [
      STARTER,
      customer.tenantId,
    ])
    const { max, used } = (await branch()).body
    assert.deepEqual({ max, used }, { max: 4, used: 8 })
    assert.deepEqual(await usageOf('branches'), { used: 8, max: 4, percent: 200 })
  })

  it('is counted after everybody else who counts has committed, and no further than the plan goes', async () => {
    const sent: [sql: string, values: readonly unknown[]][] = []
    await reset()
    const stop = test.core.db.observe((sql, values) => sent.push([sql, values]))
    await branch()
    stop()
    const lock = sent.findIndex(([sql]) => sql.endsWith('for no key update') && sql.includes('"subscriptions"'))
    const count = sent.findIndex(([sql]) => sql.includes('count(*)'))
    assert.ok(lock >= 0 && count > lock, 'the lock comes before the count')
    assert.deepEqual(sent[count]?.[1], [customer.tenantId, 5])
  })

  it('costs nothing to count where any number is allowed, and no lock among those who make', async () => {
    await choose(BUSINESS)
    const sent: string[] = []
    const stop = test.core.db.observe((sql) => sent.push(sql))
    succeeded(await branch())
    stop()
    assert.deepEqual(
      sent.filter((sql) => /count\(\*\)|for (no key )?update/.test(sql)),
      [],
    )
    // What is remembered of the tenant may be read anew after the change of plan, without a lock.
    const locking = sent.filter((sql) => sql.includes('"subscriptions"') && sql.includes('for key share'))
    assert.equal(locking.length, 1)
  })
})

describe('a limit of what a tenant does in a period', () => {
  before(reset)

  it('counts what succeeded, one or many at a time, and gives back', async () => {
    assert.deepEqual(await usageOf('prints'), { used: 0, max: 10, percent: 0 })
    succeeded(await print())
    assert.equal(outcome(await print({ jams: true })), '409 conflict')
    assert.equal((await usageOf('prints')).used, 1)
    succeeded(await printMany(8))
    const refused = await printMany(2)
    assert.equal(outcome(refused), '402 plan_limit_reached')
    assert.deepEqual([refused.body.limit, refused.body.max, refused.body.used], ['prints', 10, 9])
    assert.equal(outcome(await printMany(11)), '402 plan_limit_reached')
    succeeded(await printMany(-4))
    assert.equal((await usageOf('prints')).used, 5)
    succeeded(await printMany(5))
    assert.equal(outcome(await print()), '402 plan_limit_reached')
    assert.equal(outcome(await print({ jams: true })), '409 conflict', 'what is wrong otherwise is said first')
  })

  it('begins at zero with the next period, before anybody has written that down', async () => {
    await customer.pay()
    test.clock.advance(14 * DAYS)
    assert.deepEqual(await usageOf('prints'), { used: 0, max: 10, percent: 0 })
    succeeded(await printMany(10))
    assert.equal(outcome(await print()), '402 plan_limit_reached')
    assert.equal((await customer.get('/subscriptions/current')).body.status, 'active')
    test.clock.advance(31 * DAYS)
    succeeded(await print())
  })

  it('is counted without end where any number is allowed', async () => {
    await choose(BUSINESS)
    succeeded(await printMany(1_000))
    assert.deepEqual(await usageOf('prints'), { used: 1_001, max: null, percent: null })
  })
})

describe('reaching a limit', () => {
  before(reset)

  it('is recorded when 80 % and all of it are crossed, once for each crossing', async () => {
    const marks = async () =>
      (await customer.history())
        .filter(({ action }) => action.startsWith('limit.'))
        .map(({ action, new_values }) => [action, new_values])
    for (let i = 0; i < 10; i++) succeeded(await print())
    assert.equal(outcome(await print()), '402 plan_limit_reached')
    const prints = [
      ['limit.reached_80', { limit: 'prints', max: 10, used: 8 }],
      ['limit.reached_100', { limit: 'prints', max: 10, used: 10 }],
    ]
    assert.deepEqual(await marks(), prints)
    for (let i = 0; i < 3; i++) succeeded(await branch())
    // 80 % of four is all four: said once.
    const branches = ['limit.reached_100', { limit: 'branches', max: 4, used: 4 }]
    assert.deepEqual(await marks(), [...prints, branches])
    const [{ id }] = (await customer.get('/stores')).body.data
    await customer.remove(`/stores/${id}`)
    succeeded(await branch())
    assert.deepEqual(await marks(), [...prints, branches, branches])
  })
})

describe('a feature', () => {
  before(reset)

  it('is asked for after what is wrong otherwise, and comes with the plan', async () => {
    assert.equal(outcome(await customer.get('/colours')), '402 feature_not_in_plan')
    const refused = await customer.post('/colours', {})
    assert.deepEqual([outcome(refused), refused.body.feature], ['402 feature_not_in_plan', 'colour'])
    assert.equal(outcome(await customer.post('/colours', { jams: true })), '409 conflict')
    const { plan, features } = (await customer.get('/subscriptions/current/details')).body
    assert.deepEqual(features, { colour: false, staples: true })
    assert.deepEqual(plan.features, features)
    await choose(BUSINESS)
    assert.equal(outcome(await customer.get('/colours')), '200')
    assert.equal(outcome(await customer.post('/colours', {})), '200')
  })

  it('and a limit may be given to one plan by its data, over what the module declares', async () => {
    await choose(STARTER, 'now')
    const set = (limits: object, features: object) =>
      test.core.db.systemQuery('update plans set limits = limits || $1, features = $2 where id = $3', [
        JSON.stringify(limits),
        JSON.stringify(features),
        STARTER,
      ])
    await set({ prints: 1 }, { colour: true, staples: false })
    try {
      assert.equal(outcome(await customer.get('/colours')), '200')
      succeeded(await print())
      const { limit, max, used } = (await print()).body
      assert.deepEqual({ limit, max, used }, { limit: 'prints', max: 1, used: 1 })
      await set({ prints: null }, {})
      succeeded(await printMany(50))
      await set({ prints: 0 }, {})
      assert.equal(outcome(await print()), '402 plan_limit_reached')
      assert.equal((await usageOf('prints')).percent, 100)
    } finally {
      await test.core.db.systemQuery("update plans set limits = limits - 'prints', features = '{}' where id = $1", [
        STARTER,
      ])
    }
  })
})

describe('the built-in plan free', () => {
  before(reset)

  it('allows one store, which is there already', async () => {
    await choose(FREE, 'now')
    const refused = await customer.post('/stores', { name: 'Second' })
    assert.deepEqual([outcome(refused), refused.body.max, refused.body.used], ['402 plan_limit_reached', 1, 1])
  })
})

describe('requests that only read', () => {
  before(reset)

  it('ask nothing of the plan', async () => {
    await customer.get('/stores')
    const sent: string[] = []
    const stop = test.core.db.observe((sql) => sent.push(sql))
    succeeded(await customer.get('/stores'))
    stop()
    assert.equal(sent.length, 1)
  })

  it('that write ask one thing more', async () => {
    const [{ id }] = (await customer.get('/stores')).body.data
    const sent: string[] = []
    const stop = test.core.db.observe((sql) => sent.push(sql))
    succeeded(await customer.put(`/stores/${id}`, { phone: '+41 44 123 45 67' }))
    stop()
    assert.equal(sent.filter((sql) => sql.includes('"subscriptions"')).length, 1)
    // What listens to changed stores is enqueued beside it, and the change is published.
    const beside = /tenant_jobs|event_heads/
    assert.equal(sent.filter((sql) => !beside.test(sql)).length, 4, sent.join('\n'))
  })
})

describe('without the module of subscriptions', () => {
  it('everything is unlimited and may be written', async () => {
    const names = ['subscriptions', 'admin']
    const open = await createTestCore({ modules: testModules.filter(({ name }) => !names.includes(name)) })
    try {
      const { post } = (await open.foundTenant()).owner
      for (let i = 0; i < 12; i++) succeeded(await post('/branches', { name: `B${i}` }))
      for (let i = 0; i < 12; i++) succeeded(await post('/prints', {}))
      succeeded(await post('/prints/many', { pages: 500 }))
      succeeded(await post('/prints/many', { pages: -500 }))
      succeeded(await post('/colours', {}))
    } finally {
      await open.close()
    }
  })
})
