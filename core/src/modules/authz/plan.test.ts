import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Closed, defineModule, defineRoute, type Method, planLimitReached, subscriptionInactive } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { type Company, foundCompany } from '../roles/roles.fixture.ts'
import { authz } from './index.ts'

/** What the tenants of this file have booked. */
const booked = { features: new Set<string>(), ended: false, left: 1 }

const dig = (
  path: `/${string}`,
  permission: string,
  needs: { feature?: string; limit?: string; writes?: boolean } = {},
) =>
  defineRoute({
    method: needs.writes ? 'POST' : 'GET',
    path,
    summary: 'Dig',
    access: { permission },
    feature: needs.feature,
    limit: needs.limit,
    response: { 200: Closed({}) },
    handler: () => ({}),
  })

const mine = defineModule({
  name: 'mine',
  permissions: {
    'gold.dig': 'Dig for gold',
    'silver.dig': 'Dig for silver',
    'mud.dig': 'Dig',
    'gold.sell': 'Sell gold',
    'mine.open': 'Open mines',
  },
  limits: { mines: { title: 'Mines', counts: 'stores' } },
  features: { deep: { title: 'Deep mining' } },
  allowances: {
    consumed: async (_ctx, limit) => {
      if (booked.left === 0) throw planLimitReached({ members: { limit, max: 1, used: 1 } })
    },
    hasFeature: async (_ctx, feature) => booked.features.has(feature),
    requireWritable: async () => {
      if (booked.ended) throw subscriptionInactive()
    },
    overview: async () => ({
      writable: !booked.ended,
      features: [...booked.features],
      limits: { mines: { used: 1 - booked.left, max: 1 } },
    }),
  },
  routes: [
    dig('/gold', 'gold.dig', { feature: 'deep' }),
    dig('/silver', 'silver.dig'),
    dig('/silver/deep', 'silver.dig', { feature: 'deep', writes: true }),
    dig('/gold/sales', 'gold.sell', { writes: true }),
    dig('/mines', 'mine.open', { limit: 'mines', writes: true }),
  ],
})

let core: TestCore
let acme: Company
before(async () => {
  core = await createTestCore({ modules: [...authModules, authz, mine] })
  acme = await foundCompany(core)
})
after(() => core.close())

const explain = async (permission: string) =>
  (await acme.owner.request('POST', '/authz/explain', { body: { permission } })).body
const request = async (url: `/${string}`, method: Method = 'GET') => {
  const { status, body } = await acme.owner.request(method, url)
  return [status, body.code]
}

test('a permission whose every route needs a feature that the plan lacks is explained by the plan', async () => {
  booked.features.clear()
  const via = [{ role_id: acme.roleIds.owner, role: 'owner', store_id: null }]
  assert.deepEqual(await explain('gold.dig'), {
    allowed: false,
    reason: 'plan_feature',
    via,
    missing: { feature: 'deep' },
  })
  assert.deepEqual(await request('/gold'), [402, 'feature_not_in_plan'])
  assert.equal((await explain('silver.dig')).reason, 'granted')
  assert.equal((await explain('mud.dig')).reason, 'granted')
  booked.features.add('deep')
  assert.equal((await explain('gold.dig')).reason, 'granted')
  assert.deepEqual(await request('/gold'), [200, undefined])
})

test('a subscription that has ended is named where it is in the way: for writing', async () => {
  booked.ended = true
  assert.equal((await explain('gold.sell')).reason, 'subscription_inactive')
  assert.deepEqual(await request('/gold/sales', 'POST'), [402, 'subscription_inactive'])
  assert.equal((await explain('mine.open')).reason, 'subscription_inactive')
  assert.equal((await explain('silver.dig')).reason, 'granted')
  assert.deepEqual(await request('/silver'), [200, undefined])
  booked.ended = false
  assert.equal((await explain('gold.sell')).reason, 'granted')
})

test('a limit that is reached is named', async () => {
  booked.left = 0
  const { allowed, reason, missing } = await explain('mine.open')
  assert.deepEqual({ allowed, reason, missing }, { allowed: false, reason: 'plan_limit', missing: { limit: 'mines' } })
  assert.deepEqual(await request('/mines', 'POST'), [402, 'plan_limit_reached'])
  booked.left = 1
  assert.equal((await explain('mine.open')).reason, 'granted')
  assert.deepEqual(await request('/mines', 'POST'), [200, undefined])
})
