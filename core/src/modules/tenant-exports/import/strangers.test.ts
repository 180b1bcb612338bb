import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { type Exported, linesIn } from '../tenant-exports.fixture.ts'
import { type Bent, bentAnew, exportBySystem, importInto } from './import.fixture.ts'
import type { Imported } from './import-tenant.ts'
import type { ImportOptions } from './steps.ts'

let folder = ''
let from: TestCore
let to: TestCore
let tenant: TestTenant
let member: TestPerson
let exported: Exported
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'import-'))
  from = await createTestCore()
  to = await createTestCore()
  tenant = await from.foundTenant()
  member = await tenant.member({ role: 'admin', name: 'Mia Member' })
  await member.post('/api-keys', { name: 'Till', scopes: ['store.view'] })
  await member.request('POST', '/files', {
    form: { fields: {}, file: { name: 'a.txt', content: 'Hello', type: 'text/plain' } },
  })
  exported = await exportBySystem(from, tenant.id)
})
after(async () => {
  await from?.close()
  await to?.close()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
/** Imports what somebody has changed, each time as another tenant. */
async function importBent(change: (bent: Bent) => void, options: Partial<ImportOptions> = {}): Promise<Imported> {
  const path = join(folder, `${count++}.zip`)
  await writeFile(path, await bentAnew(exported, change))
  return importInto(to, path, options)
}
const refused = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: Error) => {
    assert.equal(error.name, 'ImportRefused', String(error.stack))
    assert.match(error.message, message)
    return true
  })

/** Somebody here with an address of the export. */
async function addressed(
  email: string,
  { isProven, hasPassword = true }: { isProven: boolean; hasPassword?: boolean },
) {
  const person = await to.addPerson('Vera Victim')
  await to.core.db.systemQuery(
    'update users set email = $2, email_normalized = $2, email_verified_at = $3 where id = $1',
    [person.userId, email, isProven ? to.clock.now() : null],
  )
  if (hasPassword)
    await to.core.db.systemQuery(`insert into user_passwords (user_id, hash, changed_at) values ($1, 'x', now())`, [
      person.userId,
    ])
  return person
}
/** The member's address in the export becomes another one. */
const rename = (bent: Bent, email: string) =>
  changePeople(bent, (person) => (person.id === member.userId ? { ...person, email } : person))
// biome-ignore lint/suspicious/noExplicitAny: lines of any shape
const changePeople = (bent: Bent, change: (person: any) => unknown) =>
  bent.replace(
    'people.ndjson',
    linesIn(exported.entries.get('people.ndjson')).map((person) => JSON.stringify(change(person))),
  )

const standing = async ({ tenantId }: Imported) =>
  to.core.db.systemQuery<{ id: string; email: string; account: string; status: string; roles: unknown[] | null }>(
    `select m.id, u.email, u.status as account, m.status, i.roles from members m join users u on u.id = m.id
     left join invitations i on i.tenant_id = m.tenant_id and i.user_id = m.id where m.tenant_id = $1 order by m.name`,
    [tenantId],
  )

describe('whoever an export names', () => {
  test('is a proven account of that address, invited, and sees nothing before they accept', async () => {
    const email = `${newId()}@example.com`
    const victim = await addressed(email, { isProven: true })
    const imported = await importBent((bent) => rename(bent, email))
    has(imported.people, { linked: 1, added: 1, none: 0 })
    const [mia] = await standing(imported)
    has(mia, { id: victim.userId, status: 'invited', account: 'active' })
    assert.equal(mia?.roles?.length, 1)
    const mine = await to.request('GET', '/api/v1/users/me/tenants', { token: await victim.token() })
    assert.deepEqual([mine.status, mine.body.data], [200, []])
    const [{ count: held } = { count: -1 }] = await to.core.db.systemQuery<{ count: number }>(
      'select count(*)::int as count from role_assignments where user_id = $1',
      [victim.userId],
    )
    assert.equal(held, 0)
    await assert.rejects(victim.in(imported.tenantId).token())
  })

  test('is an account without a password that nobody has used, which a mail alone opens', async () => {
    const email = `${newId()}@example.com`
    const waiting = await addressed(email, { isProven: false, hasPassword: false })
    const imported = await importBent((bent) => rename(bent, email))
    has(imported.people, { linked: 2, none: 0 })
    has((await standing(imported))[0], { id: waiting.userId, status: 'invited' })
  })

  test('is nobody, where the address of the account is not confirmed: it may be a stranger who waits for this', async () => {
    const email = `${newId()}@example.com`
    const stranger = await addressed(email, { isProven: false })
    const imported = await importBent((bent) => rename(bent, email))
    has(imported.people, { none: 1 })
    const [mia] = await standing(imported)
    assert.notEqual(mia?.id, stranger.userId)
    has(mia, { account: 'disabled', status: 'disabled', roles: null })
    assert.match(mia?.email ?? '', /@former\.invalid$/)
  })

  test('owns the tenant by the word of whoever runs the installation alone', async () => {
    const ownerIn = async ({ tenantId }: Imported) => {
      const rows = await to.core.db.systemQuery<{ id: string }>(
        `select a.user_id as id from role_assignments a join roles r on r.tenant_id = a.tenant_id and r.id = a.role_id
         where a.tenant_id = $1 and r.key = 'owner'`,
        [tenantId],
      )
      return rows.map(({ id }) => id)
    }
    assert.deepEqual(await ownerIn(await importBent(() => {})), [], 'who owned it has to accept')
    const boss = await addressed(`${newId()}@example.com`.replace('@', '.boss@'), { isProven: true })
    const [row] = await to.core.db.systemQuery<{ email: string }>('select email from users where id = $1', [
      boss.userId,
    ])
    const named = await importBent(() => {}, { owner: row?.email ?? '' })
    has(named.owner, { isActive: true })
    assert.deepEqual(await ownerIn(named), [boss.userId])
    assert.equal((await boss.in(named.tenantId).get('/stores')).status, 200)
    const invited = (await standing(named)).filter(({ id }) => id !== boss.userId)
    const owner = exported.rows('roles').find(({ key }) => key === 'owner').id
    assert.ok(!JSON.stringify(invited).includes(owner), 'who owned it there is not even invited to own it')
    // An account that may be anybody's owns nothing.
    const email = `${newId()}@example.com`
    await addressed(email, { isProven: false })
    await refused(
      importBent(() => {}, { owner: email }),
      /whose address is not confirmed.*--owner/,
    )
    await refused(
      importBent((bent) =>
        changePeople(bent, (person) => (person.id === tenant.owner.userId ? { ...person, email } : person)),
      ),
      /whose address is not confirmed.*--owner/,
    )
    await refused(
      importBent(() => {}, { owner: 'nobody' }),
      /is no e-mail address/,
    )
  })
})

describe('an id of an account here', () => {
  const rowsOf = (bent: Bent, table: string, change: (row: Record<string, unknown>) => unknown) =>
    bent.replace(
      `tables/${table}.ndjson`,
      linesIn(bent.entries.get(`tables/${table}.ndjson`) as Buffer).map((row) => JSON.stringify(change(row))),
    )

  test('is refused where somebody has to be meant whom the export does not tell of', async () => {
    const { userId } = await to.addPerson()
    for (const [table, column] of [
      ['role_assignments', 'user_id'],
      ['members', 'id'],
      ['api_keys', 'created_by'],
      ['tenants', 'owner_id'],
    ] as const)
      await refused(
        importBent((bent) => rowsOf(bent, table, (row) => ({ ...row, [column]: userId }))),
        new RegExp(`${table}\\.${column} of .* is nobody whom the export tells of|its owner is none of its members`),
      )
    // Who has left is no member, whatever the table says.
    await refused(
      importBent((bent) =>
        changePeople(bent, (person) => (person.id === member.userId ? { id: person.id, is_member: false } : person)),
      ),
      /members\.id of .* is nobody whom the export tells of/,
    )
  })

  test('is another one wherever else it stands, however it is spelled', async () => {
    const { userId } = await to.addPerson()
    const hidden = [...userId].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    const imported = await importBent((bent) => {
      rowsOf(bent, 'files', (row) => ({ ...row, uploaded_by: userId }))
      const [line = ''] = String(bent.entries.get('tables/audit_logs.ndjson')).split('\n')
      const forged = {
        ...JSON.parse(line),
        actor_id: userId,
        resource_id: userId.toUpperCase(),
        new_values: { [userId]: userId },
      }
      bent.replace('tables/audit_logs.ndjson', [JSON.stringify(forged).replaceAll(`"${userId}"`, `"${hidden}"`)])
    })
    const rows = await to.core.db.systemQuery<{ text: string }>(
      `select row_to_json(a)::text as text from audit_logs a where tenant_id = $1 union all select row_to_json(f)::text from files f where tenant_id = $1`,
      [imported.tenantId],
    )
    assert.ok(rows.length > 1)
    for (const { text } of rows) assert.ok(!text.toLowerCase().includes(userId), text)
    const [file] = await to.core.db.systemQuery<{ uploaded_by: string }>(
      'select uploaded_by from files where tenant_id = $1',
      [imported.tenantId],
    )
    const [record] = await to.core.db.systemQuery<{ actor_id: string }>(
      'select actor_id from audit_logs where tenant_id = $1 and resource_id = $2',
      [imported.tenantId, file?.uploaded_by],
    )
    assert.equal(record?.actor_id, file?.uploaded_by, 'the same person is the same nobody')
  })

  test('of a row brings nothing into another tenant', async () => {
    const victim = await to.foundTenant()
    await refused(
      importBent((bent) => rowsOf(bent, 'stores', (row) => ({ ...row, tenant_id: victim.id }))),
      /a row of the table stores does not belong to the tenant/,
    )
    assert.equal((await victim.owner.get('/stores')).body.data.length, 1)
  })
})
