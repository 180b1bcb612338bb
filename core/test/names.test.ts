import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import { PASSWORD, type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { anAddress } from './added-members.ts'

let t: TestCore
let owner: Person
before(async () => {
  // Without plans, so that there is no end of stores.
  const modules = builtinModules.filter(({ name }) => name !== 'subscriptions' && name !== 'admin')
  t = await createTestCore({ modules, env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' } })
  owner = await register(t)
})
after(() => t.close())

const send = (method: string, path: string, body?: unknown) =>
  t.request(method, `/api/v1${path}`, { token: owner.token, body })

/** What nobody sees, by itself and between letters. */
const INVISIBLE = [
  '\u200b',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u2800',
  '\u3164',
  '\uffa0',
  '\u115f',
  '\u034f',
  '\u202e',
  '\u2066',
  '\u061c',
  '\u180e',
  '\ufe0f',
  '\u{e0041}',
  '\u{e000}',
]

/** Where a name can be given, and where it then stands in the answer. */
const NAMES: [string, string, (name: string) => object, (body: never) => string][] = [
  ['PUT', '/users/me', (name) => ({ name }), ({ name }: { name: string }) => name],
  ['PUT', '/tenants/current', (name) => ({ name }), ({ name }: { name: string }) => name],
  ['POST', '/tenants', (name) => ({ name }), ({ name }: { name: string }) => name],
  ['POST', '/stores', (name) => ({ name }), ({ name }: { name: string }) => name],
  ['POST', '/roles', (name) => ({ name }), ({ name }: { name: string }) => name],
  ['POST', '/users', (name) => ({ email: anAddress(), name }), ({ name }: { name: string }) => name],
  ['POST', '/users/invite', (name) => ({ email: anAddress(), name }), ({ name }: { name: string }) => name],
  [
    'PUT',
    '/tenants/current/branding',
    (email_from_name) => ({ email_from_name }),
    ({ email_from_name }: { email_from_name: string }) => email_from_name,
  ],
]

describe('a name', () => {
  it('has the one rule wherever a body holds one', () => {
    const isName = /(^|_)(name|title|label)$/
    for (const { method, path, body } of builtinModules.flatMap(({ routes }) => routes))
      for (const [field, schema] of Object.entries(Object(body).properties ?? {}))
        if (isName.test(field)) assert.equal(Object(schema).form, 'line', `${method} ${path}: ${field}`)
  })

  for (const [method, path, body, read] of NAMES) {
    it(`that shows nothing is refused by ${method} ${path}`, async () => {
      for (const name of ['', ' ', '\u00a0', '\u2028', '\u3000', '\u0301', ...INVISIBLE, INVISIBLE.join('')]) {
        const answer = await send(method, path, body(name))
        assert.equal(answer.status, 400, `${JSON.stringify(name)}: ${answer.text}`)
      }
    })

    it(`is kept by ${method} ${path} as it looks: composed, without what nobody sees, with single blanks`, async () => {
      const word = newId().slice(-12)
      const answer = await send(
        method,
        path,
        body(` \u00a0${word}\u200b  Ze\u0301ro\u00ad\u3000${INVISIBLE.join('')}x `),
      )
      assert.ok(answer.status < 300, answer.text)
      assert.equal(read(answer.body as never), `${word} Zéro x`)
    })

    it(`with a control character is refused by ${method} ${path}`, async () => {
      for (const sign of ['\n', '\t', '\u001b', '\u007f', '\u0085'])
        assert.equal((await send(method, path, body(`a${sign}b`))).status, 400)
    })
  }

  it('is one name with whatever nobody sees in it: the second store of it is refused', async () => {
    assert.equal((await send('POST', '/stores', { name: 'Harbour' })).status, 201)
    for (const sign of INVISIBLE) {
      const answer = await send('POST', '/stores', { name: `Har${sign}bour` })
      assert.deepEqual([answer.status, answer.body.code], [409, 'name_taken'], JSON.stringify(sign))
    }
    assert.equal((await send('POST', '/stores', { name: 'Café' })).status, 201)
    assert.equal((await send('POST', '/stores', { name: 'Cafe\u0301' })).body.code, 'name_taken')
  })

  it('is looked at in a new account too', async () => {
    const body = { email: anAddress(), password: PASSWORD, name: '\u2800', tenant_name: '\u3164' }
    const answer = await t.request('POST', '/api/v1/auth/register', { body })
    assert.deepEqual(answer.body.errors?.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '#/name',
      '#/tenant_name',
    ])
    const { body: made } = await t.request('POST', '/api/v1/auth/register', {
      body: { ...body, name: 'A\u200bda', tenant_name: 'Eng\u00adines' },
    })
    assert.deepEqual([made.user.name, made.tenant.name], ['Ada', 'Engines'])
  })
})

describe('a search', () => {
  const names = async (path: string) =>
    (await send('GET', path)).body.data.map((each: { name?: string; resource_label?: string }) => each.name)

  it('does not mind blanks around its words, nor how many stand between, on every list', async () => {
    await send('POST', '/stores', { name: 'Old Mill' })
    await send('POST', '/roles', { name: 'Old Mill' })
    await send('POST', '/users/invite', { email: anAddress(), name: 'Old Mill' })
    for (const list of ['/stores', '/roles', '/users', '/audit'])
      for (const q of [
        'old%20mill',
        '%20%20old%20mill%20',
        'old%20%20%20mill',
        '%09old%0Amill',
        'ol%C2%ADd%E2%80%8B mill',
      ]) {
        const plain = await names(`${list}?q=old+mill`)
        assert.ok(plain.length > 0, list)
        assert.deepEqual(await names(`${list}?q=${q}`), plain, `${list}?q=${q}`)
      }
  })

  it('of blanks alone, or of nothing, is none', async () => {
    for (const list of ['/stores', '/roles', '/users', '/audit'])
      for (const q of ['', '%20', '+++', '%E2%80%8B', '%C2%A0'])
        assert.deepEqual(await names(`${list}?q=${q}`), await names(list), `${list}?q=${q}`)
  })

  it('has as many words as it has on every list', () => {
    for (const { method, path, query } of builtinModules.flatMap(({ routes }) => routes))
      if (query && 'q' in query.properties) assert.equal(Object(query.properties.q).form, 'search', `${method} ${path}`)
  })
})

describe('a time zone and a language', () => {
  const kept = async (method: string, path: string, body: object) => {
    const answer = await send(method, path, body)
    assert.ok(answer.status < 300, answer.text)
    return answer.body
  }

  it('are kept as they are spelled, whatever the case they are given in', async () => {
    const store = await kept('POST', '/stores', { name: 'Zone', timezone: 'aSIA/kolkata' })
    assert.equal(store.timezone, 'Asia/Kolkata')
    for (const [given, timezone] of [
      ['europe/berlin', 'Europe/Berlin'],
      ['utc', 'UTC'],
      ['us/eastern', 'US/Eastern'],
      ['ETC/gmt+5', 'Etc/GMT+5'],
      ['america/port_OF_spain', 'America/Port_of_Spain'],
    ]) {
      assert.equal((await kept('PUT', '/users/me', { timezone: given })).timezone, timezone)
      assert.equal((await kept('PUT', '/tenants/current/settings', { timezone: given })).timezone, timezone)
      assert.equal((await kept('PUT', `/stores/${store.id}`, { timezone: given })).timezone, timezone)
      assert.equal((await kept('PUT', `/stores/${store.id}/settings`, { timezone: given })).timezone, timezone)
    }
    for (const [given, locale] of [
      ['iw', 'he'],
      ['de-de', 'de-DE'],
      ['ZH-hant-tw', 'zh-Hant-TW'],
    ]) {
      assert.equal((await kept('PUT', '/users/me', { locale: given })).locale, locale)
      assert.equal((await kept('PUT', '/tenants/current/settings', { locale: given })).locale, locale)
    }
  })

  it('may be cleared where there may be none', async () => {
    const { id } = await kept('POST', '/stores', { name: 'No zone', timezone: 'UTC', email: 'a@example.com' })
    assert.partialDeepStrictEqual(await kept('PUT', `/stores/${id}`, { timezone: null, email: null }), {
      timezone: null,
      email: null,
    })
  })
})
