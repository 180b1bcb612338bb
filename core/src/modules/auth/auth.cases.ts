import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { newId } from '#kernel'
import { type Answered, type Cases, proveAddress, type Tenant, type TestCore } from '../../testing/index.ts'

const PASSWORD = 'a quiet walk along the river'
const OTHER_PASSWORD = 'seven lanterns over the harbour'

const post = (test: TestCore, path: string, body: object, token?: string) =>
  test.request('POST', `/api/v1/auth/${path}`, { body, token })

async function signIn(test: TestCore, email: string, password = PASSWORD): Promise<string> {
  return (await post(test, 'login', { email, password })).body.access_token
}

interface Newcomer {
  email: string
  userId: string
  tenantId: string
  token: string
  refreshToken: string
  again(): Promise<string>
}

/** Somebody who has registered a moment ago; the mail that proves their address is on its way. */
async function register({ test }: Tenant): Promise<Newcomer> {
  const email = `${newId()}@example.com`
  const { body } = await post(test, 'register', { email, password: PASSWORD, name: 'Ada', tenant_name: 'Engines' })
  const { access_token: token, refresh_token: refreshToken, user, tenant } = body
  return { email, token, refreshToken, userId: user.id, tenantId: tenant.id, again: () => signIn(test, email) }
}

/** And has proven their address. */
async function newcomer(tenant: Tenant): Promise<Newcomer> {
  const person = await register(tenant)
  await proveAddress(tenant.test, person.userId)
  return person
}

/** The token in the newest mail to an address whose subject contains a word. */
async function tokenTo(test: TestCore, { email, tenantId }: Pick<Newcomer, 'email' | 'tenantId'>, word: string) {
  for (const id of [tenantId, null]) await test.drainJobs(id)
  const mail = (await test.mails(email)).find(({ subject }) => subject.includes(word))
  const [, token] = /\?token=(\S+)/.exec(mail?.text ?? '') ?? []
  if (!token) throw new Error(`No mail about ${word} came for ${email}`)
  return decodeURIComponent(token)
}

const status = async ({ test }: Tenant, token = '') => (await test.request('GET', '/api/v1/users/me', { token })).status

/** Tokens came, and the access token opens the person's own profile. */
async function signedIn({ body }: Answered, tenant: Tenant): Promise<void> {
  assert.equal(body.token_type, 'Bearer')
  assert.ok(body.expires_in > 0 && body.refresh_token)
  assert.equal(await status(tenant, body.access_token), 200)
}

/** What was sent once is worth nothing any more. */
async function usedUp({ test }: Tenant, path: string, body: object): Promise<void> {
  const again = await post(test, path, body)
  assert.deepEqual([again.status, again.body.code], [400, 'invalid_token'])
}

async function signedOut(tenant: Tenant, token = ''): Promise<void> {
  const { status, body } = await tenant.test.request('GET', '/api/v1/users/me', { token })
  assert.deepEqual([status, body.code], [401, 'session_revoked'])
}

const cases: Cases = {
  routes: {
    'POST /auth/register': {
      given: ({ text }) => ({
        body: {
          email: `${newId()}@example.com`,
          password: PASSWORD,
          name: 'Ada',
          tenant_name: text(),
          tenant_slug: text().replaceAll(' ', '-'),
        },
      }),
      once: {},
      see: async (answer, { body }, tenant) => {
        const { email, name, tenant_name, tenant_slug } = body
        has(answer.body, { user: { email, name }, tenant: { name: tenant_name, slug: tenant_slug } })
        assert.equal(answer.headers.location, '/api/v1/users/me')
        await signedIn(answer, tenant)
      },
    },
    'POST /auth/login': {
      given: ({ email, password, tenantId }) => ({ body: { email, password, tenant_id: tenantId } }),
      see: async (answer, _sent, tenant) => {
        const { tenantId: id, email } = tenant
        has(answer.body, { tenant_id: id, user: { email }, tenant: { id } })
        await signedIn(answer, tenant)
      },
    },
    'POST /auth/refresh': {
      // A tenant is named with a session in a cookie alone.
      given: async (tenant) => ({
        body: { refresh_token: (await register(tenant)).refreshToken, tenant_id: undefined },
      }),
      once: { body: { tenant_id: undefined } },
      see: async (answer, { body }, tenant) => {
        assert.notEqual(answer.body.refresh_token, body.refresh_token)
        await signedIn(answer, tenant)
      },
    },
    'POST /auth/bootstrap': {
      unproven: 'it works once, and has made the super admin',
      given: ({ test, text }) => ({
        body: {
          bootstrap_token: test.core.config.bootstrapToken,
          email: `${newId()}@example.com`,
          password: PASSWORD,
          name: text(),
        },
      }),
      see: async (answer, { body }, tenant) => {
        has(answer.body, { user: { email: body.email, is_super_admin: true }, tenant: null, tenant_id: null })
        await signedIn(answer, tenant)
      },
    },
    'POST /auth/logout': {
      given: async ({ signIn }) => ({ token: await signIn(), again: signIn }),
      see: async (_answer, { token }, tenant) => {
        await signedOut(tenant, token)
        assert.equal(await status(tenant, tenant.owner), 200)
      },
    },
    'POST /auth/logout-all': {
      given: newcomer,
      see: (_answer, { token }, tenant) => signedOut(tenant, token),
    },
    'POST /auth/forgot-password': {
      given: async (tenant) => ({ body: { email: (await newcomer(tenant)).email } }),
      see: async (_answer, { body }, { test, tenantId }) =>
        assert.ok(await tokenTo(test, { email: String(body.email), tenantId }, 'password')),
    },
    'POST /auth/reset-password': {
      given: async (tenant) => {
        const person = await newcomer(tenant)
        await post(tenant.test, 'forgot-password', { email: person.email })
        return { body: { token: await tokenTo(tenant.test, person, 'password'), password: OTHER_PASSWORD } }
      },
      once: {},
      see: (_answer, { body }, tenant) => usedUp(tenant, 'reset-password', body),
    },
    'POST /auth/verify-email': {
      given: async (tenant) => ({ body: { token: await tokenTo(tenant.test, await register(tenant), 'address') } }),
      once: {},
      see: (_answer, { body }, tenant) => usedUp(tenant, 'verify-email', body),
    },
    'POST /auth/resend-verification': {
      given: register,
      see: ({ text }) => assert.equal(text, ''),
    },
    'POST /auth/accept-invite': {
      given: async (tenant) => {
        const email = `${newId()}@example.com`
        await tenant.send('POST', '/users/invite', { email, name: 'Ines' })
        return {
          body: {
            token: await tokenTo(tenant.test, { email, tenantId: tenant.tenantId }, ''),
            password: PASSWORD,
            name: 'Inès',
          },
        }
      },
      once: {},
      probe: (tenantId) => ({ body: { token: `${tenantId.replaceAll('-', '')}.${'x'.repeat(43)}` } }),
      see: async (answer, _sent, tenant) => {
        has(answer.body, { user: { name: 'Inès' }, tenant: { id: tenant.tenantId } })
        await signedIn(answer, tenant)
      },
    },
    'POST /auth/switch-tenant': {
      given: async (tenant) => {
        const { token, again } = await newcomer(tenant)
        const second = await tenant.test.request('POST', '/api/v1/tenants', { token, body: { name: 'Second' } })
        return { token, again, body: { tenant_id: second.body.id } }
      },
      see: async (answer, { body, token }, tenant) => {
        has(answer.body, body)
        await signedIn(answer, tenant)
        assert.equal(await status(tenant, token), 200)
      },
    },
    'POST /auth/change-password': {
      given: async (tenant) => {
        const { email, token } = await newcomer(tenant)
        const again = async () => {
          const other = await signIn(tenant.test, email, OTHER_PASSWORD)
          const body = { current_password: OTHER_PASSWORD, new_password: PASSWORD }
          assert.equal((await post(tenant.test, 'change-password', body, other)).status, 204)
          return other
        }
        return { token, again, body: { current_password: PASSWORD, new_password: OTHER_PASSWORD } }
      },
      see: async (_answer, { token }, tenant) => assert.equal(await status(tenant, token), 200),
    },
    'POST /users': {
      given: async (tenant) => ({
        body: {
          email: `${newId()}@example.com`,
          name: tenant.text(),
          password: PASSWORD,
          job_title: 'Cook',
          roles: [{ role_id: await tenant.id('/roles'), store_id: await tenant.id('/stores') }],
        },
      }),
      see: ({ body, text }, sent, { tenantId }) => {
        const { password, ...shown } = sent.body
        has(body, { tenant_id: tenantId, status: 'active', is_owner: false, ...shown })
        assert.ok(!text.includes(String(password)))
      },
    },
    'GET /.well-known/jwks.json': {
      see: ({ body }) => {
        has(body, { keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }] })
        for (const key of body.keys) assert.equal(key.d, undefined)
      },
    },
  },
}

export default cases
