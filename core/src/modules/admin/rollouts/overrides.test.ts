import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, SECONDS } from '#kernel'
import { until } from '../../../testing/until.ts'
import { FREE, STARTER } from '../../subscriptions/subscriptions.fixture.ts'
import { countWaiting, globalRecords, ownRecords } from '../admin.fixture.ts'
import { type Desk, openDesk, outcome, pointers } from './desk.fixture.ts'

let desk: Desk
let test: Desk['test']
let other: Desk['other']
let operators: Desk['operators']
let shop: Desk['shop']
let put: Desk['put']
let send: Desk['send']
let limit: Desk['limit']
let inspect: Desk['inspect']
let inFuture: Desk['inFuture']
let maxOf: Desk['maxOf']
let policy: Desk['policy']
let whileTimeStands: Desk['whileTimeStands']
before(async () => {
  desk = await openDesk()
  ;({ test, other, operators, shop, put, send, limit, inspect, inFuture, maxOf, policy, whileTimeStands } = desk)
})
after(() => desk?.close())

describe('overrides of a tenant', () => {
  it('say how much it may have in place of its plan, wherever it sees or feels that', async () => {
    const set = await put({
      limits_override: { stores: 6, users: { value: null }, branches: { value: 0, until: inFuture(1 * DAYS) } },
      features_override: { colour: true, staples: { value: false } },
    })
    assert.equal(set.status, 200, set.text)
    const { limits_override, features_override, limits, features } = set.body
    const end = limits_override.branches.until
    assert.deepEqual(limits_override, {
      branches: { value: 0, until: end },
      stores: { value: 6, until: null },
      users: { value: null, until: null },
    })
    assert.deepEqual(features_override, {
      colour: { value: true, until: null },
      staples: { value: false, until: null },
    })
    assert.deepEqual(
      [limits.stores, limits.branches, limits.prints],
      [
        { max: 6, by: 'override', until: null },
        { max: 0, by: 'override', until: end },
        { max: 10, by: 'plan', until: null },
      ],
    )
    assert.deepEqual(features.colour, { included: true, by: 'override', until: null })
    assert.deepEqual(await inspect(), set.body)

    const { body: details } = await send(test, 'GET', '/subscriptions/current/details')
    assert.deepEqual([details.limits.stores, details.limits.users, details.usage.stores.max], [6, null, 6])
    assert.deepEqual([details.features, details.plan.limits.stores], [{ colour: true, staples: false }, 5])
    const { body: mine } = await shop.owner.get('/authz/me')
    assert.deepEqual([mine.features, mine.limits.stores.max, mine.limits.users.max], [['colour'], 6, null])
    assert.equal(outcome(await send(test, 'GET', '/colours')), '200')
    const refused = await send(test, 'POST', '/branches', { name: 'None' })
    assert.deepEqual([outcome(refused), refused.body.max], ['402 plan_limit_reached', 0])
    for (let n = 2; n <= 6; n++)
      assert.equal(outcome(await send(other, 'POST', '/stores', { name: `Store ${n}` })), '201')
    assert.equal(outcome(await send(other, 'POST', '/stores', { name: 'Seven' })), '402 plan_limit_reached')
  })

  it('stay where they are not named, are taken away by null, and take nothing away themselves', async () => {
    assert.equal(outcome(await limit({ branches: null, users: null })), '200')
    assert.equal(outcome(await put({ features_override: { colour: null, staples: null } })), '200')
    const { limits_override, features_override, usage } = await inspect()
    assert.deepEqual([limits_override, features_override], [{ stores: { value: 6, until: null } }, {}])
    assert.equal(usage.users.max, 10)
    assert.equal(outcome(await limit({ stores: 1 })), '200')
    assert.deepEqual((await inspect()).usage.stores, { used: 6, max: 1, percent: 600 })
    assert.equal((await send(test, 'GET', '/stores')).body.data.length, 6)
    assert.equal(outcome(await send(test, 'POST', '/stores', { name: 'More' })), '402 plan_limit_reached')
  })

  it('are refused with pointers where no module declares the name, or what is asked cannot be, and nothing is done', async () => {
    const before = await inspect()
    const passed = inFuture(-1 * SECONDS)
    const wrong = await put(
      {
        name: 'Never',
        limits_override: {
          shops: 3,
          'a/b': null,
          stores: { value: 9, until: passed },
          requests_per_minute: 0,
          prints: 3,
        },
        features_override: { color: true, colour: { value: true, until: passed } },
      },
      operators.all,
    )
    assert.deepEqual(
      [outcome(wrong), pointers(wrong.body)],
      [
        '422 terms_invalid',
        [
          '#/features_override/color',
          '#/features_override/colour/until',
          '#/limits_override/a~1b',
          '#/limits_override/requests_per_minute',
          '#/limits_override/shops',
          '#/limits_override/stores/until',
        ],
      ],
    )
    assert.deepEqual(await inspect(), before)
    for (const body of [
      { limits_override: { stores: -1 } },
      { limits_override: { stores: '5' } },
      { limits_override: { stores: true } },
      { limits_override: { stores: 1.5 } },
      { limits_override: { stores: {} } },
      { limits_override: { stores: { value: 5, until: 'tomorrow' } } },
      { limits_override: { stores: { value: 5, more: 1 } } },
      { limits_override: { stores: { value: '5' } } },
      { limits_override: null },
      { limits_override: [] },
      { features_override: { colour: 1 } },
      { features_override: { colour: { value: null } } },
    ])
      assert.equal(outcome(await put(body)), '400 invalid_request', JSON.stringify(body))
  })

  it('are for billing, names for operations: 403 for the other part, and then nothing of it is done', async () => {
    const before = await inspect()
    const both = { name: 'Both', limits_override: { stores: 3 } }
    for (const [role, body] of [
      ['billing', { name: 'Other' }],
      ['billing', both],
      ['operations', { limits_override: { stores: 3 } }],
      ['operations', { features_override: {} }],
      ['operations', both],
      ['support', { limits_override: { stores: 3 } }],
    ] as const)
      assert.equal(
        outcome(await put(body, operators[role])),
        '403 permission_denied',
        `${role} ${JSON.stringify(body)}`,
      )
    assert.deepEqual(await inspect(), before)
    assert.equal(outcome(await put({ name: 'Fine' }, operators.operations)), '200')
    const { name, limits_override } = (await put(both, operators.all)).body
    assert.deepEqual([name, limits_override.stores.value], ['Both', 3])
  })

  it('are recorded in both logs as they were found, and not where nothing changes', async () => {
    const tenant = await test.foundTenant()
    const set = (value: number) => limit({ stores: value }, tenant)
    for (const value of [7, 7, 8]) assert.equal(outcome(await set(value)), '200')
    const given = (value: number) => ({ stores: { value, until: null } })
    const expected = [
      [{ limits_override: {} }, { limits_override: given(7) }],
      [{ limits_override: given(7) }, { limits_override: given(8) }],
    ]
    for (const [records, action] of [
      [await ownRecords(test, tenant.id), 'subscription.overrides_changed'],
      [await globalRecords(test, tenant.id), 'admin.overrides_changed'],
    ] as const) {
      assert.deepEqual(
        records.map((each) => [each.action, each.actor_type, each.actor_id]),
        [action, action].map((name) => [name, 'admin', operators.billing.userId]),
      )
      assert.deepEqual(
        records.map(({ old_values, new_values }) => [old_values, new_values]),
        expected,
      )
    }
  })

  it('of many who set them at once are all kept, and each record goes on from the one before', async () => {
    const tenant = await test.foundTenant()
    const names = ['stores', 'users', 'branches', 'prints', 'requests_per_minute']
    const token = await operators.billing.token()
    const url = `/api/v1/admin/tenants/${tenant.id}`
    const answers = await Promise.all(
      Array.from({ length: 25 }, (_, n) => {
        const body = { limits_override: { [names[n % names.length] ?? '']: 100 + n } }
        return (n % 2 ? other : test).request('PUT', url, { token, body })
      }),
    )
    assert.deepEqual(new Set(answers.map(outcome)), new Set(['200']))
    const records = (await globalRecords(test, tenant.id)).map(({ old_values, new_values }) => [
      JSON.stringify(old_values),
      JSON.stringify(new_values),
    ])
    assert.equal(records.length, 25)
    for (const [n, [old]] of records.slice(1).entries()) assert.equal(old, records[n]?.[1])
    assert.deepEqual(Object.keys((await inspect(tenant)).limits_override).sort(), names.toSorted())
  })

  it('end by themselves at the very moment that was said, in every process, also where requests are counted', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    await whileTimeStands(async () => {
      const end = inFuture(20 * SECONDS)
      const rate = { requests_per_minute: { value: 100, until: end } }
      // Both processes remember what the plan says.
      for (const core of [test, other]) assert.equal(await policy(core, tenant), '60000')
      assert.equal(outcome(await limit({ stores: { value: 2, until: end }, ...rate }, tenant)), '200')
      assert.deepEqual([await maxOf('stores', tenant), await policy(test, tenant)], [2, '1000'])
      await until('the other process has heard', async () => (await policy(other, tenant)) === '1000')
      for (const { clock } of [test, other]) clock.advance(20 * SECONDS - 1)
      assert.deepEqual([await maxOf('stores', tenant), await policy(other, tenant)], [2, '1000'])
      for (const { clock } of [test, other]) clock.advance(1)
      assert.deepEqual([await maxOf('stores', tenant), await policy(test, tenant)], [5, '60000'])
      assert.equal(await policy(other, tenant), '60000')
      const { limits_override, limits } = await inspect(tenant)
      assert.deepEqual([limits_override, limits.stores.by], [{}, 'plan'])
    })
  })

  it('count from the next request on where somebody waits for them', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    let made: Promise<{ status: number; body: { code?: string } }> | undefined
    await other.core.run(
      async ({ tx }) => {
        await tx.selectFrom('subscriptions').select('id').where('tenant_id', '=', tenant.id).forUpdate().execute()
        made = send(test, 'POST', '/stores', { name: 'Two' }, tenant)
        await until('it waits', async () => (await countWaiting(test, 'transactionid')) > 0)
        await tx
          .updateTable('subscriptions')
          .set({ limits_override: JSON.stringify({ stores: { value: 1, until: null } }) as never }) // as jsonb
          .where('tenant_id', '=', tenant.id)
          .execute()
      },
      { role: 'system', tenantId: tenant.id },
    )
    assert.equal(outcome(await made!), '402 plan_limit_reached') // begun above
  })

  it('count in a change to less', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    for (const name of ['Two', 'Three']) await send(test, 'POST', '/stores', { name }, tenant)
    const change = (path = '') =>
      send(test, 'POST', `/subscriptions/current/change-plan${path}`, { plan_id: FREE, at: 'now' }, tenant)
    await limit({ branches: { value: null } }, tenant)
    assert.deepEqual((await change('/preview')).body.exceeds, [{ limit: 'stores', used: 3, max: 1 }])
    await limit({ stores: 2 }, tenant)
    assert.deepEqual((await change()).body.exceeds, [{ limit: 'stores', used: 3, max: 2 }])
    await limit({ stores: 3 }, tenant)
    assert.deepEqual((await change('/preview')).body.exceeds, [])
    assert.equal(outcome(await change()), '200')
    assert.equal(await maxOf('stores', tenant), 3)
  })

  it('that end before a change to less takes effect do not count in it', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    await send(test, 'POST', '/stores', { name: 'Two' }, tenant)
    const preview = async () =>
      (await send(test, 'POST', '/subscriptions/current/change-plan/preview', { plan_id: FREE }, tenant)).body.exceeds
    await limit({ stores: { value: 9, until: inFuture(2 * DAYS) }, branches: { value: null } }, tenant)
    assert.deepEqual(await preview(), [{ limit: 'stores', used: 2, max: 1 }])
    await limit({ stores: { value: 9, until: inFuture(60 * DAYS) } }, tenant)
    assert.deepEqual(await preview(), [])
  })

  it('are none of a deleted tenant, nor of one that has no subscription yet', async () => {
    const [gone, bare] = [await test.foundTenant(), await test.foundTenant()]
    await test.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [gone.id])
    await test.core.db.systemQuery('delete from subscriptions where tenant_id = $1', [bare.id])
    for (const tenant of [gone, bare]) assert.equal(outcome(await limit({ stores: 3 }, tenant)), '409 conflict')
    const { limits, limits_override } = await inspect(bare)
    assert.deepEqual([limits, limits_override], [{}, {}])
  })

  it('cannot be given by what acts for the tenant, whatever it does', async () => {
    await assert.rejects(
      shop.run(({ tx }) =>
        tx
          .updateTable('subscriptions')
          .set({ limits_override: '{}' as never }) // the database is asked
          .where('tenant_id', '=', shop.id)
          .execute(),
      ),
      /permission denied/,
    )
  })
})

describe('plans in force', () => {
  it('are those of the plan to anybody who looks at plans', async () => {
    await limit({ stores: 77 })
    const { body } = await test.request('GET', `/api/v1/subscriptions/plans/${STARTER}`)
    assert.equal(body.limits.stores, 5)
    assert.equal((await send(test, 'GET', '/subscriptions/current')).body.plan.limits.stores, 5)
  })
})
