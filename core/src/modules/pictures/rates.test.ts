import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestCore, SOME_PICTURE, type TestCore } from '../../testing/index.ts'

let t: TestCore
before(async () => {
  t = await createTestCore({ rateLimits: true })
})
after(() => t.close())

const policies = (value: unknown) => String(value).match(/"\w+";q=\d+/g)

test('pictures are seen by the dozen, and sent by few at a time', async () => {
  const { owner } = await t.foundTenant()
  const sent = await owner.request('POST', '/users/me/avatar', { form: { file: SOME_PICTURE } })
  assert.ok(policies(sent.headers['ratelimit-policy'])?.includes('"pictures";q=20'))
  const { pathname } = new URL(sent.body.avatar_url)
  for (let seen = 0; seen < 100; seen++) {
    const { status, headers } = await t.request('GET', pathname)
    assert.deepEqual([status, policies(headers['ratelimit-policy'])], [200, ['"media";q=600']])
  }
  for (let more = 0; more < 19; more++) {
    const { status } = await owner.request('POST', '/users/me/avatar', { form: { file: SOME_PICTURE } })
    assert.equal(status, 200)
  }
  const { body } = await owner.request('POST', '/users/me/avatar', { form: { file: SOME_PICTURE } })
  assert.deepEqual([body.code, body.violated_policies], ['rate_limited', ['pictures']])
})
