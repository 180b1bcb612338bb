import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { makeKey } from './api-keys.fixture.ts'

describe('twenty at once, from two processes', () => {
  let t: TestCore
  let second: TestCore
  before(async () => {
    t = await createTestCore()
    second = await createTestCore({ database: t.database })
  })
  after(async () => {
    await second.close()
    await t.close()
  })
  const twenty = async (send: (core: TestCore) => Promise<{ status: number }>) => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send(index % 2 ? t : second)))
    return Object.groupBy(answers, ({ status }) => String(status))
  }

  test('rotate a key once', async () => {
    const { owner } = await t.foundTenant()
    const { id } = await makeKey(owner)
    const token = await owner.token()
    const { 201: done, 409: late } = await twenty((core) =>
      core.request('POST', `/api/v1/api-keys/${id}/rotate`, { token, body: {} }),
    )
    assert.deepEqual([done?.length, late?.length], [1, 19])
  })

  test('make as many keys as the plan allows, whatever is rotated meanwhile', async () => {
    const { owner, id } = await t.foundTenant({ plan: 'starter' })
    const first = await makeKey(owner)
    const token = await owner.token()
    const body = { name: `Raced ${newId()}`, scopes: ['store.view'] }
    const [answers, rotated] = await Promise.all([
      twenty((core) => core.request('POST', '/api/v1/api-keys', { token, body })),
      owner.post(`/api-keys/${first.id}/rotate`, {}),
    ])
    assert.equal(rotated.status, 201)
    assert.deepEqual([answers['201']?.length, answers['402']?.length], [9, 11])
    const [row] = await t.core.db.systemQuery<{ n: number }>(
      'select count(*)::int as n from api_keys where tenant_id = $1 and counted_until is null',
      [id],
    )
    assert.equal(row?.n, 10)
  })
})
