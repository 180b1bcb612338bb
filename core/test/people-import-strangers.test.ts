import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Ctx, newId } from '#kernel'
import { createContext, noOrigin, systemActor } from '../src/kernel/create-context.ts'
import { openImporter, readEntry } from '../src/modules/auth/index.ts'
import { foreignHashes } from '../src/modules/auth/passwords/foreign-hashes.fixture.ts'
import type { TestTenant } from '../src/testing/index.ts'
import { openImportPlace } from './people-import.fixture.ts'

let place: Awaited<ReturnType<typeof openImportPlace>>
before(async () => {
  place = await openImportPlace()
})
after(() => place?.close())

const [, PASSWORD = '', HASH = ''] = foreignHashes.find(([origin]) => origin === 'werkzeug pbkdf2:sha256:2000') ?? []
const fresh = (name = 'somebody') => `${name}-${newId()}@example.com`
const login = (email: string, password = PASSWORD) =>
  place.t.request('POST', '/api/v1/auth/login', { body: { email, password } })
const register = (email: string, password = 'seven lanterns over the harbour') =>
  place.t.request('POST', '/api/v1/auth/register', {
    body: { email, password, name: 'Mallory', tenant_name: 'Elsewhere' },
  })

async function personOf(email: string) {
  const [row] = await place.t.core.db.systemQuery<Record<string, unknown>>(
    `select u.*, p.hash from users u left join user_passwords p on p.user_id = u.id where u.email_normalized = $1`,
    [email],
  )
  return row
}

async function memberOf({ owner }: TestTenant, email: string) {
  const { body } = await owner.get(`/users?q=${encodeURIComponent(email)}`)
  const [member] = body.data
  return member && { ...member, roles: member.roles.map(({ name }: { name: string }) => name) }
}

/** What a dry run said, in the words of the real one. */
const asDone = (text: string) =>
  text
    .replaceAll('would be ', '')
    .replaceAll('would join', 'joins')
    .replaceAll('Would add', 'Added')
    .replaceAll('would not be taken', 'was not taken')

test('who was imported without a password cannot be registered by anybody else; a mail lets them in', async () => {
  const { t, take } = place
  const tenant = await t.foundTenant({ plan: 'business' })
  const [joined, confirmed, operator] = [fresh(), fresh(), fresh()]
  await take([{ email: joined, tenant: tenant.id }, { email: confirmed, email_verified: true }, { email: operator }])
  await t.core.db.systemQuery("update users set operator_roles = '{support}' where email = $1", [operator])
  const password = 'nine paper boats at dusk'
  for (const email of [joined, confirmed, operator]) {
    const answer = await register(email, password)
    assert.deepEqual([answer.status, answer.body.code], [409, 'email_taken'], answer.text)
    assert.equal((await personOf(email))?.hash, null)
    assert.equal((await login(email, password)).status, 401)
  }
  const [one, two] = await Promise.all([register(joined, password), register(joined.toUpperCase(), password)])
  assert.deepEqual([one.status, two.status], [409, 409])
  await t.request('POST', '/api/v1/auth/forgot-password', { body: { email: joined } })
  await t.drainJobs(null)
  const mails = (await t.mails(joined)).map(({ text }) => /reset\S*\?token=(\S+)/.exec(text ?? '')?.[1])
  const token = decodeURIComponent(mails.find((found) => found !== undefined) ?? assert.fail('no link'))
  const reset = await t.request('POST', '/api/v1/auth/reset-password', { body: { token, password } })
  assert.equal(reset.status, 204, reset.text)
  assert.equal((await login(joined, password)).body.tenant.id, tenant.id)
  assert.ok((await personOf(joined))?.email_verified_at)
})

test('lets nobody into a tenant who registered the address of somebody else before', async () => {
  const { t, take } = place
  const tenant = await t.foundTenant({ plan: 'business' })
  const [squatted, confirmed, operator] = [fresh('squatted'), fresh('confirmed'), fresh('operator')]
  for (const email of [squatted, confirmed, operator]) assert.equal((await register(email)).status, 201)
  await t.core.db.systemQuery('update users set email_verified_at = now() where email = any($1)', [
    [confirmed, operator],
  ])
  await t.core.db.systemQuery("update users set operator_roles = '{billing}' where email = $1", [operator])
  const people = [squatted, confirmed, operator].map((email) => ({
    ...{ email, password_hash: HASH, email_verified: true, tenant: tenant.id, role: 'admin' },
  }))
  const dry = await take(people, '--dry-run --verbose')
  const { code, out } = await take(people, '--verbose')
  assert.equal(code, 1)
  assert.equal(asDone(dry.out).replace('lines was', 'lines were'), out)
  const [first, second, third] = out.split('\n')
  assert.match(
    first ?? '',
    /^Line 1: squatted-\S+ has an account whose address is not confirmed: they have to confirm it/,
  )
  assert.match(second ?? '', /^Line 2: confirmed-\S+ exists, joins/)
  assert.match(third ?? '', /^Line 3: operator-\S+ runs the installation/)
  assert.deepEqual((await memberOf(tenant, confirmed)).roles, ['admin'])
  for (const email of [squatted, operator]) assert.equal(await memberOf(tenant, email), undefined)
  await t.core.db.systemQuery('update users set email_verified_at = now() where email = $1', [squatted])
  assert.match((await take(people.slice(0, 1))).out, /Added 1 membership/)
})

test('who registers an address while it is being imported does not come into the tenant', async () => {
  const { t, take } = place
  const tenant = await t.foundTenant({ plan: 'business' })
  const email = fresh()
  await take([{ email }])
  const ctx = createContext(t.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  const transaction: Ctx['transaction'] = async (work, options) => {
    if (options?.readOnly !== true) assert.equal((await register(email)).status, 201)
    return ctx.transaction(work, options)
  }
  const importer = await openImporter(Object.create(ctx, { transaction: { value: transaction } }), {})
  const entry = readEntry({ email, tenant: tenant.id })
  if ('problems' in entry) assert.fail(entry.problems.join())
  const [result] = await importer.take([entry])
  assert.equal(result?.outcome, 'failed')
  assert.match(result?.reason ?? '', /address is not confirmed/)
  assert.equal(await memberOf(tenant, email), undefined)
})

test('an import raced by registrations of the address never lets both into the tenant', async () => {
  const { t, take } = place
  const tenant = await t.foundTenant({ plan: 'business' })
  const emails = Array.from({ length: 20 }, () => fresh())
  await take(emails.map((email) => ({ email })))
  const [, ...answers] = await Promise.all([
    take(emails.map((email) => ({ email, tenant: tenant.id }))),
    ...emails.map((email) => register(email)),
  ])
  for (const [index, email] of emails.entries()) {
    const isMember = (await memberOf(tenant, email)) !== undefined
    assert.equal(isMember, answers[index]?.status === 409, answers[index]?.text)
  }
})
