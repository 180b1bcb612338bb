import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { readList } from '../../../kernel/rates/structured-list.fixture.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { asKey, makeKey } from '../api-keys.fixture.ts'
import { usageCounts } from './counts.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore({ rateLimits: true })
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

describe('the requests of a key', () => {
  test('are limited by its own figure, and those that are refused are counted apart', async () => {
    const { id, key } = await makeKey(tenant.owner, { rate_limit_per_minute: 2 })
    const answers = []
    for (let sent = 0; sent < 4; sent++) answers.push(await asKey(t, key, 'GET', '/stores'))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429, 429],
    )
    assert.deepEqual(answers[3]?.body.violated_policies, ['key'])
    await t.core.use(usageCounts).flush()
    const { body } = await tenant.owner.get(`/api-keys/${id}/usage`)
    assert.deepEqual(
      body.data.map(({ requests, errors, limited }: Record<string, number>) => [requests, errors, limited]),
      [[4, 0, 2]],
    )
  })

  test('are 600 without one, beside those of its tenant', async () => {
    const { key } = await makeKey(tenant.owner)
    const { headers } = await asKey(t, key, 'GET', '/stores')
    assert.deepEqual(readList(headers['ratelimit-policy']), [
      { name: 'key', q: 600, w: 60 },
      { name: 'tenant', q: 60_000, w: 60 },
    ])
  })

  test('with a key that is none are bounded by the address, and do not harm those with one', async () => {
    const { key } = await makeKey(tenant.owner)
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`
    const statuses = new Set<number>()
    for (let sent = 0; sent < 61; sent++) statuses.add((await asKey(t, wrong, 'GET', '/stores')).status)
    assert.deepEqual([...statuses], [401, 429])
    assert.equal((await asKey(t, key, 'GET', '/stores')).status, 200)
  })
})
