import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readList } from '../../../kernel/rates/structured-list.fixture.ts'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { openAllMissing } from '../life/renewal.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  runRollOver,
  STARTER,
  storedOf,
  succeeded,
  takeSubscription,
  testModules,
} from '../subscriptions.fixture.ts'

let t: TestCore
let other: TestCore
let customer: Customer
before(async () => {
  t = await createShop({ rateLimits: true, env: { RATE_LIMIT_FACTOR: '10' } })
  other = await createTestCore({
    modules: testModules,
    database: t.database,
    rateLimits: true,
    env: { RATE_LIMIT_FACTOR: '10' },
  })
  customer = await foundCustomer(t)
})
after(async () => {
  await other.close()
  await t.close()
})

/** What the tenant may send in a minute, by the answer of one process. */
async function allowed(core = t): Promise<unknown> {
  const { headers } = succeeded(await customer.get('/stores', core))
  return readList(headers['ratelimit-policy']).find(({ name }) => name === 'tenant')?.q
}

const choose = (plan_id: string, at?: string) => customer.change('change-plan', { plan_id, ...(at && { at }) })

describe('the requests that a tenant may send in a minute', () => {
  it('are what its plan says', async () => {
    assert.equal(await allowed(), 60_000)
    const { body } = succeeded(await customer.get('/subscriptions/current/details'))
    assert.equal(body.plan.limits.requests_per_minute, 6_000)
    assert.equal(body.usage.requests_per_minute, undefined, 'nothing is used up')
  })

  it('follow a change of plan at once, in every process', async () => {
    assert.equal(await allowed(other), 60_000)
    await customer.pay()
    await choose(BUSINESS)
    assert.equal(await allowed(), 600_000)
    await until('the other process has heard', async () => (await allowed(other)) === 600_000)
    await choose(FREE, 'now')
    assert.equal(await allowed(), 12_000)
    await until('the other process has heard', async () => (await allowed(other)) === 12_000)
  })

  it('follow a change that time brings, whoever stores it', async () => {
    await choose(STARTER)
    await choose(FREE)
    assert.equal(await allowed(), 60_000)
    const { current_period_end } = await storedOf(t, customer.tenantId)
    t.clock.advance(Date.parse(current_period_end) - t.clock.ms() + 1_000)
    await runRollOver(t)
    assert.equal(await allowed(), 12_000)
  })

  it('do not keep a change to a smaller plan from being allowed', async () => {
    await choose(BUSINESS)
    const preview = succeeded(await customer.post('/subscriptions/current/change-plan/preview', { plan_id: FREE }))
    assert.deepEqual(preview.body.exceeds, [])
  })

  it('are those of the smallest plan without a subscription, until there is one', async () => {
    await takeSubscription(t, customer)
    t.core.standings.forget({ tenantId: customer.tenantId })
    assert.equal(await allowed(), 12_000)
    await t.runSchedule(openAllMissing)
    assert.equal(await allowed(), 60_000)
  })
})
