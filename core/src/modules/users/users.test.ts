import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TestCore, TestPerson } from '../../testing/index.ts'
import { createAuthCore } from '../auth/auth.fixture.ts'
import {
  addUser,
  addUserTenant,
  changeUser,
  emailTaken,
  findLogin,
  findUserByEmail,
  listUserTenants,
  recordLogin,
  removeUserTenant,
} from './index.ts'

let core: TestCore
before(async () => {
  core = await createAuthCore()
})
after(() => core.close())

const me = (person: TestPerson) => ({
  read: () => person.get('/users/me'),
  change: (body: unknown) => person.put('/users/me', body),
})
/** Somebody's id. */
const addId = async () => (await core.addPerson()).userId

const problems = (body: { errors: { pointer: string }[] }) => body.errors.map(({ pointer }) => pointer).sort()

describe('your own profile', () => {
  test('shows every field of a person, without a tenant', async () => {
    const person = await core.addPerson('Ada')
    const { status, body } = await me(person).read()
    assert.equal(status, 200)
    assert.deepEqual(
      { ...body, created_at: '', updated_at: '', email_verified_at: '', last_login_at: '' },
      {
        id: person.userId,
        created_at: '',
        updated_at: '',
        email: person.email,
        name: 'Ada',
        phone: null,
        avatar_url: null,
        locale: 'en',
        timezone: 'UTC',
        email_verified_at: '',
        two_factor_enabled: false,
        is_super_admin: false,
        status: 'active',
        last_login_at: '',
      },
    )
    assert.match(body.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('asks for a credential', async () => {
    assert.equal((await core.request('GET', '/api/v1/users/me')).status, 401)
    assert.equal((await core.request('PUT', '/api/v1/users/me', { body: { name: 'X' } })).status, 401)
  })

  test('changes what is given, keeps the rest, and null clears', async () => {
    const person = me(await core.addPerson('Ada'))
    const changed = await person.change({ phone: ' +41 44 123 45 67', locale: 'DE-ch', timezone: 'Europe/Zurich' })
    assert.equal(changed.status, 200)
    const { name, phone, locale, timezone } = changed.body
    assert.deepEqual([name, phone, locale, timezone], ['Ada', '+41 44 123 45 67', 'de-CH', 'Europe/Zurich'])
    assert.equal((await person.change({ phone: null })).body.phone, null)
    assert.deepEqual((await person.read()).body.timezone, 'Europe/Zurich')
  })

  test('names every wrong field at once and changes nothing', async () => {
    const person = me(await core.addPerson('Ada'))
    const { status, body } = await person.change({
      name: ' ',
      phone: 'a\u0007b',
      locale: 'no_locale',
      timezone: '+02:00',
      email: 'x',
    })
    assert.equal(status, 400)
    assert.equal(body.code, 'invalid_request')
    assert.deepEqual(problems(body), ['#/email', '#/locale', '#/name', '#/phone', '#/timezone'])
    assert.equal((await person.read()).body.name, 'Ada')
  })

  for (const locale of [
    '',
    'e',
    'en_US',
    'en-',
    '*',
    'sh-a1234567-b1234567-c1234567-d1234',
    `en-${'x-abcdefgh'.repeat(9)}`,
  ])
    test(`refuses the locale ${JSON.stringify(locale)}`, async () => {
      const { status, body } = await me(await core.addPerson()).change({ locale })
      assert.equal(status, 400)
      assert.deepEqual([...new Set(problems(body))], ['#/locale'])
    })

  for (const timezone of ['Mars/Olympus', '', 'Europe/../Zurich', 'UTC\n', '+01:00', 'Europe/Zürich'])
    test(`refuses the time zone ${JSON.stringify(timezone)}`, async () => {
      const { status, body } = await me(await core.addPerson()).change({ timezone })
      assert.equal(status, 400)
      assert.deepEqual(problems(body), ['#/timezone'])
    })

  for (const timezone of ['UTC', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
    test(`takes the time zone ${timezone}`, async () => {
      assert.equal((await me(await core.addPerson()).change({ timezone })).body.timezone, timezone)
    })

  test('a long name without an end takes no time to refuse', async () => {
    const person = me(await core.addPerson())
    const started = performance.now()
    assert.equal((await person.change({ name: `${'a'.repeat(100_000)}\n` })).status, 400)
    // Minutes, where each letter is looked at once for every other.
    assert.ok(performance.now() - started < 20_000)
  })

  test('a change is recorded once, with what changed alone; no change is not recorded', async () => {
    const person = await core.addPerson('Ada')
    const id = person.userId
    for (const body of [{ name: 'Ada Lovelace' }, { name: 'Ada Lovelace' }, {}]) await me(person).change(body)
    const records = await core.core.run(
      ({ tx }) =>
        tx
          .selectFrom('global_audit_logs')
          .selectAll()
          .where('resource_id', '=', id)
          .where('action', 'like', 'user.%')
          .execute(),
      { role: 'system' },
    )
    assert.deepEqual(
      records.map(({ action, old_values, new_values, actor_id }) => ({ action, old_values, new_values, actor_id })),
      [{ action: 'user.updated', old_values: { name: 'Ada' }, new_values: { name: 'Ada Lovelace' }, actor_id: id }],
    )
  })

  test('in a tenant the change is recorded there', async () => {
    const company = await core.foundTenant()
    await me(company.owner).change({ name: 'Grace' })
    const records = await company.run(({ tx }) =>
      tx
        .selectFrom('audit_logs')
        .select('action')
        .where('tenant_id', '=', company.id)
        .where('action', '=', 'user.updated')
        .execute(),
    )
    assert.equal(records.length, 1)
  })

  test('parallel changes of different fields all stay', async () => {
    const person = me(await core.addPerson('Ada'))
    await Promise.all([
      person.change({ name: 'Grace' }),
      person.change({ phone: '1' }),
      person.change({ locale: 'fr' }),
      person.change({ timezone: 'Europe/Paris' }),
    ])
    const { name, phone, locale, timezone } = (await person.read()).body
    assert.deepEqual([name, phone, locale, timezone], ['Grace', '1', 'fr', 'Europe/Paris'])
  })
})

describe('people', () => {
  test('one address belongs to one person, in whatever spelling, also when 20 ask at once', async () => {
    const spellings = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'Race@Example.COM' : ' ｒace@example．com '))
    const results = await Promise.allSettled(
      spellings.map((email) => core.core.run((ctx) => addUser(ctx, { email, name: 'Racer' }))),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.kind, emailTaken)
  })

  test('a taken address leaves the transaction usable', async () => {
    await core.core.run((ctx) => addUser(ctx, { email: 'first@example.com', name: 'First' }))
    const found = await core.core.run(async (ctx) => {
      await assert.rejects(addUser(ctx, { email: 'FIRST@example.com', name: 'Second' }), { kind: emailTaken })
      return findUserByEmail(ctx.tx, 'First@Example.com')
    })
    assert.equal(found?.name, 'First')
  })

  test('an address that is none is refused with its field', async () => {
    await assert.rejects(
      core.core.run((ctx) => addUser(ctx, { email: 'nobody', name: 'N' })),
      { details: { errors: [{ pointer: '#/email', detail: 'is not a valid e-mail address' }] } },
    )
    assert.equal(await core.core.run(({ tx }) => findUserByEmail(tx, 'nobody')), undefined)
  })

  test('a changed address is unique too, and is found by its new spelling alone', async () => {
    const [one, two] = [await addId(), await addId()]
    const move = (id: string, email: string) =>
      core.core.run((ctx) => changeUser(ctx, id, { email }), { role: 'system' })
    await move(one, 'Moved@Example.com')
    await assert.rejects(move(two, 'moved@example.com'), { kind: emailTaken })
    assert.equal((await core.core.run(({ tx }) => findUserByEmail(tx, 'MOVED@example.com')))?.id, one)
  })
})

describe('sign-ins and the directory of tenants', () => {
  test('a sign-in into no tenant keeps the tenant last used', async () => {
    const person = await core.addPerson()
    await person.token() // what this sign-in leaves is written over
    const [user, tenant] = [person.userId, await addId()]
    await core.core.run((ctx) => recordLogin(ctx, user, tenant))
    core.clock.advance(1_000)
    await core.core.run((ctx) => recordLogin(ctx, user, null))
    const login = await core.core.run(({ tx }) => findLogin(tx, user))
    assert.equal(login?.last_tenant_id, tenant)
    assert.equal((await me(person).read()).body.last_login_at, login?.last_login_at)
  })

  test('memberships are listed oldest first, entered once, and can be taken out', async () => {
    const [user, first, second] = [await addId(), await addId(), await addId()]
    const directory = () =>
      core.core.run(async ({ tx }) => (await listUserTenants(tx, user)).map((row) => row.tenant_id))
    await core.core.run((ctx) => addUserTenant(ctx, user, second))
    core.clock.advance(1_000)
    await core.core.run((ctx) => addUserTenant(ctx, user, first))
    await core.core.run((ctx) => addUserTenant(ctx, user, second))
    assert.deepEqual(await directory(), [second, first])
    await core.core.run((ctx) => removeUserTenant(ctx, user, second))
    assert.deepEqual(await directory(), [first])
  })
})
