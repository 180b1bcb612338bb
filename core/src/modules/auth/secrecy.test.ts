import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { newId } from '#kernel'
import { proveAddress, type TestCore } from '../../testing/index.ts'
import {
  addStranger,
  BOOTSTRAP_TOKEN,
  createAuthCore,
  login,
  OTHER_PASSWORD,
  PASSWORD,
  refresh,
  register,
  registerUnproven,
  tokenTo,
} from './auth.fixture.ts'

const MEASUREMENTS = 8

let t: TestCore
before(async () => {
  // Without limits: timing takes more attempts than an account is allowed.
  t = await createAuthCore({ fullPasswordCost: true, env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'trace' } })
})
after(() => t?.close())

test('no password and no token is in a log line or anywhere in the database, mails on their way included', async () => {
  const post = (path: string, body: unknown, token?: string) =>
    t.request('POST', `/api/v1/auth/${path}`, { body, token })
  const owner = await registerUnproven(t)
  const verification = await tokenTo(t, owner.email, 'Confirm')
  await proveAddress(t, owner.userId)
  const email = `${newId()}@example.com`
  await t.request('POST', '/api/v1/users/invite', { token: owner.token, body: { email } })
  await post('forgot-password', { email: owner.email })
  const rootBody = {
    bootstrap_token: BOOTSTRAP_TOKEN,
    email: 'root@example.com',
    password: PASSWORD,
    name: 'Rosa Root',
  }
  const root = await post('bootstrap', rootBody)
  const beforeSending = await wholeDatabase()

  const invitation = await tokenTo(t, email, 'invites you')
  const reset = await tokenTo(t, owner.email, 'Choose a new')
  const accepted = await post('accept-invite', { token: invitation, password: PASSWORD })
  await post('verify-email', { token: verification })
  const refreshed = await refresh(t, owner.refreshToken)
  const change = { current_password: PASSWORD, new_password: OTHER_PASSWORD }
  const headers = { 'idempotency-key': newId() }
  const [token, body] = [refreshed.body.access_token, { tenant_id: owner.tenantId }]
  const switched = await t.request('POST', '/api/v1/auth/switch-tenant', { token, body, headers })
  assert.equal(switched.status, 200, switched.text)
  await post('change-password', change, owner.token)
  await post('reset-password', { token: reset, password: OTHER_PASSWORD })
  await login(t, owner.email, 'a wrong password that nobody may read')
  await login(t, 'a password typed as address', 'x')
  await login(t, owner.email, OTHER_PASSWORD)

  const places = { log: t.logs.join(''), 'the database': await wholeDatabase(), 'jobs that wait': beforeSending }
  const answers = [root, accepted, refreshed, switched].map((answer) => answer.body)
  const secrets = [PASSWORD, OTHER_PASSWORD, BOOTSTRAP_TOKEN, 'a wrong password', 'typed as address']
  secrets.push(invitation, invitation.split('.')[1] ?? '', verification, reset, owner.token, owner.refreshToken)
  secrets.push(...answers.flatMap((each) => [each.access_token, each.refresh_token]))
  for (const secret of secrets) {
    assert.ok(secret?.length > 10, 'a secret to look for')
    for (const [place, text] of Object.entries(places))
      assert.ok(!text.includes(secret), `${secret.slice(0, 12)}… is in ${place}`)
  }
  assert.ok(places['the database'].includes(owner.email), 'the search itself finds what is there')
})

/** Every row of every table as text; bytes in the spelling that a token would have. */
async function wholeDatabase(): Promise<string> {
  const client = new pg.Client({ connectionString: t.database.superuserUrl })
  await client.connect()
  try {
    const { rows: tables } = await client.query(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not like 'pg\\_%'
       and schemaname <> 'information_schema'`,
    )
    const texts: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query(`select * from ${name}`)
      const spelled = (_: string, value: unknown) =>
        isBytes(value) ? Buffer.from(value.data).toString('latin1') : value
      texts.push(name, JSON.stringify(rows, spelled))
    }
    return texts.join('\n')
  } finally {
    await client.end()
  }
}

function isBytes(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
}

test('the time tells no more than the answer: sign-in', async () => {
  const person = await register(t)
  const invited = `${newId()}@example.com`
  await addStranger(t, invited)
  await assertAlike(15, {
    known: () => login(t, person.email, 'certainly not this one'),
    unknown: () => login(t, `${newId()}@example.com`, 'certainly not this one'),
    invited: () => login(t, invited, 'certainly not this one'),
  })
})

test('the time tells no more than the answer: a forgotten password', async () => {
  const person = await register(t)
  const forgot = (email: string) => t.request('POST', '/api/v1/auth/forgot-password', { body: { email } })
  await assertAlike(40, {
    known: () => forgot(person.email),
    unknown: () => forgot(`${newId()}@example.com`),
  })
})

/** Milliseconds of each kind of request, measured in turns so that a slow moment of the machine meets all of them. */
async function medians(rounds: number, kinds: Record<string, () => Promise<unknown>>): Promise<Record<string, number>> {
  const samples = Object.fromEntries(Object.keys(kinds).map((name): [string, number[]] => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, send] of Object.entries(kinds)) {
      const start = performance.now()
      await send()
      // The first round warms up.
      if (round > 0) samples[name]?.push(performance.now() - start)
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]))
}

/**
 * Generous, because the machine may be busy: a hash that is left out costs far more than this. And what differs by itself
 * differs each time that it is measured, while the machine's other work falls on one kind now and on another then.
 */
async function assertAlike(rounds: number, kinds: Record<string, () => Promise<unknown>>): Promise<void> {
  const seen: Record<string, number>[] = []
  while (seen.length < MEASUREMENTS) {
    const times = await medians(rounds, kinds)
    const values = Object.values(times)
    const [fastest, slowest] = [Math.min(...values), Math.max(...values)]
    if (slowest < fastest * 1.6 + 2) return
    seen.push(times)
  }
  assert.fail(JSON.stringify(seen))
}
