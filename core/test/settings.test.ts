import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openapiDocument } from '../src/kernel/http/openapi.ts'
import { PASSWORD, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import {
  doorsOpenMinutes,
  heard,
  newsletter,
  refundDays,
  seat,
  signs,
  theatreModules,
  tillFloat,
} from './theatre-module.ts'

const TENANT = '/api/v1/tenants/current/settings'
const MINE = '/api/v1/users/me/settings'
let t: TestCore
let owner: Person
before(async () => {
  t = await createTestCore({ modules: theatreModules })
  owner = await register(t)
})
after(() => t.close())

const get = (path: string, token = owner.token) => t.request('GET', path, { token })
const put = (path: string, body: unknown, token = owner.token) => t.request('PUT', path, { token, body })
const newStore = async (name: string): Promise<string> => {
  const { body } = await t.request('POST', '/api/v1/stores', { token: owner.token, body: { name } })
  return body.id
}

/** Somebody with a role of these permissions, in the whole tenant or in one store. */
async function hire(email: string, permissions: string[], storeId: string | null = null): Promise<string> {
  const scope = storeId === null ? 'tenant' : 'store'
  const role = await t.request('POST', '/api/v1/roles', {
    token: owner.token,
    body: { name: email, scope, permissions },
  })
  const roles = [{ role_id: role.body.id, ...(storeId && { store_id: storeId }) }]
  const body = { email, name: 'Carl', password: PASSWORD, roles }
  const { status, text } = await t.request('POST', '/api/v1/users', { token: owner.token, body })
  assert.equal(status, 201, text)
  return (await t.request('POST', '/api/v1/auth/login', { body: { email, password: PASSWORD } })).body.access_token
}

const lastRecord = async (action: string) => {
  const { body } = await get(`/api/v1/audit?action=${action}&limit=1`)
  return body.data[0]
}

describe('the settings of all modules', () => {
  it('stand together on the wire, with their defaults', async () => {
    const { created_at, updated_at, ...rest } = (await get(TENANT)).body
    assert.equal(typeof created_at, 'string')
    assert.equal(typeof updated_at, 'string')
    assert.deepEqual(rest, {
      id: owner.tenantId,
      tenant_id: owner.tenantId,
      timezone: 'UTC',
      locale: 'en',
      currency: 'USD',
      date_format: 'YYYY-MM-DD',
      require_two_factor: false,
      two_factor_grace_days: 7,
      session_max_age_hours: 720,
      support_access: 'always',
      support_access_until: null,
      audit_retention_days: 365,
      audit_retention_pending: null,
      mail_reply_to: null,
      invoice: { prefix: 'INV', rounding: 'line', tax_id: null, legal_name: null, address: null, footer: null },
      extra: {},
      doors_open_minutes: 30,
      refund_days: 14,
      signs: { before: 'Please be quiet', after: null },
    })
  })

  it('are in the API document, each with its schema', () => {
    const { components } = openapiDocument(t.core) as unknown as { components: { schemas: Record<string, Properties> } } // JSON Schemas of objects
    const { TenantSettings, TenantSettingsPatch, StoreSettings, UserSettings } = components.schemas
    const { description, maximum } = TenantSettings?.properties.doors_open_minutes ?? {}
    assert.deepEqual([description, maximum], ['How long before the play the doors open.', 240])
    assert.ok(TenantSettingsPatch?.properties.refund_days)
    assert.equal(TenantSettingsPatch.properties.audit_retention_pending, undefined, 'nobody can set it')
    assert.ok(StoreSettings?.properties.till_float_cents)
    assert.ok(UserSettings?.properties.newsletter)
  })

  it('are refused together, each by its pointer', async () => {
    const bad = { doors_open_minutes: 500, signs: { before: 5, during: '' }, audit_retention_days: 0, usher: 'x' }
    const { status, body } = await put(TENANT, bad)
    assert.equal(status, 400)
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
    assert.deepEqual(pointers, [
      '#/audit_retention_days',
      '#/doors_open_minutes',
      '#/signs/before',
      '#/signs/during',
      '#/usher',
    ])
    assert.equal((await put(TENANT, { audit_retention_pending: null })).status, 400)
  })
})

interface Properties {
  properties: Record<string, { description?: string; maximum?: number }>
}

describe("an application's setting", () => {
  it('is kept, recorded by name, told to whoever follows it, and read by its handle', async () => {
    heard.minutes = []
    const { body } = await put(TENANT, { doors_open_minutes: 45, signs: { after: 'Mind the step' }, currency: 'CHF' })
    assert.deepEqual([body.doors_open_minutes, body.signs.before, body.currency], [45, 'Please be quiet', 'CHF'])
    const record = await lastRecord('tenant_settings.updated')
    assert.deepEqual(record.old_values, {
      doors_open_minutes: 30,
      signs: { before: 'Please be quiet', after: null },
      currency: 'USD',
    })
    assert.deepEqual(record.new_values.doors_open_minutes, 45)
    await put(TENANT, { currency: 'EUR' })
    await drainJobs(t.core, owner.tenantId)
    assert.deepEqual(heard.minutes, [45], 'only the change of what is followed')
    const read = await t.core.run((ctx) => ctx.setting(doorsOpenMinutes), { tenantId: owner.tenantId })
    assert.equal(read, 45)
    const shown = await t.core.run((ctx) => ctx.setting(signs), { tenantId: owner.tenantId })
    assert.deepEqual(shown, { before: 'Please be quiet', after: 'Mind the step' })
    await put(TENANT, { doors_open_minutes: 30, signs: { after: null } })
  })

  it('asks for its own permission when it becomes another, and only then', async () => {
    const clerk = await hire('clerk@example.com', ['tenant_settings.view', 'tenant_settings.update'])
    assert.equal((await put(TENANT, { refund_days: 14, doors_open_minutes: 20 }, clerk)).status, 200)
    const { status, body } = await put(TENANT, { doors_open_minutes: 25, refund_days: 90 }, clerk)
    assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', 'theatre.refund'])
    const { refund_days, doors_open_minutes } = (await get(TENANT)).body
    assert.deepEqual([refund_days, doors_open_minutes], [14, 20], 'nothing of a refused PUT is kept')
    assert.equal((await put(TENANT, { refund_days: 90 })).body.refund_days, 90)
    assert.equal(await t.core.run((ctx) => ctx.setting(refundDays), { tenantId: owner.tenantId }), 90)
  })

  it('of a store is kept in it, and its permission counts there alone', async () => {
    heard.floats = []
    const [north, south] = [await newStore('North'), await newStore('South')]
    const path = (id: string) => `/api/v1/stores/${id}/settings`
    const till = ['store_settings.view', 'store_settings.update']
    const cashier = await hire('cashier@example.com', [...till, 'theatre.till'], north)
    assert.equal((await put(path(north), { till_float_cents: 5000, receipt_header: 'Hi' }, cashier)).status, 200)
    assert.equal((await put(path(south), { till_float_cents: 1 }, cashier)).status, 404)
    const porter = await hire('porter@example.com', till, north)
    assert.equal((await put(path(north), { timezone: 'Europe/Zurich' }, porter)).status, 200)
    const refused = await put(path(north), { till_float_cents: 0 }, porter)
    assert.deepEqual([refused.status, refused.body.permission], [403, 'theatre.till'])
    assert.equal((await get(path(south))).body.till_float_cents, null)
    const { till_float_cents, timezone } = (await get(path(north))).body
    assert.deepEqual([till_float_cents, timezone], [5000, 'Europe/Zurich'])
    const scope = { tenantId: owner.tenantId }
    assert.equal(await t.core.run((ctx) => ctx.setting(tillFloat, north), scope), 5000)
    await assert.rejects(
      t.core.run((ctx) => ctx.setting(tillFloat), scope),
      /Say of which store till_float_cents/,
    )
    await assert.rejects(
      t.core.run((ctx) => ctx.setting(tillFloat, owner.tenantId), scope),
      /not_found/,
    )
    await drainJobs(t.core, owner.tenantId)
    assert.deepEqual(heard.floats, [5000])
  })

  it('of a person is theirs in every tenant, and nobody else’s', async () => {
    const { user_id, updated_at, ...defaults } = (await get(MINE)).body
    assert.deepEqual([user_id, updated_at, defaults], [owner.userId, null, { newsletter: true, favourite_seat: null }])
    const changes = [{ newsletter: false }, { favourite_seat: 'B12' }]
    for (const answer of await Promise.all(changes.map((body) => put(MINE, body)))) assert.equal(answer.status, 200)
    const { body } = await get(MINE)
    assert.deepEqual([body.newsletter, body.favourite_seat], [false, 'B12'], 'of two at once, both last')
    assert.equal((await put(MINE, { newsletter: false })).body.updated_at, body.updated_at)
    const actions = (await get('/api/v1/audit?action=user_settings.updated')).body.data
    assert.equal(actions.length, 2)
    assert.equal(actions[0].resource_id, owner.userId)
    const other = await register(t)
    assert.equal((await get(MINE, other.token)).body.newsletter, true)
    const read = await t.core.run((ctx) =>
      Promise.all([ctx.setting(newsletter, owner.userId), ctx.setting(seat, other.userId)]),
    )
    assert.deepEqual(read, [false, null])
    assert.equal((await put(MINE, { favourite_seat: 'x'.repeat(11) })).status, 400)
  })

  it('of a person is read in the tenants that they belong to, and in no other', async () => {
    const other = await register(t)
    await put(MINE, { newsletter: false }, other.token)
    const readIn = (tenantId: string, userId: string) =>
      t.core.run((ctx) => ctx.setting(newsletter, userId), { tenantId })
    assert.equal(await readIn(other.tenantId, other.userId), false)
    await assert.rejects(readIn(owner.tenantId, other.userId), /not_found/)
    await assert.rejects(readIn(owner.tenantId, owner.tenantId), /not_found/, 'nobody')
    await hire('quiet@example.com', ['user.view'])
    const { data } = (await get('/api/v1/users?limit=100')).body
    const quiet = data.find(({ email }: { email: string }) => email === 'quiet@example.com')
    assert.equal(await readIn(owner.tenantId, quiet.user_id ?? quiet.id), true, 'a member who has set nothing')
  })

  it('is read in one query of the transaction that is open', async () => {
    const store = await newStore('West')
    const seen: string[] = []
    const stop = t.core.db.observe((sql) => seen.push(sql))
    await t.core.run((ctx) => ctx.setting(doorsOpenMinutes), { tenantId: owner.tenantId })
    await t.core.run((ctx) => ctx.setting(tillFloat, store), { tenantId: owner.tenantId })
    await t.core.run((ctx) => ctx.setting(newsletter, owner.userId), { tenantId: owner.tenantId })
    stop()
    assert.deepEqual(
      seen.map((sql) => /from "(\w+)"/.exec(sql)?.[1]),
      ['tenants', 'stores', 'user_tenants'],
    )
  })
})

describe('without settings of persons', () => {
  it('there is no such route, no such event, and nothing in the document', async (t) => {
    const plain = await createTestCore()
    t.after(() => plain.close())
    const { token } = await register(plain)
    assert.equal((await plain.request('GET', MINE, { token })).status, 404)
    assert.doesNotMatch(JSON.stringify(openapiDocument(plain.core)), /UserSettings|me\/settings/)
    assert.ok(!plain.core.registry.events.has('user_settings.updated'))
  })
})
