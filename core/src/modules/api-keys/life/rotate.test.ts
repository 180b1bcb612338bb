import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, fromNow, HOURS } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { asKey, makeKey, outcome, recordsOf } from '../api-keys.fixture.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const rotate = (id: string, body: object = {}, who = tenant.owner) => who.post(`/api-keys/${id}/rotate`, body)

describe('rotating a key', () => {
  test('gives a new one of the same settings, and the old one goes on for a day', async () => {
    const settings = {
      rate_limit_per_minute: 9,
      allowed_cidrs: ['127.0.0.0/8'],
      expires_at: fromNow(t.clock, 90 * DAYS),
    }
    const { id, key, body: old } = await makeKey(tenant.owner, settings)
    const { status, body } = await rotate(id)
    assert.equal(status, 201)
    has(body, { ...settings, name: 'Till', scopes: ['store.view'], replaces_id: id, created_by: tenant.owner.userId })
    assert.notEqual(body.id, id)
    assert.notEqual(body.key, key)
    const { body: before } = await tenant.owner.get(`/api-keys/${id}`)
    assert.ok(Date.parse(before.expires_at) <= t.clock.ms() + DAYS && before.expires_at < old.expires_at)
    assert.deepEqual([await outcome(t, key), await outcome(t, body.key)], ['200', '200'])
    t.clock.advance(DAYS)
    assert.deepEqual([await outcome(t, key), await outcome(t, body.key)], ['401 invalid_api_key', '200'])
    const actions = (await recordsOf(tenant, id)).map(({ action }) => action)
    assert.deepEqual(actions, ['api_key.created', 'api_key.rotated'])
  })

  test('overlaps as long as asked for, from not at all to a week, and never beyond its own end', async () => {
    const { id, key } = await makeKey(tenant.owner)
    for (const overlap_hours of [-1, 169, 1.5]) assert.equal((await rotate(id, { overlap_hours })).status, 400)
    await rotate(id, { overlap_hours: 0 })
    assert.equal(await outcome(t, key), '401 invalid_api_key')
    const soon = fromNow(t.clock, HOURS)
    const short = await makeKey(tenant.owner, { expires_at: soon })
    await rotate(short.id, { overlap_hours: 168 })
    assert.equal((await tenant.owner.get(`/api-keys/${short.id}`)).body.expires_at, soon)
  })

  test('is refused for one that has ended, or was replaced', async () => {
    const [revoked, expired, replaced] = [
      await makeKey(tenant.owner),
      await makeKey(tenant.owner, { expires_at: fromNow(t.clock, HOURS) }),
      await makeKey(tenant.owner),
    ]
    await tenant.owner.delete(`/api-keys/${revoked.id}`)
    await rotate(replaced.id)
    t.clock.advance(2 * HOURS)
    for (const { id } of [revoked, expired, replaced]) {
      const { status, body } = await rotate(id)
      assert.deepEqual([status, body.code], [409, 'conflict'])
      // By the rule itself, and not only by the index behind it.
      assert.equal(body.detail.includes('replaced already'), id === replaced.id)
      assert.equal((await tenant.owner.put(`/api-keys/${replaced.id}`, { name: 'X' })).status, 409)
    }
    assert.equal((await tenant.owner.delete(`/api-keys/${replaced.id}`)).status, 204, 'but it may be revoked at once')
    assert.equal(await outcome(t, replaced.key), '401 invalid_api_key')
  })

  test('shows the secret to nobody who holds less, and not to the key itself', async () => {
    const { id, key } = await makeKey(tenant.owner, { scopes: ['store.view', 'store.update', 'api_key.view'] })
    const little = await tenant.member({ permissions: ['api_key.update', 'store.view'] })
    const { status, body } = await rotate(id, {}, little)
    assert.deepEqual([status, body.code], [403, 'permission_denied'])
    const itself = await asKey(t, key, 'POST', `/api-keys/${id}/rotate`, { body: {} })
    assert.deepEqual([itself.status, itself.body.code], [403, 'scope_denied'])
  })

  test('takes no further place in a plan that is full', async () => {
    const { owner } = await t.foundTenant({ plan: 'free' })
    const { id } = await makeKey(owner)
    await makeKey(owner)
    const once = await rotate(id, {}, owner)
    assert.equal(once.status, 201)
    assert.equal((await owner.post('/api-keys', { name: 'X', scopes: ['store.view'] })).status, 402)
    const usage = await owner.get('/subscriptions/current/usage')
    has(usage.body, { api_keys: { used: 2, max: 2 } })
  })

  test('keeps a place of the plan for what goes on, however often and in whichever order it is ended', async () => {
    const { owner } = await t.foundTenant({ plan: 'free' })
    await makeKey(owner)
    const used = async () => (await owner.get('/subscriptions/current/usage')).body.api_keys.used
    const { id, key } = await makeKey(owner)
    const { body: next } = await rotate(id, { overlap_hours: 168 }, owner)
    for (const overlap_hours of [168, 0]) {
      const { status, body } = await rotate(next.id, { overlap_hours }, owner)
      assert.deepEqual([status, body.code], [409, 'conflict'], 'two of them go on already')
    }
    await owner.put(`/api-keys/${next.id}`, { expires_at: fromNow(t.clock, HOURS) })
    t.clock.advance(2 * HOURS)
    assert.deepEqual([await outcome(t, key), await used()], ['200', 2], 'the new one has expired')
    await owner.put(`/api-keys/${next.id}`, { expires_at: fromNow(t.clock, 30 * DAYS) })
    await owner.delete(`/api-keys/${next.id}`)
    assert.deepEqual([await outcome(t, key), await used()], ['200', 2], 'the new one was revoked')
    await owner.delete(`/api-keys/${id}`)
    assert.equal(await used(), 1, 'both were')
  })

  test('works again once the key of before has ended, or was revoked', async () => {
    const { owner } = await t.foundTenant({ plan: 'free' })
    const { id } = await makeKey(owner)
    const { body: second } = await rotate(id, {}, owner)
    await owner.delete(`/api-keys/${id}`)
    const { status, body: third } = await rotate(second.id, { overlap_hours: 1 }, owner)
    assert.equal(status, 201)
    t.clock.advance(HOURS)
    assert.equal((await rotate(third.id, {}, owner)).status, 201)
    has((await owner.get('/subscriptions/current/usage')).body, { api_keys: { used: 1 } })
  })

  test('ends in time though it was asked of a clock that was ahead', async () => {
    const { id, key } = await makeKey(tenant.owner)
    t.clock.advance(365 * DAYS)
    assert.equal((await rotate(id)).status, 201)
    t.clock.advance(-365 * DAYS)
    const { correctFutureTimes } = await import('../../../kernel/jobs/future-times.ts')
    await correctFutureTimes(t.core)
    await t.core.run((ctx) => ctx.forget({ apiKeyId: id }), { tenantId: tenant.id })
    assert.equal(await outcome(t, key), '401 invalid_api_key')
  })
})
