import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { runSchedule } from '../../../kernel/jobs/schedules.ts'
import type { TestCore } from '../../../testing/index.ts'
import { createAuthCore, login, mailsTo, OTHER_PASSWORD, PASSWORD, register, tally, twenty } from '../auth.fixture.ts'
import { sweep } from '../upkeep.ts'

const WRONG = 'certainly not this one'

let attacked: TestCore
before(async () => {
  attacked = await createAuthCore({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } })
  attacked.clock.stop()
})
after(() => attacked?.close())

let network = 0
/** A place that nobody has called from yet. */
const elsewhere = () => `2001:db8:${(++network).toString(16)}::1`
const attempt = (email: string, password: string, address: string) =>
  attacked.request('POST', '/api/v1/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': address },
  })
const guess = (email: string, address: string) => attempt(email, WRONG, address)
const changePassword = (token: string, current_password: string) =>
  attacked.request('POST', '/api/v1/auth/change-password', {
    body: { current_password, new_password: OTHER_PASSWORD },
    headers: { 'x-forwarded-for': elsewhere() },
    token,
  })

test('ten guesses from elsewhere stop neither another place nor a known device nor a live session', async () => {
  const person = await register(attacked)
  const place = elsewhere()
  for (let i = 0; i < 12; i++) await guess(person.email, place)
  assert.equal((await attempt(person.email, PASSWORD, place)).status, 429)
  assert.equal((await attempt(person.email, PASSWORD, elsewhere())).status, 200)
  assert.equal((await login(attacked, person.email)).status, 200)
  assert.equal((await changePassword(person.token, PASSWORD)).status, 204)
})

test('nor do ten thousand stop a known device or a live session, nor a hundred at other accounts from the same address', async () => {
  const person = await register(attacked)
  const [home, place] = [elsewhere(), elsewhere()]
  assert.equal((await attempt(person.email, PASSWORD, home)).status, 200)
  await guess(person.email, place)
  await attacked.core.db.systemQuery(
    "update login_failures set failures = 10000, next_at = $1 where key like 'account:%' or key like 'place:%'",
    [new Date(attacked.clock.ms() + 1_200_000).toISOString()],
  )
  await guess(newId(), home)
  await attacked.core.db.systemQuery("update login_failures set failures = 10000 where key like 'address:%'")
  assert.equal((await attempt(person.email, PASSWORD, place)).status, 429)
  assert.equal((await attempt(newId(), PASSWORD, home)).status, 429, 'a stranger at the same address')
  assert.equal((await attempt(person.email, PASSWORD, home)).status, 200, 'a known device')
  assert.equal((await changePassword(person.token, PASSWORD)).status, 204, 'a live session')
})

test('an account is guessed at less than a hundred times in 24 hours, from any number of places', async () => {
  const { email } = await register(attacked)
  const end = attacked.clock.ms() + 86_400_000
  let answered = 0
  while (attacked.clock.ms() < end) {
    const answer = await guess(email, elsewhere())
    if (answer.status === 401) answered++
    else attacked.clock.advance(Number(answer.headers['retry-after']) * 1000)
  }
  assert.ok(answered > 80 && answered < 100, String(answered))
  const waiting = await attempt(email, PASSWORD, elsewhere())
  attacked.clock.advance(Number(waiting.headers['retry-after'] ?? 0) * 1000)
  assert.equal((await attempt(email, PASSWORD, elsewhere())).status, 200, 'the person gets their turn')
})

test('of thirty simultaneous guesses from as many places twenty learn that they were wrong', async () => {
  const { email } = await register(attacked)
  const answers = await Promise.all(Array.from({ length: 30 }, () => guess(email, elsewhere())))
  assert.deepEqual(tally(answers), { '401 invalid_credentials': 20, '429 too_many_attempts': 10 })
  const locked = await attempt(email, PASSWORD, elsewhere())
  assert.deepEqual([locked.status, locked.headers['retry-after']], [429, '30'])
})

test('twenty simultaneous guesses count twenty', async () => {
  const [email, place] = [`${newId()}@example.com`, elsewhere()]
  await attacked.core.db.systemQuery('delete from login_failures')
  await twenty(() => guess(email, place))
  const rows = await attacked.core.db.systemQuery<{ kind: string; failures: number }>(
    "select split_part(key, ':', 1) as kind, failures from login_failures order by 1",
  )
  assert.deepEqual(
    rows.map(({ kind, failures }) => [kind, failures]),
    [
      ['account', 10],
      ['address', 20],
      ['place', 20],
    ],
    'and no more count against the account than were answered',
  )
})

test('a success takes back what failed at its place, not what failed elsewhere', async () => {
  const { email } = await register(attacked)
  const place = elsewhere()
  for (let i = 0; i < 12; i++) await guess(email, elsewhere())
  for (let i = 0; i < 8; i++) await guess(email, place)
  assert.equal((await attempt(email, PASSWORD, elsewhere())).status, 429, 'twenty have failed')
  attacked.clock.advance(30_000)
  assert.equal((await attempt(email, PASSWORD, place)).status, 200)
  for (let i = 0; i < 7; i++) assert.equal((await guess(email, elsewhere())).status, 401)
  assert.equal((await guess(email, elsewhere())).status, 401)
  assert.equal((await guess(email, elsewhere())).status, 429)
})

test('the owner of an account that is guessed at is told once, who has no account is not', async () => {
  const { email } = await register(attacked)
  const nobody = `${newId()}@example.com`
  for (let i = 0; i < 24; i++) {
    await guess(email, elsewhere())
    await guess(nobody, elsewhere())
    if (i >= 20) attacked.clock.advance(1_200_000)
  }
  const subjects = (await mailsTo(attacked, email)).map(({ subject }) => subject)
  assert.equal(subjects.filter((subject) => subject.includes('guessing')).length, 1)
  assert.deepEqual(await mailsTo(attacked, nobody), [])
})

test('an attack is forgotten a day after the last guess; what a clock far ahead has left stops nobody', async () => {
  const { email } = await register(attacked)
  for (let i = 0; i < 20; i++) await guess(email, elsewhere())
  const place = elsewhere()
  const later = new Date(attacked.clock.ms() + 800 * 86_400_000).toISOString()
  await attacked.core.db.systemQuery('update login_failures set window_ends_at = $1, next_at = $1, failures = 500', [
    later,
  ])
  assert.equal((await guess(email, place)).status, 401)
  for (let i = 0; i < 19; i++) await guess(email, elsewhere())
  assert.equal((await guess(email, elsewhere())).status, 429)
  attacked.clock.advance(86_400_000)
  for (let i = 0; i < 20; i++) assert.equal((await guess(email, elsewhere())).status, 401)
  attacked.clock.advance(86_400_001)
  await runSchedule(attacked.core, sweep)
  const left = await attacked.core.db.systemQuery('select 1 from login_failures where window_ends_at < $1', [
    attacked.clock.now(),
  ])
  assert.equal(left.length, 0)
})
