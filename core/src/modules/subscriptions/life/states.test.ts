import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError, DAYS, newId } from '#kernel'
import { SEED } from '../../../testing/seed.ts'
import type { PlanRow, Status } from '../table.ts'
import { advance } from './lifecycle.ts'
import { type Happening, isEnded, type State, TRANSITIONS, transition } from './states.ts'

const START = Date.parse('2027-10-31T18:00:00.000Z')
const iso = (ms: number) => new Date(ms).toISOString()

const planOf = (code: string, price_cents: number, interval: PlanRow['interval'] = 'month'): PlanRow => ({
  id: newId(),
  code,
  name: code,
  description: '',
  price_cents,
  currency: 'USD',
  interval,
  trial_days: 14,
  limits: {},
  features: {},
  is_public: true,
  is_active: true,
  created_at: iso(START),
  updated_at: iso(START),
})
const PLANS = [planOf('free', 0), planOf('starter', 2900), planOf('business', 9900), planOf('yearly', 99_000, 'year')]
const [free, starter, business, yearly] = PLANS as [PlanRow, PlanRow, PlanRow, PlanRow] // four were just made

const method = { type: 'card', label: 'Visa', last4: '4242', expires: null }
const trial: State = {
  tenant_id: newId(),
  id: newId(),
  plan_id: starter.id,
  plan: starter,
  pending_plan_id: null,
  pending_plan: null,
  status: 'trialing',
  trial_ends_at: iso(START + 14 * DAYS),
  anchored_at: iso(START),
  current_period_start: iso(START),
  current_period_end: iso(START + 14 * DAYS),
  cancel_at_period_end: false,
  cancel_reason: null,
  canceled_at: null,
  grace_ends_at: null,
  payment_method: null,
  payment_provider: null,
  payment_reference: null,
  charge: null,
  warned_days: null,
  limits_override: {},
  features_override: {},
  next_change_at: iso(START + 11 * DAYS),
  created_at: iso(START),
  updated_at: iso(START),
}

const CALLS: Happening[] = [
  { name: 'canceled', atPeriodEnd: true, reason: 'why' },
  { name: 'canceled', atPeriodEnd: false, reason: null },
  { name: 'reactivated' },
  { name: 'trial_extended', days: 7 },
  { name: 'payment_method_set', method, provider: 'manual', reference: null },
  { name: 'payment_method_set', method, provider: 'bank', reference: 'ref' },
  { name: 'paid' },
  { name: 'declined' },
  ...PLANS.flatMap((plan): Happening[] => [
    { name: 'plan_changed', plan, at: 'now' },
    { name: 'plan_changed', plan, at: 'period_end' },
  ]),
]

/** What has to hold of every subscription, whatever happened to it. */
function check(state: State, now: string): void {
  assert.ok(Object.hasOwn(TRANSITIONS, state.status), state.status)
  assert.equal(state.status === 'canceled', state.canceled_at !== null)
  assert.equal(state.status === 'past_due', state.grace_ends_at !== null)
  assert.equal(isEnded(state), state.next_change_at === null)
  assert.ok(state.current_period_start < state.current_period_end)
  assert.ok(state.current_period_start <= now)
  assert.equal(state.plan_id, state.plan.id)
  assert.equal(state.pending_plan_id, state.pending_plan?.id ?? null)
  if (isEnded(state)) assert.ok(!state.pending_plan && !state.cancel_at_period_end)
  else assert.ok(state.next_change_at !== null && state.next_change_at > now, 'the clock has done its part')
  if (state.status === 'active' && !state.charge) assert.ok(state.current_period_end > now)
  if (state.status === 'past_due') assert.ok(state.plan.price_cents > 0 || state.charge, 'what is free is never due')
  if (state.charge) assert.ok(state.charge.amount_cents > 0)
}

describe('the states of a subscription', () => {
  it('are never left, and changed only as the table says, by any sequence of calls and jumps of the clock', () => {
    const seen = new Set<string>()
    const walk = ({ before, after, name }: { before: State; after: State; name: Happening['name'] }) => {
      assert.ok(TRANSITIONS[before.status][name]?.includes(after.status), `${name}: ${before.status} → ${after.status}`)
      seen.add(`${before.status} ${name} ${after.status}`)
    }
    const jump = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 15 * DAYS }),
      fc.integer({ min: 0, max: 90 * DAYS }),
    )
    const calls = fc.array(fc.tuple(fc.constantFrom(...CALLS), jump), { maxLength: 60, size: 'max' })
    const property = fc.property(calls, (sequence) => {
      let [state, now] = [trial, START]
      for (const [happening, ms] of sequence) {
        now += ms
        const advanced = advance(state, iso(now))
        advanced.steps.forEach(walk)
        state = advanced.state
        check(state, iso(now))
        try {
          const after = transition(state, happening, iso(now))
          walk({ before: state, after, name: happening.name })
          state = advance(after, iso(now)).state
        } catch (error) {
          // Nothing but a refusal may come out.
          if (!(error instanceof AppError)) throw error
          assert.equal(error.code, 'conflict')
        }
        check(state, iso(now))
      }
    })
    fc.assert(property, { numRuns: 2_000, seed: SEED })
    // Always these, so that it is certain that they walk every line of the table.
    fc.assert(property, { numRuns: 3_000, seed: 31 })
    const unseen = Object.entries(TRANSITIONS).flatMap(([from, happenings]) =>
      Object.entries(happenings).flatMap(([name, targets]) => targets.map((to) => `${from} ${name} ${to}`)),
    )
    assert.deepEqual(
      unseen.filter((each) => !seen.has(each)),
      [],
      'every line of the table is walked',
    )
  })

  it('come out the same whenever somebody looks', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 40 * DAYS }), { maxLength: 20 })
    fc.assert(
      fc.property(looks, fc.constantFrom(...CALLS), fc.constantFrom(...CALLS), (jumps, one, other) => {
        let begun = trial
        for (const happening of [one, other]) {
          try {
            begun = transition(begun, happening, iso(START))
          } catch (error) {
            if (!(error instanceof AppError)) throw error
          }
        }
        let [watched, now] = [begun, START]
        for (const ms of jumps) {
          now += ms
          watched = advance(watched, iso(now)).state
        }
        assert.deepEqual(watched, advance(begun, iso(now)).state)
      }),
      { numRuns: 1_000, seed: SEED },
    )
  })

  it('refuse whatever the table does not have', () => {
    const at = (status: Status): State => ({
      ...trial,
      status,
      canceled_at: status === 'canceled' ? iso(START) : null,
      grace_ends_at: status === 'past_due' ? iso(START + DAYS) : null,
    })
    let refused = 0
    for (const status of Object.keys(TRANSITIONS) as Status[]) // the keys of a record of them
      for (const happening of CALLS) {
        if (TRANSITIONS[status][happening.name]) continue
        refused++
        assert.throws(() => transition(at(status), happening, iso(START)), { code: 'conflict' })
      }
    assert.ok(refused > 5)
  })
})

describe('the clock', () => {
  const stepsOf = (state: State, ms: number) => advance(state, iso(START + ms)).steps.map(({ name }) => name)
  const after = (state: State, ms: number) => advance(state, iso(START + ms)).state
  const paying = transition(
    trial,
    { name: 'payment_method_set', method, provider: 'manual', reference: null },
    iso(START),
  )
  const choosing = (plan: PlanRow) => transition(trial, { name: 'plan_changed', plan, at: 'now' }, iso(START))

  it('warns once before a trial ends, and then ends it to the millisecond', () => {
    assert.deepEqual(stepsOf(trial, 11 * DAYS - 1), [])
    assert.deepEqual(stepsOf(trial, 11 * DAYS), ['warned'])
    assert.deepEqual(stepsOf(after(trial, 11 * DAYS), 14 * DAYS - 1), [])
    assert.equal(after(trial, 14 * DAYS - 1).status, 'trialing')
    assert.equal(after(trial, 14 * DAYS).status, 'expired')
    assert.deepEqual(stepsOf(trial, 500 * DAYS), ['trial_ended'], 'nobody is warned of what has come')
  })

  it('makes a subscription of a trial that is paid or free', () => {
    const paid = after(paying, 14 * DAYS)
    assert.equal(paid.status, 'active')
    assert.deepEqual(
      [paid.current_period_start, paid.current_period_end],
      ['2027-11-14T18:00:00.000Z', '2027-12-14T18:00:00.000Z'],
    )
    assert.equal(after(choosing(free), 10_000 * DAYS).status, 'active', 'what is free never expires')
    assert.deepEqual(stepsOf(choosing(free), 14 * DAYS), ['trial_ended'], 'and nobody needs to be warned')
  })

  it('rolls over all periods that were missed, each on its day', () => {
    const { state, steps } = advance(paying, '2028-03-20T00:00:00.000Z')
    assert.deepEqual(
      steps.filter(({ name }) => name === 'period_ended').map(({ after }) => after.current_period_start.slice(0, 10)),
      ['2027-12-14', '2028-01-14', '2028-02-14', '2028-03-14'],
    )
    assert.equal(state.current_period_end, '2028-04-14T18:00:00.000Z')
  })

  it('gives 14 days of grace to what cannot be collected', () => {
    const active = after(paying, 14 * DAYS)
    const unpaid = { ...active, payment_method: null, payment_provider: null }
    const due = advance(unpaid, active.current_period_end).state
    assert.equal(due.status, 'past_due')
    assert.deepEqual(due.charge?.amount_cents, 2900)
    const end = Date.parse(active.current_period_end)
    assert.equal(due.grace_ends_at, iso(end + 14 * DAYS))
    assert.equal(advance(due, iso(end + 14 * DAYS - 1)).state.status, 'past_due')
    const lost = advance(due, iso(end + 14 * DAYS)).state
    assert.equal(lost.status, 'expired')
    const late = transition(lost, { name: 'paid' }, iso(end + 15 * DAYS))
    assert.deepEqual([late.status, late.charge], ['active', null], 'a payment that came too late still counts')
  })

  it('applies a cheaper plan at the end of the period, and a cancellation before that', () => {
    const active = after(transition(paying, { name: 'plan_changed', plan: business, at: 'now' }, iso(START)), 14 * DAYS)
    const end = Date.parse(active.current_period_end)
    const waiting = transition(
      active,
      { name: 'plan_changed', plan: starter, at: 'period_end' },
      iso(START + 15 * DAYS),
    )
    assert.equal(advance(waiting, iso(end - 1)).state.plan.code, 'business')
    assert.equal(advance(waiting, iso(end)).state.plan.code, 'starter')
    const leaving = transition(waiting, { name: 'canceled', atPeriodEnd: true, reason: null }, iso(START + 16 * DAYS))
    assert.deepEqual(stepsOf(leaving, end - START), ['period_ended'])
    assert.deepEqual(stepsOf(leaving, end - START - DAYS), ['warned'])
    assert.equal(advance(leaving, iso(end)).state.status, 'canceled')
  })

  it('begins periods of another length on the day they are chosen', () => {
    const active = after(paying, 14 * DAYS)
    const moved = transition(active, { name: 'plan_changed', plan: yearly, at: 'now' }, '2027-11-29T18:00:00.000Z')
    assert.equal(moved.current_period_end, '2028-11-29T18:00:00.000Z')
  })
})
