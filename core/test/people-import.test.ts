import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { foreignHashes } from '../src/modules/auth/passwords/foreign-hashes.fixture.ts'
import { inviteMember } from '../src/modules/members/index.ts'
import { createRole } from '../src/modules/roles/index.ts'
import type { TestTenant } from '../src/testing/index.ts'
import { everything, ndjson, openImportPlace } from './people-import.fixture.ts'
import { runInProcess } from './run-in-process.ts'

let place: Awaited<ReturnType<typeof openImportPlace>>
before(async () => {
  place = await openImportPlace()
})
after(() => place?.close())

const [, PASSWORD = '', HASH = ''] = foreignHashes.find(([origin]) => origin === 'werkzeug pbkdf2:sha256:2000') ?? []
const DJANGO = foreignHashes.find(([origin]) => origin === 'django pbkdf2_sha1')?.[2] ?? ''
const fresh = (name = 'somebody') => `${name}-${newId()}@example.com`
const login = (email: string, password = PASSWORD) =>
  place.t.request('POST', '/api/v1/auth/login', { body: { email, password } })

async function personOf(email: string) {
  const [row] = await place.t.core.db.systemQuery<Record<string, unknown>>(
    `select u.*, p.hash from users u left join user_passwords p on p.user_id = u.id where u.email_normalized = $1`,
    [email],
  )
  return row
}

const slugOf = async ({ id }: TestTenant): Promise<string> => {
  const [row] = await place.t.core.db.systemQuery<{ slug: string }>('select slug from tenants where id = $1', [id])
  return row?.slug ?? assert.fail('no slug')
}

async function memberOf({ owner }: TestTenant, email: string) {
  const { body } = await owner.get(`/users?q=${encodeURIComponent(email)}`)
  const [member] = body.data
  return member && { ...member, roles: member.roles.map(({ name }: { name: string }) => name) }
}

describe('tenantry people import', () => {
  test('takes people over who sign in as before, by a hash of ours from then on', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const slug = await slugOf(tenant)
    const [ada, ben, cyd, dan] = ['ada', 'ben', 'cyd', 'dan'].map(fresh) as [string, string, string, string]
    const { code, out, err } = await take(
      [
        {
          email: ada.toUpperCase(),
          name: '  Ada   Byron ',
          password_hash: HASH,
          locale: 'de_CH',
          timezone: 'europe/zurich',
        },
        { email: ben, password_hash: HASH, email_verified: true, memberships: [{ tenant: slug, role: 'Manager' }] },
        { email: cyd, password_hash: '!kQ3sZ', tenant: tenant.id },
        { email: dan, name: null, password_hash: HASH, status: 'disabled' },
      ],
      '--verbose',
    )
    assert.deepEqual([code, err], [0, ''], out)
    assert.equal(
      out,
      `Line 1: ${ada} added.\nLine 2: ${ben} added to ${slug}.\nLine 3: ${cyd} added to ${slug}.\nLine 4: ${dan} added.\n` +
        'Added 4 people, 3 with a password; 0 existed already.\nAdded 2 memberships.\n',
    )
    const { name, locale, timezone, email_verified_at, status, hash } = (await personOf(ada)) ?? {}
    assert.deepEqual(
      [name, locale, timezone, email_verified_at, status, hash],
      ['Ada Byron', 'de-CH', 'Europe/Zurich', null, 'active', HASH],
    )
    assert.ok((await personOf(ben))?.email_verified_at)
    assert.equal((await memberOf(tenant, ben)).roles.join(), 'manager')
    assert.equal((await memberOf(tenant, cyd)).roles.join(), 'viewer')
    const signedIn = await login(ben)
    assert.deepEqual([signedIn.status, signedIn.body.tenant.id], [200, tenant.id])
    assert.match(String((await personOf(ben))?.hash), /^\$argon2id\$/)
    assert.equal((await login(ada, `${PASSWORD}.`)).status, 401)
    assert.equal((await login(ada)).status, 200)
    assert.equal((await login(dan)).body.code, 'account_disabled')
    assert.equal((await login(cyd)).status, 401)
  })

  test('mails nobody, and who has no password sets one by a mail', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const email = fresh()
    assert.equal((await take([{ email, tenant: tenant.id }])).code, 0)
    for (const id of [tenant.id, null]) await t.drainJobs(id)
    assert.deepEqual(await t.mails(email), [])
    await t.request('POST', '/api/v1/auth/forgot-password', { body: { email } })
    await t.drainJobs(null)
    const [mail] = await t.mails(email)
    const token = decodeURIComponent(/\?token=(\S+)/.exec(mail?.text ?? '')?.[1] ?? '')
    const password = 'nine paper boats at dusk'
    const body = { token, password }
    const reset = await t.request('POST', '/api/v1/auth/reset-password', { body })
    assert.equal(reset.status, 204, reset.text)
    assert.equal((await login(email, password)).status, 200)
  })

  test('records each person once: in their tenant, or beside all tenants', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const names = [newId(), newId()]
    await take([
      { email: fresh(), name: names[0], password_hash: HASH },
      { email: fresh(), name: names[1], password_hash: HASH, tenant: tenant.id },
    ])
    const { records } = await everything(t)
    assert.deepEqual(
      records
        .filter(({ resource_label }) => names.includes(String(resource_label)))
        .map(({ action, actor_type, count }) => [action, actor_type, count]),
      [
        ['auth.imported', 'system', 1],
        ['user.created', 'system', 1],
      ],
    )
    const [{ text } = { text: '' }] = await t.core.db.systemQuery<{ text: string }>(
      `select string_agg(a::text, '') as text from (select new_values from audit_logs union all select new_values from global_audit_logs) a`,
    )
    assert.ok(text.includes('has_password') && !text.includes(HASH.slice(-20)))
  })

  test('leaves who is there as they are, and adds them to the tenants that they are not in', async () => {
    const { t, take } = place
    const [one, other] = [await t.foundTenant({ plan: 'business' }), await t.foundTenant({ plan: 'business' })]
    const email = fresh()
    await take([{ email, name: 'Ada', password_hash: HASH, tenant: one.id, role: 'staff' }])
    await place.t.core.db.systemQuery('update users set email_verified_at = now() where email = $1', [email])
    const before = await personOf(email)
    const again = {
      ...{
        email: ` ${email.toUpperCase()}`,
        name: 'Eve',
        password_hash: DJANGO,
        status: 'disabled',
        email_verified: true,
      },
      memberships: [
        { tenant: one.id, role: 'owner' },
        { tenant: other.id, role: 'admin' },
      ],
    }
    const { out } = await take([again])
    assert.equal(out, 'Added 0 people, 0 with a password; 1 existed already.\nAdded 1 membership.\n')
    assert.deepEqual(await personOf(email), before)
    assert.deepEqual((await memberOf(one, email)).roles, ['staff'])
    assert.deepEqual(((m) => [m.roles.join(), m.name])(await memberOf(other, email)), ['admin', 'Ada'])
    const { records } = await everything(t)
    assert.match((await take([again])).out, /Added 0 memberships/)
    assert.deepEqual((await everything(t)).records, records, 'a second time nothing happens')
  })

  test('neither completes an invitation nor gives an invited person a password', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const email = fresh()
    await tenant.run((ctx) => inviteMember(ctx, { email }))
    const { out } = await take([{ email, password_hash: HASH, tenant: tenant.id }], '--verbose')
    assert.match(out, new RegExp(`^Line 1: ${email} exists\\.\n`))
    assert.equal((await memberOf(tenant, email)).status, 'invited')
    assert.equal((await personOf(email))?.hash, null)
  })

  test('takes CSV as it takes NDJSON', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const [ada, ben] = [fresh('ada'), fresh('ben')]
    const { code, out } = await take(
      `\ufeffEmail;name;password_hash;email_verified;role\r\n"${ada}";"Byron; ""Ada""";${HASH};t;staff\r\n\r\n${ben};;;f;\r\n`,
      `--tenant ${tenant.id} --role admin`,
    )
    assert.equal(code, 0, out)
    assert.deepEqual(((m) => [m.roles.join(), m.name])(await memberOf(tenant, ada)), ['staff', 'Byron; "Ada"'])
    assert.equal((await memberOf(tenant, ben)).roles.join(), 'admin')
    assert.equal((await personOf(ada))?.hash, HASH)
    assert.deepEqual([(await personOf(ben))?.hash, (await personOf(ben))?.email_verified_at], [null, null])
  })

  test('of a person who stands there several times the first line counts, and the tenants of all', async () => {
    const { t, take } = place
    const [one, other] = [await t.foundTenant({ plan: 'business' }), await t.foundTenant({ plan: 'business' })]
    const email = fresh()
    const lines = [
      { email, name: 'First', password_hash: HASH, tenant: one.id },
      { email: email.toUpperCase(), name: 'Second', password_hash: DJANGO, tenant: one.id },
      { email, name: 'Third', tenant: other.id },
    ]
    const dry = await take(lines, '--dry-run --verbose')
    const { out } = await take(lines, '--verbose')
    assert.match(out, /Added 1 person, 1 with a password; 2 existed already\.\nAdded 2 memberships\.\n$/)
    assert.equal(asDone(dry.out), out)
    assert.deepEqual([(await personOf(email))?.name, (await personOf(email))?.hash], ['First', HASH])
  })

  test('gives roles of the tenant by name or id, and none that is held for stores', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const role = await tenant.run((ctx) => createRole(ctx, { name: 'Bar Staff', permissions: ['store.view'] }))
    await tenant.run((ctx) => createRole(ctx, { name: 'Waiters', scope: 'store', permissions: ['store.view'] }))
    const [ada, ben] = [fresh(), fresh()]
    const { out } = await take(
      [
        { email: ada, role: 'bar  staff' },
        { email: ben, role: role.id.toUpperCase() },
        { email: fresh(), role: 'Waiters' },
        { email: fresh(), role: 'nobody' },
      ],
      `--tenant ${tenant.id}`,
    )
    assert.match(out, /^Line 3: the role "Waiters" in \S+ is held for single stores, which are given afterwards\.$/m)
    assert.match(out, /^Line 4: there is no role "nobody" in \S+\.$/m)
    for (const email of [ada, ben]) assert.deepEqual((await memberOf(tenant, email)).roles, ['Bar Staff'])
  })
})

/** What a dry run said, in the words of the real one. */
const asDone = (text: string) =>
  text
    .replaceAll('would be ', '')
    .replaceAll('would join', 'joins')
    .replaceAll('Would add', 'Added')
    .replaceAll('would not be taken', 'was not taken')

describe('what is wrong', () => {
  test('is said by line, with everything that is wrong and no hash; nothing of such a line is written, and others are taken', async () => {
    const { t, write, run } = place
    const tenant = await t.foundTenant({ plan: 'business' })
    const [good, last] = [fresh('good'), fresh('last')]
    const secret = '5f4dcc3b5aa765d61d8327deb882cf99'
    const lines: [content: string, says: string][] = [
      ['{"email": "x@example.com", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99"', 'is no object of JSON'],
      ['[]', 'is no object of JSON'],
      ['null', 'is no object of JSON'],
      ['{}', 'email is missing'],
      ['{"email": 5}', 'email is missing'],
      [
        `{"email": "no", "name": "\\u0007", "locale": "??", "timezone": "Mars/Base", "status": "gone", "email_verified": "maybe", "password_hash": "${secret}"}`,
        'email is not a valid e-mail address; name must be a single line that shows something; password_hash is a plain MD5 hash, which is guessed too quickly; locale is no language tag, such as de-CH; timezone is no time zone, such as Europe/Zurich; email_verified must be true or false; status must be active or disabled',
      ],
      [JSON.stringify({ email: fresh('bad'), name: 'x'.repeat(201) }), 'name must have at most 200 characters'],
      [JSON.stringify({ email: fresh('bad'), name: ['x'] }), 'name must be a text'],
      [JSON.stringify({ email: fresh('bad'), password_hash: 12 }), 'password_hash must be a text'],
      [JSON.stringify({ email: fresh('bad'), is_super_admin: true }), '"is_super_admin" is no field of a person'],
      ['{"email": "bad@example.com", "__proto__": {}}', '"__proto__" is no field of a person'],
      ['{"email": "bad@example.com", "name": "\\ud800"}', 'name has signs that cannot be kept'],
      [JSON.stringify({ email: fresh('bad'), memberships: {} }), 'memberships must be a list of at most 50'],
      [
        JSON.stringify({ email: fresh('bad'), tenant: 'x', memberships: [{ tenant: 'y' }] }),
        'memberships cannot stand beside tenant and role',
      ],
      [
        JSON.stringify({ email: fresh('bad'), memberships: [{ role: 'x' }, { tenant: tenant.id, store: 1 }, 7] }),
        'memberships/0/tenant is missing; memberships/1/"store" is no field of a membership; memberships/2/tenant is missing',
      ],
      [JSON.stringify({ email: fresh('bad'), tenant: 'nowhere' }), 'there is no tenant "nowhere"'],
      [JSON.stringify({ email: fresh('bad'), tenant: newId() }), 'there is no tenant "'],
      [JSON.stringify({ email: fresh('bad'), role: 'admin' }), 'it names a role and no tenant'],
      [JSON.stringify({ email: fresh('bad'), name: 'x'.repeat(70_000) }), 'is longer than 65536 characters'],
    ]
    const before = await everything(t)
    const text = Buffer.from(`${lines.map(([content]) => content).join('\n')}\n`)
    const latin = Buffer.from(`{"email": "${fresh('bad')}", "name": "Zo\u00eb"}\n`, 'latin1')
    const ends = Buffer.from(`${JSON.stringify({ email: good })}\r\n\r\n  \n${JSON.stringify({ email: last })}`)
    const { code, out, err } = await run(await write(Buffer.concat([text, latin, ends])))
    assert.deepEqual([code, err], [1, ''])
    const said = out.split('\n')
    for (const [index, [content, says]] of lines.entries())
      assert.ok(
        said.some((line) => line.startsWith(`Line ${index + 1}: ${says}`)),
        `${content.slice(0, 200)}\n${out}`,
      )
    assert.ok(said.includes(`Line ${lines.length + 1}: is not in UTF-8.`), out)
    assert.match(
      out,
      new RegExp(
        `Added 2 people, 0 with a password; 0 existed already\\.\nAdded 0 memberships\\.\n${lines.length + 1} lines were not taken\\.\n$`,
      ),
    )
    assert.ok(!out.includes(secret))
    const { people, members } = await everything(t)
    assert.deepEqual(
      people.filter(({ email }) => email !== good && email !== last),
      before.people,
    )
    assert.deepEqual(members, before.members)
  })

  test('in CSV: rows that do not fit are named by their first line, and the next ones are read', async () => {
    const [first, second] = [fresh(), fresh()]
    const { code, out } = await place.take(
      `email,name\n${first},"two\nlines"\n"a"b@example.com,x\n${fresh()}\n${second},ok\n${fresh()},"open\nand so on\n`,
    )
    assert.equal(code, 1)
    assert.equal(
      out,
      'Line 2: name must be a single line that shows something.\n' +
        'Line 4: has a quote that is not closed, or text beside one.\n' +
        'Line 5: has 1 columns where the header has 2.\n' +
        'Line 7: has a quote that is not closed, or text beside one.\n' +
        'Added 1 person, 0 with a password; 0 existed already.\nAdded 0 memberships.\n4 lines were not taken.\n',
    )
  })

  test('on the command line is said with the help, before anything is read', async () => {
    const { env, write, run } = place
    const suspended = await place.t.foundTenant()
    const file = await write(ndjson([{ email: fresh() }]))
    for (const [command, says] of [
      ['', 'a file is required'],
      ['/nowhere/people.csv', 'the file cannot be read (ENOENT)'],
      [place.folder, 'the name of the file does not tell its format: give --format'],
      [`${place.folder} --format csv`, 'the file is none'],
      [`${file} --format xml`, '--format takes ndjson or csv'],
      [`${file} --tenant nowhere`, 'there is no tenant "nowhere"'],
      [`${file} --tenant ${suspended.id} --role nobody`, 'there is no role "nobody" in '],
      [await write('name,mail\n', 'csv'), 'the first line names a column "mail"; there are: email, name,'],
      [await write('name\n', 'csv'), 'the first line has to name the columns, email among them'],
      [await write('email,email\n', 'csv'), 'the first line names a column twice'],
    ] as const) {
      const { code, out, err } = await run(command)
      assert.deepEqual([code, out.replace(/^Added 0 .*\n/gm, '')], [2, ''], command)
      assert.ok(err.includes(says) && err.includes('people import --help'), err)
    }
    const { out } = await runInProcess('people import --help', { env })
    assert.match(out, /^Usage: \S+ people import <file>/)
  })
})

describe('plans and tenants', () => {
  test('a plan that is full lets nobody more in, which is said by line; a line gets all of its tenants or nothing', async () => {
    const { t, take } = place
    const [small, large] = [await t.foundTenant(), await t.foundTenant({ plan: 'business' })]
    const { users } = (await small.owner.get('/subscriptions/current/details')).body.limits
    assert.ok(users > 1, 'the plan of new tenants has a limit')
    const emails = Array.from({ length: users + 3 }, () => fresh())
    const people = emails.map((email) => ({ email, memberships: [{ tenant: large.id }, { tenant: small.id }] }))
    const dry = await take(people, '--dry-run')
    const { code, out } = await take(people)
    assert.equal(code, 1)
    assert.equal(out.match(/^Line \d+: the plan of \S+ allows no more people\.$/gm)?.length, 4, out)
    assert.match(out, new RegExp(`^Added ${users - 1} people`, 'm'))
    assert.equal(asDone(dry.out).replace('lines was', 'lines were'), out)
    assert.equal(await personOf(emails.at(-1) ?? ''), undefined)
    assert.equal(await memberOf(large, emails.at(-1) ?? ''), undefined)
    assert.ok(await memberOf(small, emails[users - 2] ?? ''))
  })

  test('a tenant that is suspended, or has no subscription in force, gets nobody', async () => {
    const { t, take } = place
    const [suspended, ended] = [await t.foundTenant(), await t.foundTenant()]
    await t.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [suspended.id])
    await t.core.db.systemQuery(
      "update subscriptions set status = 'expired', next_change_at = null where tenant_id = $1",
      [ended.id],
    )
    const { out } = await take([suspended, ended].map(({ id }) => ({ email: fresh(), tenant: id })))
    assert.match(out, /^Line 1: \S+ is suspended\.$/m)
    assert.match(out, /^Line 2: \S+ has no subscription in force\.$/m)
  })

  test('seats that are taken meanwhile are not given twice', async () => {
    const { t, take } = place
    const tenant = await t.foundTenant()
    const { users } = (await tenant.owner.get('/subscriptions/current/details')).body.limits
    const files = Array.from({ length: 3 }, () =>
      Array.from({ length: users }, () => ({ email: fresh(), tenant: tenant.id })),
    )
    const invited = Array.from({ length: 20 }, () => tenant.owner.post('/users/invite', { email: fresh() }))
    await Promise.all([...files.map((people) => take(people)), ...invited])
    const { body } = await tenant.owner.get('/subscriptions/current/details')
    assert.equal(body.usage.users.used, users)
  })
})

test('a dry run writes nothing and says just what happens then', async () => {
  const { t, take } = place
  const tenant = await t.foundTenant({ plan: 'business' })
  const known = fresh('known')
  await take([{ email: known, name: 'Known' }])
  const people = Array.from({ length: 250 }, (_, index) => ({
    email: index % 50 === 7 ? known : index % 60 === 11 ? fresh('twice').replace(/-.*@/, '-again@') : fresh(),
    ...(index % 3 === 0 && { password_hash: HASH }),
    ...(index % 40 === 3 && { password_hash: 'nothing' }),
    ...(index % 4 === 0 && { tenant: tenant.id, role: ['staff', 'admin', 'nobody'][index % 3] }),
  }))
  const before = await everything(t)
  const dry = await take(people, '--dry-run --verbose')
  assert.deepEqual(await everything(t), before)
  const real = await take(people, '--verbose')
  assert.equal(dry.code, 1)
  assert.equal(asDone(dry.out).replace('lines was', 'lines were'), real.out)
  assert.match(real.out, /exists, joins|exists\./)
})
