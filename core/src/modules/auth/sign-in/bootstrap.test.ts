import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomToken } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { BOOTSTRAP_TOKEN, createAuthCore, PASSWORD, register, statusOf, tally, twenty } from '../auth.fixture.ts'
import { ensureBootstrapToken, requireBootstrapSetting } from './bootstrap.ts'

const bootstrap = (test: TestCore, bootstrap_token: string, email = 'root@example.com') =>
  test.request('POST', '/api/v1/auth/bootstrap', {
    body: { bootstrap_token, email, password: PASSWORD, name: 'Rosa Root' },
  })
const codeOf = ({ status, body }: { status: number; body: { code?: string } }) =>
  status < 300 ? `${status}` : `${status} ${body.code}`

async function withCore(env: Record<string, string>, work: (test: TestCore) => Promise<void>): Promise<void> {
  const test = await createAuthCore({ env })
  try {
    await work(test)
  } finally {
    await test.close()
  }
}

test('the first super admin is made with the configured token, once', () =>
  withCore({}, async (t) => {
    assert.equal(await ensureBootstrapToken(t.core), null, 'there is nothing to print')
    assert.equal(codeOf(await bootstrap(t, 'another token')), '401 invalid_credentials')
    const taken = await register(t)
    assert.equal(codeOf(await bootstrap(t, BOOTSTRAP_TOKEN, taken.email)), '409 email_taken')
    const answer = await bootstrap(t, BOOTSTRAP_TOKEN)
    assert.equal(answer.status, 201, answer.text)
    assert.deepEqual([answer.body.user.is_super_admin, answer.body.tenant], [true, null])
    assert.equal(await statusOf(t, answer.body.access_token), 200)
    assert.equal(codeOf(await bootstrap(t, BOOTSTRAP_TOKEN, 'second@example.com')), '409 already_bootstrapped')
    assert.equal(codeOf(await bootstrap(t, 'another token', 'second@example.com')), '401 invalid_credentials')
  }))

test('twenty parallel attempts make one super admin', () =>
  withCore({}, async (t) => {
    const answers = await twenty((i) => bootstrap(t, BOOTSTRAP_TOKEN, `root${i}@example.com`))
    assert.deepEqual(tally(answers), { '201': 1, '409 already_bootstrapped': 19 })
    const admins = await t.core.db.systemQuery('select email from users')
    assert.equal(admins.length, 1, 'the others left nobody behind')
  }))

test('without a configured token one is made, shown once and kept as a hash', () =>
  withCore({ BOOTSTRAP_TOKEN: '' }, async (t) => {
    assert.equal(codeOf(await bootstrap(t, 'x')), '401 invalid_credentials')
    const shown = await Promise.all([1, 2, 3].map(() => ensureBootstrapToken(t.core)))
    const [token, ...rest] = shown.filter((each) => each !== null)
    assert.ok(token)
    assert.deepEqual(rest, [])
    assert.ok(!JSON.stringify(await t.core.db.systemQuery('select * from bootstraps')).includes(token))
    assert.equal((await bootstrap(t, token)).status, 201)
    assert.equal(codeOf(await bootstrap(t, token, 'second@example.com')), '409 already_bootstrapped')
    assert.equal(await ensureBootstrapToken(t.core), null)
  }))

test('production shows no token: it is given, until the first super admin exists', async () => {
  const production = { NODE_ENV: 'production', APP_SECRET: randomToken(), PUBLIC_URL: 'https://app.test', MAIL: 'off' }
  await withCore({ ...production, BOOTSTRAP_TOKEN: '' }, async (t) => {
    await assert.rejects(requireBootstrapSetting(t.core), /BOOTSTRAP_TOKEN is required in production/)
    assert.equal(await ensureBootstrapToken(t.core), null)
    const given = await createAuthCore({ database: t.database, env: { ...production, BOOTSTRAP_TOKEN } })
    await requireBootstrapSetting(given.core)
    const made = await bootstrap(given, BOOTSTRAP_TOKEN)
    await given.close()
    assert.equal(made.status, 201)
    await requireBootstrapSetting(t.core)
  })
  await withCore({ BOOTSTRAP_TOKEN: '' }, ({ core }) => requireBootstrapSetting(core))
})
