import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import {
  addStranger,
  addToTenant,
  createAuthCore,
  login,
  OTHER_PASSWORD,
  type Person,
  register,
  tally,
  tokenTo,
} from '../auth.fixture.ts'
import { foreignHashes } from '../passwords/foreign-hashes.fixture.ts'
import { toStoredHash } from '../passwords/foreign-hashes.ts'
import { passwordHasher } from '../passwords/hash.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t.close())

const [, IMPORTED = '', HASH = ''] = foreignHashes.find(([origin]) => origin === 'werkzeug pbkdf2:sha256:2000') ?? []
const OTHER_HASH = foreignHashes.find(([origin]) => origin === 'django pbkdf2_sha1')?.[2] ?? ''
const OURS = /^\$argon2id\$v=19\$m=8,t=1,p=1\$/

/** Somebody whose password came from elsewhere. */
async function imported(hash = HASH): Promise<Person> {
  const person = await register(t)
  await store(person, toStoredHash(hash))
  return person
}

const store = ({ userId }: Person, hash: string) =>
  t.core.db.systemQuery('update user_passwords set hash = $1 where user_id = $2', [hash, userId])

async function stored({ userId }: Person): Promise<string> {
  const [row] = await t.core.db.systemQuery<{ hash: string }>('select hash from user_passwords where user_id = $1', [
    userId,
  ])
  return row?.hash ?? assert.fail('no password')
}

/** Does `work` once in the moment when a hash is made anew. */
function whileHashing(work: () => Promise<unknown>): void {
  const hasher = t.core.use(passwordHasher)
  const { hash } = hasher
  hasher.hash = async (password) => {
    hasher.hash = hash
    await work()
    return hash(password)
  }
}

test('an imported password signs in, by a hash of ours from then on', async () => {
  for (const [origin, password, hash] of foreignHashes) {
    // No request carries a NUL.
    if (password.includes('\0')) continue
    const person = await imported(hash)
    assert.equal((await login(t, person.email, password)).status, 200, origin)
    assert.match(await stored(person), OURS, origin)
    assert.equal((await login(t, person.email, password)).status, 200, `${origin} again`)
    assert.equal((await login(t, person.email, `${password}.`)).status, 401, `${origin}, another one`)
  }
})

test('a wrong password is refused, counted, and changes nothing', async () => {
  const person = await imported()
  for (let attempt = 0; attempt < 10; attempt++)
    assert.equal((await login(t, person.email, OTHER_PASSWORD)).body.code, 'invalid_credentials')
  assert.equal((await login(t, person.email, IMPORTED)).body.code, 'too_many_attempts')
  assert.equal(await stored(person), HASH)
})

test('a sign-in that is refused after the password was right leaves the imported hash', async () => {
  const person = await imported()
  const elsewhere = await register(t)
  const { status } = await login(t, person.email, IMPORTED, { tenant_id: elsewhere.tenantId })
  assert.equal(status, 403)
  assert.equal(await stored(person), HASH)
  await t.core.db.systemQuery("update users set status = 'disabled' where id = $1", [person.userId])
  assert.equal((await login(t, person.email, IMPORTED)).body.code, 'account_disabled')
  assert.equal(await stored(person), HASH)
})

test('who is asked for a second factor has given the password: it is hashed anew', async () => {
  const person = await imported()
  await t.core.db.systemQuery('update users set two_factor_enabled = true where id = $1', [person.userId])
  assert.equal((await login(t, person.email, IMPORTED)).body.two_factor_required, true)
  assert.match(await stored(person), OURS)
})

test('of thirty sign-ins at once all succeed, and the hash is made anew', async () => {
  const person = await imported()
  const answers = await Promise.all(Array.from({ length: 30 }, () => login(t, person.email, IMPORTED)))
  assert.deepEqual(tally(answers), { 200: 30 })
  assert.match(await stored(person), OURS)
  assert.equal((await login(t, person.email, IMPORTED)).status, 200)
})

test('a sign-in whose hash another one has made anew meanwhile succeeds by that', async () => {
  const person = await imported()
  let other = ''
  whileHashing(async () => {
    assert.equal((await login(t, person.email, IMPORTED)).status, 200)
    other = await stored(person)
  })
  assert.equal((await login(t, person.email, IMPORTED)).status, 200)
  assert.match(other, OURS)
  assert.equal(await stored(person), other)
})

test('a password that is changed meanwhile stays so, and the old one does not sign in', async () => {
  const person = await imported()
  const changed = await t.core.use(passwordHasher).hash(OTHER_PASSWORD)
  whileHashing(() => store(person, changed))
  assert.equal((await login(t, person.email, IMPORTED)).body.code, 'invalid_credentials')
  assert.equal(await stored(person), changed)
})

test('changes raced by sign-ins with the imported password are never undone', async () => {
  for (let round = 0; round < 4; round++) {
    const person = await imported()
    const change = () =>
      t.request('POST', '/api/v1/auth/change-password', {
        token: person.token,
        body: { current_password: IMPORTED, new_password: OTHER_PASSWORD },
      })
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => login(t, person.email, IMPORTED)),
      change(),
      ...Array.from({ length: 6 }, () => login(t, person.email, IMPORTED)),
    ])
    const isChanged = answers[6]?.status === 204
    const [right, wrong] = isChanged ? [OTHER_PASSWORD, IMPORTED] : [IMPORTED, OTHER_PASSWORD]
    assert.equal((await login(t, person.email, right)).status, 200, JSON.stringify(tally(answers)))
    assert.equal((await login(t, person.email, wrong)).status, 401)
  }
})

test('an imported password can be changed by who is signed in', async () => {
  const person = await imported()
  const body = { current_password: OTHER_PASSWORD, new_password: 'nine paper boats at dusk' }
  const change = (current_password: string) =>
    t.request('POST', '/api/v1/auth/change-password', { token: person.token, body: { ...body, current_password } })
  assert.equal((await change(OTHER_PASSWORD)).status, 401)
  assert.equal((await change(IMPORTED)).status, 204)
  assert.match(await stored(person), OURS)
})

test('an imported password accepts an invitation, and is hashed anew with it', async () => {
  const [person, owner] = [await imported(), await register(t)]
  const invited = await t.request('POST', '/api/v1/users/invite', { token: owner.token, body: { email: person.email } })
  assert.equal(invited.status, 201, invited.text)
  const token = await tokenTo(t, person.email, 'invites you')
  const accept = (password: string) => t.request('POST', '/api/v1/auth/accept-invite', { body: { token, password } })
  assert.equal((await accept(OTHER_PASSWORD)).status, 401)
  whileHashing(() => store(person, toStoredHash(OTHER_HASH)))
  assert.equal((await accept(IMPORTED)).status, 401, 'it was changed meanwhile')
  assert.equal(await stored(person), OTHER_HASH)
  await store(person, HASH)
  const answer = await accept(IMPORTED)
  assert.deepEqual([answer.status, answer.body.tenant_id], [200, owner.tenantId])
  assert.match(await stored(person), OURS)
})

test('an imported password is replaced by a link in a mail', async () => {
  const person = await imported()
  await t.request('POST', '/api/v1/auth/forgot-password', { body: { email: person.email } })
  const token = await tokenTo(t, person.email, 'password')
  const body = { token, password: 'nine paper boats at dusk' }
  assert.equal((await t.request('POST', '/api/v1/auth/reset-password', { body })).status, 204)
  assert.match(await stored(person), OURS)
  assert.equal((await login(t, person.email, IMPORTED)).status, 401)
})

test('who is put into a tenant while somebody registers their address is not registered', async () => {
  const { tenantId } = await register(t)
  const email = `${newId()}@example.com`
  const { id: userId } = await addStranger(t, email)
  const body = { email, password: OTHER_PASSWORD, name: 'Mallory', tenant_name: 'Elsewhere' }
  whileHashing(() => addToTenant(t, { userId }, tenantId))
  const answer = await t.request('POST', '/api/v1/auth/register', { body })
  assert.deepEqual([answer.status, answer.body.code], [409, 'email_taken'], answer.text)
  assert.equal((await login(t, email, OTHER_PASSWORD)).status, 401)
})
