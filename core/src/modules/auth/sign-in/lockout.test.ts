import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { BOOTSTRAP_TOKEN, createAuthCore, login, PASSWORD, register, tally, twenty } from '../auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore()
})
after(() => t?.close())

const WRONG = 'certainly not this one'
const from = (address: string) => ({ 'x-forwarded-for': address })
const attempt = (test: TestCore, email: string, password: string, address: string | undefined) =>
  test.request('POST', '/api/v1/auth/login', { body: { email, password }, headers: from(address ?? '') })

async function behindProxy<T>(work: (test: TestCore) => Promise<T>, env: Record<string, string> = {}): Promise<T> {
  const test = await createAuthCore({ env: { TRUSTED_PROXIES: '127.0.0.0/8', ...env } })
  try {
    return await work(test)
  } finally {
    await test.close()
  }
}

test('the tenth failure still says so, the eleventh attempt is locked out, even with the right password', async () => {
  const { email } = await register(t)
  for (let i = 0; i < 10; i++) assert.equal((await login(t, email, WRONG)).body.code, 'invalid_credentials')
  const locked = await login(t, email, PASSWORD)
  assert.equal(`${locked.status} ${locked.body.code}`, '429 too_many_attempts')
  const seconds = Number(locked.headers['retry-after'])
  assert.ok(seconds > 600 && seconds <= 900, String(seconds))
  t.clock.advance(seconds * 1000)
  assert.equal((await login(t, email, PASSWORD)).status, 200)
})

test('of thirty simultaneous guesses ten learn that they were wrong', async () => {
  const { email } = await register(t)
  const answers = await Promise.all(Array.from({ length: 30 }, () => login(t, email, WRONG)))
  assert.deepEqual(tally(answers), { '401 invalid_credentials': 10, '429 too_many_attempts': 20 })
  assert.equal((await login(t, email, PASSWORD)).status, 429)
})

test('a success clears the failures of the account; simultaneous successes do not lock', async () => {
  const { email } = await register(t)
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 9; i++) await login(t, email, WRONG)
    assert.equal((await login(t, email)).status, 200)
  }
  assert.deepEqual(tally(await twenty(() => login(t, email))), { '200': 20 })
})

test('an address without an account is locked out in the same way, in every spelling', async () => {
  const name = newId()
  for (let i = 0; i < 10; i++) assert.equal((await login(t, `${name}@example.com`, WRONG)).status, 401)
  assert.equal((await login(t, ` ${name.toUpperCase()}@Example.com`, WRONG)).status, 429)
})

test('a hundred failures lock an address out, whatever the accounts; an IPv6 network counts as one', async () => {
  await behindProxy(async (test) => {
    const { email } = await register(test)
    const addresses = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9']
    for (let i = 0; i < 100; i++) await attempt(test, `${newId()}@example.com`, WRONG, addresses[i % 2])
    assert.equal((await attempt(test, email, PASSWORD, '2001:db8:1:2::77')).status, 429)
    assert.equal((await attempt(test, email, PASSWORD, '2001:db8:1:3::77')).status, 200)
    const bootstrap = await test.request('POST', '/api/v1/auth/bootstrap', {
      body: { bootstrap_token: BOOTSTRAP_TOKEN, email: 'root@example.com', password: PASSWORD, name: 'Root' },
      headers: from('2001:db8:1:2::5'),
    })
    assert.equal(bootstrap.status, 429)
  })
})

test('a proxy that writes ports makes neither one client of many nor many of one', async () => {
  await behindProxy(async (test) => {
    const { email } = await register(test)
    for (let i = 0; i < 10; i++) await attempt(test, email, WRONG, `203.0.113.7:${50_000 + i}`)
    assert.equal((await attempt(test, email, PASSWORD, '203.0.113.7')).status, 429)
    assert.equal((await attempt(test, email, PASSWORD, '203.0.113.8:50000')).status, 200)
    for (let i = 0; i < 10; i++) await attempt(test, email, WRONG, `[2001:db8:5::1]:${50_000 + i}`)
    assert.equal((await attempt(test, email, PASSWORD, '2001:db8:5::2')).status, 429)
    assert.equal((await attempt(test, newId(), WRONG, '[2001:db8:6::1]:443')).status, 401)
  })
})

test('RATE_LIMIT_FACTOR multiplies the limits, and 0 switches them off', async () => {
  await behindProxy(
    async (test) => {
      const { email } = await register(test)
      const answers = []
      for (let i = 0; i < 7; i++) answers.push(await login(test, email, WRONG))
      assert.deepEqual(tally(answers), { '401 invalid_credentials': 5, '429 too_many_attempts': 2 })
    },
    { RATE_LIMIT_FACTOR: '0.5' },
  )
  await behindProxy(
    async (test) => {
      const { email } = await register(test)
      const answers = []
      for (let i = 0; i < 12; i++) answers.push(await login(test, email, WRONG))
      assert.deepEqual(tally(answers), { '401 invalid_credentials': 12 })
    },
    { RATE_LIMIT_FACTOR: '0' },
  )
})

test('a failing database ends no process where lockouts are off', async () => {
  const test = await createAuthCore({ env: { RATE_LIMIT_FACTOR: '0' } })
  try {
    const { email } = await register(test)
    const owner = new pg.Client({ connectionString: test.database.superuserUrl })
    await owner.connect()
    await owner.query('alter table core.known_devices rename to devices_of_old')
    await owner.end()
    // An unhandled rejection fails this test, as it would end a process.
    assert.equal((await login(test, email)).status, 500)
    await new Promise(setImmediate)
  } finally {
    await test.close()
  }
})
