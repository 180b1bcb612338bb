import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestCore } from '../../testing/index.ts'
import { changeUser } from '../users/index.ts'
import { createAuthCore, register } from './auth.fixture.ts'

const SETTINGS = '/api/v1/tenants/current/settings'
let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

test('the rules of sign-in are among the settings, and bad ones are refused by name', async () => {
  const { token } = await register(t)
  const { body } = await t.request('GET', SETTINGS, { token })
  const { require_two_factor, two_factor_grace_days, session_max_age_hours } = body
  assert.deepEqual([require_two_factor, two_factor_grace_days, session_max_age_hours], [false, 7, 720])
  const bad = { require_two_factor: 'yes', two_factor_grace_days: 91, session_max_age_hours: 1.5 }
  const refused = await t.request('PUT', SETTINGS, { token, body: bad })
  const pointers = refused.body.errors.map(({ pointer }: { pointer: string }) => pointer.slice(2))
  assert.deepEqual([refused.status, pointers.sort()], [400, Object.keys(bad).sort()])
})

test('a second factor is required of all only by someone who has one', async () => {
  const { token, tenantId, userId } = await register(t)
  const put = (body: object) => t.request('PUT', SETTINGS, { token, body })
  const enrol = (two_factor_enabled: boolean) =>
    t.core.run((ctx) => changeUser(ctx, userId, { two_factor_enabled }), { tenantId, role: 'system' })
  const { status, body } = await put({ require_two_factor: true })
  assert.deepEqual([status, body.code], [409, 'conflict'])
  await enrol(true)
  const required = await put({ require_two_factor: true, two_factor_grace_days: 0 })
  assert.deepEqual([required.body.require_two_factor, required.body.two_factor_grace_days], [true, 0])
  await enrol(false)
  assert.equal((await put({ require_two_factor: true, currency: 'CHF' })).status, 200)
})
