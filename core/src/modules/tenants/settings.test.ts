import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Ctx } from '#kernel'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'

const CURRENT = '/tenants/current'
let t: TestCore

before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const get = (who: TestPerson, path = '') => who.get(`${CURRENT}${path}`)
const put = (who: TestPerson, body: unknown, path = '') => who.put(`${CURRENT}${path}`, body)
const pointers = (body: { errors: { pointer: string }[] }) =>
  [...new Set(body.errors.map(({ pointer }) => pointer))].sort()

/** What was recorded of the tenant itself, oldest first. */
async function actionsOf(tenantId: string): Promise<string[]> {
  const read = (ctx: Ctx) =>
    ctx.tx
      .selectFrom('audit_logs')
      .select('action')
      .where('tenant_id', '=', tenantId)
      .where('action', 'like', 'tenant%')
      .orderBy('id')
      .execute()
  return (await t.core.run(read, { tenantId })).map(({ action }) => action)
}

describe('branding', () => {
  test('is set and cleared field by field and shows in the tenant', async () => {
    const { owner, id } = await t.foundTenant()
    await put(owner, { primary_color: '#1a73e8', email_from_name: 'Acme Team' }, '/branding')
    const { body } = await put(owner, { email_from_name: null, accent_color: '#00ff00' }, '/branding')
    const expected = { logo_url: null, primary_color: '#1a73e8', accent_color: '#00ff00', email_from_name: null }
    assert.deepEqual(body, expected)
    assert.deepEqual((await get(owner, '/branding')).body, expected)
    assert.deepEqual((await get(owner)).body.branding, expected)
    assert.deepEqual((await put(owner, { primary_color: '#1a73e8' }, '/branding')).body, expected)
    assert.deepEqual(await actionsOf(id), ['tenant.created', 'tenant.updated', 'tenant.updated'])
  })

  test('bad one is refused by name; the logo is not set here', async () => {
    const { owner } = await t.foundTenant()
    const bad = { primary_color: 'red', accent_color: '#12345', email_from_name: 'A\r\nBcc: x', logo_url: null }
    const { status, body } = await put(owner, bad, '/branding')
    assert.equal(status, 400)
    assert.deepEqual(pointers(body), ['#/accent_color', '#/email_from_name', '#/logo_url', '#/primary_color'])
  })
})

describe('settings', () => {
  test('have defaults; a PUT merges invoice, replaces extra, and is recorded when it changes something', async () => {
    const { owner, id } = await t.foundTenant()
    const { created_at, updated_at, ...found } = (await get(owner, '/settings')).body
    const invoice = { prefix: 'INV', rounding: 'line', tax_id: null, legal_name: null, address: null, footer: null }
    assert.equal(created_at, updated_at)
    const defaults = {
      id,
      tenant_id: id,
      timezone: 'UTC',
      locale: 'en',
      currency: 'USD',
      date_format: 'YYYY-MM-DD',
      invoice,
      extra: {},
    }
    // Those of other modules stand among them.
    assert.deepEqual({ ...found, ...defaults }, found)
    await put(
      owner,
      { invoice: { prefix: 'A', tax_id: 'CHE-1' }, extra: { a: 1 }, timezone: 'Europe/Zurich' },
      '/settings',
    )
    const { body } = await put(
      owner,
      { invoice: { tax_id: null, footer: 'x' }, extra: { b: [] }, locale: 'de-CH' },
      '/settings',
    )
    assert.deepEqual(
      [body.invoice, body.extra, body.timezone, body.locale],
      [{ ...invoice, prefix: 'A', footer: 'x' }, { b: [] }, 'Europe/Zurich', 'de-CH'],
    )
    assert.deepEqual(
      (await put(owner, { invoice: { prefix: 'A' }, date_format: 'YYYY-MM-DD' }, '/settings')).body,
      body,
    )
    assert.deepEqual((await get(owner, '/settings')).body, body)
    const updated = 'tenant_settings.updated'
    assert.deepEqual(await actionsOf(id), ['tenant.created', updated, updated])
  })

  test("an application's own values are recorded as changed, and not what they are", async () => {
    const { owner, id } = await t.foundTenant()
    await put(owner, { extra: { api_key: 'sk_live_Leaky', theme: 'dark' } }, '/settings')
    await put(owner, { extra: { api_key: 'sk_live_Other', theme: 'dark' } }, '/settings')
    const records = await t.core.run(
      ({ tx }) => tx.selectFrom('audit_logs').selectAll().where('tenant_id', '=', id).orderBy('id').execute(),
      { tenantId: id },
    )
    assert.ok(!JSON.stringify(records).includes('sk_live'))
    const values = records.at(-1)?.new_values as { extra: Record<string, string> } // as emitted just above
    assert.deepEqual(Object.keys(values.extra), ['api_key'])
    assert.equal((await get(owner, '/settings')).body.extra.api_key, 'sk_live_Other')
  })

  test('bad ones are refused, each by name', async () => {
    const { owner } = await t.foundTenant()
    const bad = {
      timezone: ['Mars/Olympus', '+02:00', '', null],
      locale: ['english!', '', 'x'.repeat(40)],
      currency: ['EURO', 'eur', 'QQQ'],
      date_format: ['YY-M-D'],
      'invoice/prefix': ['', 'A B', null],
      'invoice/rounding': ['never'],
      'invoice/series': ['x'],
      extra: [[], null, { text: 'x'.repeat(65_536) }],
      theme: ['dark'],
    }
    for (const [field, values] of Object.entries(bad)) {
      const [outer, inner] = field.split('/')
      for (const value of values) {
        const body = { [String(outer)]: inner ? { [inner]: value } : value }
        const answer = await put(owner, body, '/settings')
        assert.deepEqual([answer.status, ...pointers(answer.body)], [400, `#/${field}`], `${field}: ${value}`)
      }
    }
    assert.equal((await get(owner, '/settings')).body.updated_at, (await get(owner)).body.created_at)
  })

  test('two parallel PUTs of different fields both last', async () => {
    const { owner } = await t.foundTenant()
    const fields = {
      timezone: 'Asia/Tokyo',
      currency: 'JPY',
      locale: 'ja',
      date_format: 'YYYY/MM/DD',
    }
    await Promise.all(Object.entries(fields).map(([name, value]) => put(owner, { [name]: value }, '/settings')))
    const { timezone, currency, locale, date_format } = (await get(owner, '/settings')).body
    assert.deepEqual({ timezone, currency, locale, date_format }, fields)
  })

  test("are the tenant's own", async () => {
    const [a, b] = [await t.foundTenant(), await t.foundTenant()]
    await put(a.owner, { timezone: 'Asia/Tokyo' }, '/settings')
    assert.equal((await get(b.owner, '/settings')).body.timezone, 'UTC')
  })
})
