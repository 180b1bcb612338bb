import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { DAYS } from '#kernel'
import type { Answered, TestCore } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { TRANSITIONS } from './life/states.ts'
import {
  BUSINESS,
  type Customer,
  createShop,
  FREE,
  foundCustomer,
  outcome,
  runRollOver,
  STARTER,
  storedOf,
} from './subscriptions.fixture.ts'
import type { Status } from './table.ts'

let one: TestCore
let other: TestCore
before(async () => {
  one = await createShop()
  other = await createShop({ database: one.database })
})
after(async () => {
  await other.close()
  await one.close()
})

/** Sends as many at once, alternating between two processes on one database. */
const race = <T>(count: number, send: (index: number, core: TestCore) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index, index % 2 ? other : one)))

function tally(answers: Answered[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[outcome(answer)] = (counts[outcome(answer)] ?? 0) + 1
  return counts
}

const countStores = async ({ get }: Customer) => (await get('/stores?limit=100')).body.data.length

describe('50 at the same time, over two processes', () => {
  it('make exactly as many stores as the plan allows', async () => {
    const customer = await foundCustomer(one)
    const answers = await race(50, (i, core) => customer.post('/stores', { name: `Store ${i}` }, core))
    // One is there from the beginning.
    assert.deepEqual(tally(answers), { 201: 4, '402 plan_limit_reached': 46 })
    assert.equal(await countStores(customer), 5)
    for (const { status, body } of answers)
      if (status === 402) assert.deepEqual([body.limit, body.max, body.used], ['stores', 5, 5])
    const reached = (await customer.history()).filter(({ action }) => action.startsWith('limit.'))
    assert.deepEqual(reached.map(({ action }) => action).sort(), ['limit.reached_100', 'limit.reached_80'])
  })

  it('consume exactly as much of a period as the plan allows, one or many at a time', async () => {
    const customer = await foundCustomer(one)
    const answers = await race(50, (i, core) =>
      i % 5 ? customer.post('/prints', {}, core) : customer.post('/prints/many', { pages: 2 }, core),
    )
    const made = answers.reduce((sum, { status, body }) => sum + (status === 200 ? body.made : 0), 0)
    assert.equal(made, 10)
    assert.deepEqual((await customer.get('/subscriptions/current/usage')).body.prints, {
      used: 10,
      max: 10,
      percent: 100,
    })
  })

  it('delete and make without ever having more than the plan allows', async () => {
    const customer = await foundCustomer(one)
    await race(4, (i, core) => customer.post('/stores', { name: `Old ${i}` }, core))
    const { data } = (await customer.get('/stores')).body
    const answers = await race(30, (i, core) =>
      i < 2 ? customer.remove(`/stores/${data[i].id}`) : customer.post('/stores', { name: `New ${i}` }, core),
    )
    const made = answers.filter(({ status }) => status === 201).length
    assert.ok(made <= 2)
    assert.equal(await countStores(customer), 3 + made)
  })
})

describe('a downgrade while stores are made', () => {
  for (const [from, start] of [
    ['business', BUSINESS],
    ['starter', STARTER],
  ] as const)
    it(`never leaves more than the smaller plan allows (${from})`, async () => {
      const seen = new Set<string>()
      for (let turn = 0; turn < 8; turn++) {
        const customer = await foundCustomer(one)
        await customer.change('change-plan', { plan_id: start })
        const smaller = start === BUSINESS ? { plan_id: STARTER, at: 'now' } : { plan_id: FREE, at: 'now' }
        const answers = await race(8, (i, core) =>
          i === turn % 4
            ? customer.post('/subscriptions/current/change-plan', smaller, core)
            : customer.post('/stores', { name: `Store ${i}` }, core),
        )
        const { plan } = (await customer.get('/subscriptions/current')).body
        const changed = answers[turn % 4]
        assert.ok(changed)
        seen.add(outcome(changed))
        assert.ok(['200', '422 downgrade_exceeds_limits'].includes(outcome(changed)), changed.text)
        const count = await countStores(customer)
        if (changed.status === 200) assert.ok(count <= plan.limits.stores, `${count} stores on ${plan.code}`)
        else assert.equal(plan.id, start)
      }
      assert.ok(seen.size > 0)
    })
})

describe('calls that contradict each other', () => {
  it('leave a state that is one', async () => {
    for (let turn = 0; turn < 5; turn++) {
      const customer = await foundCustomer(one)
      await customer.pay()
      const answers = await race(20, (i, core) => {
        if (i % 4 === 0) return customer.post('/subscriptions/current/cancel', { at_period_end: i % 8 === 0 }, core)
        if (i % 4 === 1) return customer.post('/subscriptions/current/reactivate', undefined, core)
        if (i % 4 === 2) return customer.post('/subscriptions/current/change-plan', { plan_id: BUSINESS }, core)
        return customer.post('/subscriptions/current/change-plan', { plan_id: FREE, at: 'now' }, core)
      })
      for (const answer of answers) assert.match(outcome(answer), /^(200|409 conflict)$/)
      const { status, canceled_at, plan } = (await customer.get('/subscriptions/current')).body
      assert.equal(status === 'canceled', canceled_at !== null)
      assert.ok(['free', 'business', 'starter'].includes(plan.code))
      const recorded = (await customer.history()).filter(({ action }) => action.startsWith('subscription.'))
      const changes = answers.filter(({ status }) => status === 200).length
      assert.ok(recorded.length <= changes + 2, 'each success recorded once at most')
    }
  })
})

describe('any sequence of calls and jumps of the clock', () => {
  it('leads through states and over transitions of the table alone', { timeout: 400_000 }, async () => {
    const calls = fc.constantFrom<[string, object | undefined]>(
      ['change-plan', { plan_id: FREE }],
      ['change-plan', { plan_id: FREE, at: 'now' }],
      ['change-plan', { plan_id: STARTER }],
      ['change-plan', { plan_id: BUSINESS }],
      ['cancel', { at_period_end: true }],
      ['cancel', { at_period_end: false }],
      ['reactivate', undefined],
      ['payment-method', { type: 'card', label: 'Visa' }],
      ['current', undefined],
      ['roll-over', undefined],
    )
    const jump = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 * DAYS }))
    const reached = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(calls, jump), { minLength: 5, maxLength: 15 }), async (sequence) => {
        const customer = await foundCustomer(one)
        for (const [[call, body], ms] of sequence) {
          one.clock.advance(ms)
          if (call === 'roll-over') await runRollOver(one)
          else if (call === 'payment-method') await customer.put(`/subscriptions/current/${call}`, body)
          else if (call !== 'current') {
            const answer = await customer.post(`/subscriptions/current/${call}`, body)
            assert.match(outcome(answer), /^(200|409 conflict)$/)
          }
          const { status } = (await customer.get('/subscriptions/current')).body
          const writes = (await customer.post('/own/prints')).status
          assert.equal(writes, 200)
          const isOpen = (await customer.post('/prints/many', { pages: 0 })).status === 200
          assert.equal(isOpen, !['canceled', 'expired'].includes(status), status)
          reached.add(status)
        }
        await runRollOver(one)
        const { status } = (await customer.get('/subscriptions/current')).body
        assert.equal((await storedOf(one, customer.tenantId)).status, status, 'what is read is what is written down')
        await assertWalk(customer)
      }),
      { numRuns: 25, seed: SEED },
    )
    assert.ok(reached.size >= 4, [...reached].join(', '))
  })
})

/** What was recorded leads from one state to the next by the table. */
async function assertWalk(customer: Customer): Promise<void> {
  const rows = await one.core.db.systemQuery<{
    old_values: { status?: Status } | null
    new_values: { status?: Status }
  }>(
    `select old_values, new_values from audit_logs where tenant_id = $1 and resource_type = 'subscription'
     and action not in ('subscription.trial_ending', 'subscription.expiring') order by id`,
    [customer.tenantId],
  )
  let status: Status = 'trialing'
  for (const { old_values, new_values } of rows.slice(1)) {
    assert.equal(old_values?.status ?? status, status, 'no change is missing')
    const next: Status = new_values.status ?? status
    const targets: readonly Status[] = Object.values(TRANSITIONS[status]).flat()
    assert.ok(targets.includes(next), `${status} → ${next}`)
    status = next
  }
}
