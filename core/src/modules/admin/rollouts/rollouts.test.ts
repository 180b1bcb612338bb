import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { SECONDS } from '#kernel'
import type { TestTenant } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { isAmong } from '../../subscriptions/terms/terms.ts'
import { globalRecords } from '../admin.fixture.ts'
import { type Desk, openDesk, outcome, pointers } from './desk.fixture.ts'

let desk: Desk
let test: Desk['test']
let other: Desk['other']
let operators: Desk['operators']
let send: Desk['send']
let limit: Desk['limit']
let inspect: Desk['inspect']
let roll: Desk['roll']
let unroll: Desk['unroll']
let inFuture: Desk['inFuture']
let maxOf: Desk['maxOf']
let policy: Desk['policy']
let whileTimeStands: Desk['whileTimeStands']
before(async () => {
  desk = await openDesk()
  ;({ test, other, operators, send, limit, inspect, roll, unroll, inFuture, maxOf, policy, whileTimeStands } = desk)
})
after(() => desk?.close())

describe('rollouts', () => {
  it('are seen by every operator, set by billing, and recorded', async () => {
    for (const role of ['support', 'operations'] as const) {
      assert.equal(outcome(await operators[role].get('/admin/rollouts')), '200')
      assert.equal(outcome(await operators[role].put('/admin/rollouts/prints', {})), '403 permission_denied')
      assert.equal(outcome(await operators[role].request('DELETE', '/admin/rollouts/prints')), '403 permission_denied')
    }
    assert.equal(outcome(await operators.support.get('/admin/rollouts/prints')), '404 not_found')
    assert.equal(outcome(await roll('prints', { value: 33, share: 10 })), '200')
    const { body } = await roll('prints', { share: 20 })
    assert.deepEqual([body.name, body.kind, body.value, body.share, body.until], ['prints', 'limit', 33, 20, null])
    assert.deepEqual((await operators.support.get('/admin/rollouts')).body.data, [body])
    assert.equal(outcome(await roll('prints', { share: 20 })), '200')
    assert.equal(outcome(await unroll('prints')), '204')
    assert.equal(outcome(await unroll('prints')), '404 not_found')
    const records = await globalRecords(test, 'prints')
    assert.deepEqual(
      records.map(({ action, old_values }) => [action, old_values?.share ?? null]),
      [
        ['admin.rollout_changed', null],
        ['admin.rollout_changed', 10],
        ['admin.rollout_removed', 20],
      ],
    )
  })

  it('are of names that a module declares, with a value of its kind', async () => {
    assert.equal(outcome(await roll('shops', { value: 1, share: 5 })), '404 not_found')
    const cases: [string, object, string[]][] = [
      ['stores', {}, ['#/share', '#/value']],
      ['stores', { value: true, share: 5 }, ['#/value']],
      ['colour', { value: 5, share: 5 }, ['#/value']],
      ['colour', { value: null, share: 5 }, ['#/value']],
      ['requests_per_minute', { value: 0, share: 5 }, ['#/value']],
      ['stores', { value: 5, share: 5, until: inFuture(-1) }, ['#/until']],
    ]
    for (const [name, body, at] of cases) {
      const answer = await roll(name, body)
      assert.deepEqual([outcome(answer), pointers(answer.body)], ['422 terms_invalid', at], JSON.stringify(body))
    }
    for (const body of [{ share: 101 }, { share: -1 }, { share: 0.5 }, { value: 'x' }, { until: 'x' }, { name: 'x' }])
      assert.equal(outcome(await roll('stores', body)), '400 invalid_request', JSON.stringify(body))
  })

  it('give a share of tenants what they say, before their plans and behind their own overrides', async () => {
    const tenants = await Promise.all(Array.from({ length: 8 }, () => test.foundTenant({ plan: 'starter' })))
    for (const share of [0, 50, 90, 100]) {
      assert.equal(outcome(await roll('stores', { value: 3, share })), '200')
      assert.equal(outcome(await roll('colour', { value: true, share })), '200')
      for (const tenant of tenants) {
        const [stores, colours] = [isAmong('stores', tenant.id, share), isAmong('colour', tenant.id, share)]
        assert.equal(await maxOf('stores', tenant), stores ? 3 : 5)
        const answer = await send(test, 'GET', '/colours', undefined, tenant)
        assert.equal(outcome(answer), colours ? '200' : '402 feature_not_in_plan')
      }
    }
    const [tenant] = tenants as [TestTenant] // there are some
    assert.deepEqual((await inspect(tenant)).limits.stores, { max: 3, by: 'rollout', until: null })
    await limit({ stores: 4 }, tenant)
    assert.deepEqual((await inspect(tenant)).limits.stores, { max: 4, by: 'override', until: null })
    await unroll('stores')
    await unroll('colour')
    await limit({ stores: null }, tenant)
    assert.equal(await maxOf('stores', tenant), 5)
  })

  it('end at the very moment that was said, and reach every process, also where requests are counted', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    assert.equal(await policy(other, tenant), '60000')
    await whileTimeStands(async () => {
      const end = inFuture(20 * SECONDS)
      assert.equal(outcome(await roll('requests_per_minute', { value: 50, share: 100, until: end })), '200')
      assert.equal(await policy(test, tenant), '500')
      await until('the other process has heard', async () => (await policy(other, tenant)) === '500')
      for (const { clock } of [test, other]) clock.advance(20 * SECONDS)
      assert.deepEqual([await policy(test, tenant), await policy(other, tenant)], ['60000', '60000'])
    })
    assert.equal(outcome(await roll('requests_per_minute', { until: null, value: 60 })), '200')
    assert.equal(await policy(test, tenant), '600')
    assert.equal(outcome(await unroll('requests_per_minute')), '204')
    assert.equal(await policy(test, tenant), '60000')
    await until('the other process has heard', async () => (await policy(other, tenant)) === '60000')
  })

  it('of one name is set by many at once as one of them said', async () => {
    const shares = Array.from({ length: 20 }, (_, n) => n + 1)
    const answers = await Promise.all(shares.map((share) => roll('users', { value: 50, share })))
    assert.deepEqual(new Set(answers.map(outcome)), new Set(['200']))
    const { body } = await operators.support.get('/admin/rollouts/users')
    const records = await globalRecords(test, 'users')
    assert.deepEqual([records.length, records.at(-1)?.new_values.share], [20, body.share])
    for (const [n, { old_values }] of records.slice(1).entries())
      assert.equal(old_values?.share, records[n]?.new_values.share)
    await unroll('users')
  })

  it('cost a writing request no statement', async () => {
    const tenant = await test.foundTenant({ plan: 'starter' })
    const count = async (name: string) => {
      const sent: string[] = []
      const stop = test.core.db.observe((sql) => sent.push(sql))
      assert.equal(outcome(await send(test, 'POST', '/stores', { name }, tenant)), '201')
      stop()
      return sent.filter((sql) => /subscriptions|plans|rollouts/.test(sql)).length
    }
    await send(test, 'GET', '/stores', undefined, tenant)
    const plain = await count('Two')
    await limit({ stores: 40 }, tenant)
    await roll('users', { value: 90, share: 100 })
    await send(test, 'GET', '/stores', undefined, tenant)
    assert.deepEqual([await count('Three'), plain], [plain, 2])
    await unroll('users')
  })
})
