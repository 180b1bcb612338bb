import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../../testing/seed.ts'
import { effective, giftsOf, isAmong } from './terms.ts'

const NOW = '2027-01-31T00:00:00.000Z'
const BEFORE = '2027-01-30T23:59:59.999Z'
const TENANT = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'
const uuid = fc.uuid()
const name = fc.constantFrom('stores', 'users', 'colour', 'a.b')

describe('what a tenant gets in place of what its plan says', () => {
  const tenant = { tenant_id: TENANT, limits_override: {}, features_override: {} }
  const plan = { code: 'starter', limits: { stores: 5, users: 10 }, features: { colour: false } }
  const rollout = { share: 100, until: null }

  it('is its own override before a rollout, and a rollout before the plan', () => {
    const rollouts = [
      { name: 'stores', value: 20, ...rollout },
      { name: 'users', value: null, ...rollout },
      { name: 'colour', value: true, ...rollout },
    ]
    const own = { ...tenant, limits_override: { stores: { value: 7, until: null } } }
    const terms = effective(plan, giftsOf(own, rollouts, NOW))
    assert.deepEqual([terms.limits, terms.features], [{ stores: 7, users: null }, { colour: true }])
    const none = effective(
      plan,
      giftsOf(
        tenant,
        rollouts.map((each) => ({ ...each, share: 0 })),
        NOW,
      ),
    )
    assert.deepEqual([none.limits, none.features], [plan.limits, plan.features])
  })

  it('has ended at the very moment until which it holds', () => {
    const own = {
      ...tenant,
      limits_override: { stores: { value: 7, until: NOW } },
      features_override: { colour: { value: true, until: NOW } },
    }
    const rollouts = [{ name: 'users', value: 3, share: 100, until: NOW }]
    const at = (now: string) => {
      const { limits, features } = effective(plan, giftsOf(own, rollouts, now))
      return [limits.stores, limits.users, features.colour]
    }
    assert.deepEqual(at(BEFORE), [7, 3, true])
    assert.deepEqual(at(NOW), [5, 10, false])
  })
})

describe('the tenants of a share', () => {
  it('are all of a greater one too: none at 0, everybody at 100', () => {
    fc.assert(
      fc.property(name, uuid, fc.nat(100), fc.nat(100), (name, tenant, one, two) => {
        const [less, more] = [Math.min(one, two), Math.max(one, two)]
        assert.ok(!isAmong(name, tenant, less) || isAmong(name, tenant, more))
        assert.deepEqual([isAmong(name, tenant, 0), isAmong(name, tenant, 100)], [false, true])
      }),
      { seed: SEED },
    )
  })

  it('are as many as it says, others for each name, and always the same', () => {
    const tenants = Array.from({ length: 10_000 }, (_, n) => TENANT.slice(0, -5) + String(n).padStart(5, '0'))
    const among = (name: string) => tenants.filter((tenant) => isAmong(name, tenant, 25))
    const [stores, users] = [among('stores'), among('users')]
    for (const { length } of [stores, users]) assert.ok(length > 2_300 && length < 2_700, `${length}`)
    const both = stores.filter((tenant) => users.includes(tenant)).length
    assert.ok(both > 500 && both < 750, `${both}`)
    // What was once said to some of them stays so in every release.
    assert.deepEqual(
      [1, 50, 99].map((share) => isAmong('stores', TENANT, share)),
      [false, false, true],
    )
  })
})
