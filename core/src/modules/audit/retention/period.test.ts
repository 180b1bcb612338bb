import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { login, mailsTo, PASSWORD, type Person, register } from '../../auth/auth.fixture.ts'
import {
  createRetentionCore,
  dropExpiredMonths,
  keepFor,
  monthsOf,
  recordInMonths,
  removeExpiredOf,
  sealMonths,
} from './retention.fixture.ts'

const SETTINGS = '/api/v1/tenants/current/settings'
const HISTORY = [2, 3, 4]

let core: TestCore
let owner: Person
let clerk: string
before(async () => {
  core = await createRetentionCore()
  owner = await register(core)
  await recordInMonths(core, owner.tenantId, HISTORY)
  await sealMonths(core, owner.tenantId)
  clerk = await hire()
})
after(() => core.close())

/** Somebody who may see and change settings, and no more; their token. */
async function hire(): Promise<string> {
  const permissions = ['tenant_settings.view', 'tenant_settings.update']
  const { token } = owner
  const role = await core.request('POST', '/api/v1/roles', {
    token,
    body: { name: 'Clerk', scope: 'tenant', permissions },
  })
  const email = 'clerk@example.com'
  const body = { email, name: 'Carl Clerk', password: PASSWORD, roles: [{ role_id: role.body.id }] }
  const person = await core.request('POST', '/api/v1/users', { token, body })
  assert.equal(person.status, 201, person.text)
  return signIn(email)
}

const signIn = async (email: string): Promise<string> => (await login(core, email)).body.access_token
const put = (token: string, body: unknown) => core.request('PUT', SETTINGS, { token, body })
const keep = (token: string, audit_retention_days: number) => put(token, { audit_retention_days })
const read = async (token: string) => {
  const { body } = await core.request('GET', SETTINGS, { token })
  return [body.audit_retention_days, body.audit_retention_pending]
}
/** What retention does. */
async function night(test: TestCore, tenantId = owner.tenantId): Promise<void> {
  await removeExpiredOf(test, tenantId)
  await dropExpiredMonths(test)
}
const left = async () => (await monthsOf(core, owner.tenantId)).map(([ago]) => ago)
const warnings = async () => (await mailsTo(core, owner.email)).filter(({ subject }) => subject.includes('audit log'))

describe('how long the audit log is kept', () => {
  test('is not shortened by a clerk who may change the other settings, and nothing is destroyed', async () => {
    const refused = await keep(clerk, 1)
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.permission],
      [403, 'permission_denied', 'audit.retention'],
    )
    assert.equal((await put(clerk, { currency: 'CHF', audit_retention_days: 364 })).status, 403)
    assert.deepEqual(await read(clerk), [365, null])
    assert.equal((await put(clerk, { currency: 'CHF' })).body.currency, 'CHF')
    await night(core)
    assert.deepEqual(await left(), HISTORY)
    assert.deepEqual(await warnings(), [])
  })

  test('is not shortened below what the operator asks for', async () => {
    const refused = await keep(owner.token, 29)
    assert.equal(refused.status, 400)
    assert.deepEqual(refused.body.errors, [
      {
        pointer: '#/audit_retention_days',
        detail: 'must be at least 30, as whoever runs this installation has set it',
      },
    ])
    assert.deepEqual(await read(owner.token), [365, null])
  })

  test('is lengthened at once, by whoever may change settings', async () => {
    assert.equal((await keep(clerk, 400)).body.audit_retention_days, 400)
    assert.deepEqual(await warnings(), [])
  })

  test('is shortened by an owner after 30 days, of which the owners are told, and anybody may take it back', async () => {
    core.clock.stop()
    const days = 30 * DAYS
    const takes_effect_at = new Date(core.clock.ms() + days).toISOString()
    const { status, body } = await keep(owner.token, 60)
    core.clock.start()
    assert.deepEqual(
      [status, body.audit_retention_days, body.audit_retention_pending],
      [200, 400, { days: 60, takes_effect_at }],
    )
    await keep(owner.token, 60)
    assert.deepEqual(await read(clerk), [400, { days: 60, takes_effect_at }], 'asking again does not begin anew')
    const [mail, ...more] = await warnings()
    assert.match(mail?.text ?? '', /Ada Byron shortened .* to 60 days/)
    assert.deepEqual(more, [])
    await night(core)
    assert.deepEqual(await left(), HISTORY)

    assert.deepEqual((await keep(clerk, 400)).body.audit_retention_pending, null)
    await keep(owner.token, 60)
    assert.equal((await warnings()).length, 2)
    assert.deepEqual((await keep(clerk, 500)).body.audit_retention_pending, null, 'lengthening takes it back too')
    assert.deepEqual(await read(clerk), [500, null])
  })

  test('is shorter when the 30 days are over: what is older goes then, not before', async () => {
    await keep(owner.token, 60)
    core.clock.advance(29 * DAYS)
    await sealMonths(core, owner.tenantId)
    await night(core)
    assert.equal((await left()).length, HISTORY.length)
    core.clock.advance(1 * DAYS)
    const token = await signIn(owner.email)
    assert.deepEqual(await read(token), [60, null])
    await night(core)
    assert.deepEqual(await left(), [])
    const refused = await keep(await signIn('clerk@example.com'), 59)
    assert.equal(refused.status, 403)
  })

  test('is never less than the operator asks for, whatever was set before', async () => {
    const strict = await createRetentionCore({ database: core.database, env: { AUDIT_RETENTION_MIN_DAYS: '120' } })
    strict.clock.advance(core.clock.ms() - strict.clock.ms())
    try {
      const { token, tenantId } = await register(strict)
      await keepFor(strict, tenantId, 60)
      const settings = await strict.request('GET', SETTINGS, { token })
      assert.equal(settings.body.audit_retention_days, 120)
      await recordInMonths(strict, tenantId, [3])
      await sealMonths(strict, tenantId)
      await night(strict, tenantId)
      const kept = (await monthsOf(strict, tenantId)).map(([ago]) => ago)
      assert.deepEqual(kept, [3])
    } finally {
      await strict.close()
    }
  })
})
