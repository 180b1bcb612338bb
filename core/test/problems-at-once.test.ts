import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { PASSWORD, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { anAddress } from './added-members.ts'

let t: TestCore
let owner: Person
before(async () => {
  t = await createTestCore({
    env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', MAIL_FROM: 'Wonder Till <no-reply@example.com>' },
  })
  owner = await register(t)
})
after(() => t.close())

const send = (method: string, path: string, body: unknown) =>
  t.request(method, `/api/v1${path}`, { token: owner.token, body })

const WEAK = 'password'
/** Long enough, and no more than what people know the product by. */
const OF_THE_PRODUCT = 'wondertill8271'
const SOME_CARD = '4111 1111 1111 1111'

/** Bodies in which something is missing or of a wrong type, and something else is wrong in a way that no schema knows. */
const CASES: [string, string, object, string[]][] = [
  ['POST', '/auth/register', { email: 'nobody@', password: WEAK }, ['email', 'name', 'password', 'tenant_name']],
  [
    'POST',
    '/auth/register',
    { email: 5, password: WEAK, name: '', tenant_slug: 'admin' },
    ['email', 'name', 'password', 'tenant_name', 'tenant_slug'],
  ],
  ['POST', '/auth/bootstrap', { email: 'x', password: WEAK }, ['bootstrap_token', 'email', 'name', 'password']],
  ['POST', '/auth/reset-password', { password: WEAK }, ['password', 'token']],
  ['POST', '/auth/reset-password', { password: OF_THE_PRODUCT }, ['password', 'token']],
  [
    'POST',
    '/auth/register',
    { email: 'ada@example.com', password: OF_THE_PRODUCT, tenant_name: 'Acme' },
    ['name', 'password'],
  ],
  ['POST', '/auth/change-password', { new_password: OF_THE_PRODUCT }, ['current_password', 'new_password']],
  ['POST', '/auth/change-password', { new_password: WEAK }, ['current_password', 'new_password']],
  ['POST', '/users', { email: 'a b@example.com', password: WEAK }, ['email', 'name', 'password']],
  ['POST', '/users/invite', { email: 'nobody', roles: [{}], name: '\u200b' }, ['email', 'name', 'roles/0/role_id']],
  [
    'POST',
    '/stores',
    { email: 'nobody', timezone: 'Mars/Olympus', code: '', status: 'open' },
    ['code', 'email', 'name', 'status', 'timezone'],
  ],
  [
    'POST',
    '/roles',
    { permissions: ['store.view', 'no.such', 5], scope: 'world' },
    ['name', 'permissions/1', 'permissions/2', 'scope'],
  ],
  [
    'POST',
    '/roles',
    { scope: 'store', permissions: ['role.create', 'store.view', 'no.such'] },
    ['name', 'permissions/0', 'permissions/2'],
  ],
  ['POST', '/tenants', { name: ' ', slug: 'www' }, ['name', 'slug']],
  ['PUT', '/users/me', { name: '', locale: 'xx-', timezone: 'Nowhere' }, ['locale', 'name', 'timezone']],
  [
    'PUT',
    '/tenants/current/settings',
    { currency: 'EUX', locale: '?', timezone: 'x/y', audit_retention_days: -5 },
    ['audit_retention_days', 'currency', 'locale', 'timezone'],
  ],
  ['PUT', '/tenants/current/branding', { primary_color: 'javascript:alert(1)', logo: 1 }, ['logo', 'primary_color']],
  ['POST', '/audit/sinks', { url: 'https://10.0.0.1/', from: 'then' }, ['from', 'url']],
  ['POST', '/authz/explain', { permission: 'no.such', store_id: 5 }, ['permission', 'store_id']],
]

describe('what is wrong with a request', () => {
  for (const [method, path, body, fields] of CASES)
    it(`is told at once by ${method} ${path}: ${fields.join(', ')}`, async () => {
      const answer = await send(method, path, body)
      assert.equal(answer.status, 400, answer.text)
      const found: { pointer: string; detail: string }[] = answer.body.errors
      assert.deepEqual(
        [...new Set(found.map(({ pointer }) => pointer))].sort(),
        fields.map((field) => `#/${field}`),
        answer.text,
      )
      for (const { detail } of found) assert.doesNotMatch(detail, /[\^\\$]|\(\?|pattern|schema|format "/)
    })

  it('includes fields of a query that do not go together, beside one that nobody knows', async () => {
    const query = 'proof=true&format=csv&action=store.*&from=then&junk=1'
    const answer = await t.request('GET', `/api/v1/audit/export?${query}`, { token: owner.token })
    assert.equal(answer.status, 400)
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
    assert.deepEqual(pointers, ['query/action', 'query/format', 'query/from', 'query/junk'])
  })

  it('includes what looks like a whole card number', async () => {
    const paths = t.core.registry.routes.filter(({ path }) => path.endsWith('/payment-method'))
    for (const { method, path } of paths) {
      const { body } = await send(method, path, { type: 'CARD', label: SOME_CARD, last4: 5 })
      const pointers = new Set(body.errors.map(({ pointer }: { pointer: string }) => pointer))
      assert.deepEqual([...pointers].sort(), ['#/label', '#/last4', '#/type'])
    }
  })

  it('includes text that cannot be stored, beside what is missing', async () => {
    for (const text of ['a\0b', '\ud800', '\udfff x']) {
      const { body } = await send('POST', '/roles', { description: text, permissions: [text] })
      const pointers = new Set(body.errors.map(({ pointer }: { pointer: string }) => pointer))
      assert.deepEqual([...pointers].sort(), ['#/description', '#/name', '#/permissions/0'])
    }
  })

  it('includes numbers that would be kept as nothing', async () => {
    for (const number of ['1e999', '-1E+400', `${'9'.repeat(310)}`]) {
      const answer = await t.request('PUT', '/api/v1/tenants/current/settings', {
        token: owner.token,
        headers: { 'content-type': 'application/json' },
        payload: `{"extra":{"a":[${number}]}}`,
      })
      assert.deepEqual([answer.status, answer.body.errors?.[0].pointer], [400, '#/extra/a/0'], number)
    }
    const { body } = await send('PUT', '/tenants/current/settings', { extra: { a: [1e308, -1e-308] } })
    assert.deepEqual(body.extra, { a: [1e308, -1e-308] })
  })

  it('includes a key that is none', async () => {
    const headers = { 'idempotency-key': 'x'.repeat(256), 'x-store-id': 'x' }
    const { body } = await t.request('POST', '/api/v1/stores', { token: owner.token, headers, body: {} })
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
    assert.deepEqual(pointers, ['#/name', 'headers/idempotency-key', 'headers/x-store-id'])
  })

  it('is the same for a password whether or not the address is known', async () => {
    const known = anAddress()
    await register(t, { email: known })
    const answers = await Promise.all(
      [known, anAddress()].map((email) => send('POST', '/users', { email, name: 'Somebody', password: WEAK })),
    )
    const [one, other] = answers.map(({ status, body }) => [status, body.errors])
    assert.equal(one?.[0], 400)
    assert.deepEqual(one, other)
  })

  it('is looked for again by the operation, which knows the person', async () => {
    const { name } = (await t.request('GET', '/api/v1/users/me', { token: owner.token })).body
    const body = { current_password: PASSWORD, new_password: `${name} ${name} ${name}` }
    const answer = await send('POST', '/auth/change-password', body)
    assert.deepEqual([answer.status, answer.body.errors?.[0].pointer], [400, '#/new_password'])
  })

  it('has a check beyond the schema wherever a body has an address, a language or a time zone', () => {
    const forms: Record<string, string> = { email: 'email', locale: 'locale', timezone: 'time_zone' }
    // Where somebody says who they are, what is no address is nobody's, and that is all that is told.
    const claims = ['/auth/login', '/auth/forgot-password']
    for (const { path, body, query } of t.core.registry.routes)
      for (const [field, schema] of Object.entries({ ...Object(body).properties, ...Object(query).properties }))
        if (forms[field] && !claims.includes(path)) assert.equal(Object(schema).form, forms[field], `${path}: ${field}`)
  })

  it('is not told at length, nor does it hold others up', async () => {
    const long = [
      { email: Array(14_000).fill('\0') },
      Object.fromEntries(Array.from({ length: 12_000 }, (_, at) => [`junk${at}`, at])),
      { ['x'.repeat(100_000)]: 1 },
      { roles: Array(40_000).fill({}) },
      { roles: Array(60_000).fill(0) },
    ]
    for (const { method, path, body } of t.core.registry.routes)
      if (body && !path.includes(':'))
        for (const each of long) {
          const answer = await send(method, path, each)
          assert.ok([400, 413].includes(answer.status), answer.text)
          assert.ok(answer.text.length < 64 * 1024, `${method} ${path}: ${answer.text.length}`)
        }
  })
})
