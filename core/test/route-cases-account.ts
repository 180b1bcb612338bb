import assert from 'node:assert/strict'
import {
  BOOTSTRAP_TOKEN,
  login,
  OTHER_PASSWORD,
  PASSWORD,
  type Person,
  register,
  registerUnproven,
  runJobs,
  statusOf,
  tokenTo,
} from '../src/modules/auth/auth.fixture.ts'
import { listMailbox } from '../src/modules/mail/mailbox.ts'
import type { Answered } from '../src/testing/index.ts'
import { has, type RouteCase, type RouteCases, type Sent } from './route-case.ts'
import { anAddress, type World } from './route-world.ts'

const signIn = async ({ test }: World, { email }: Pick<Person, 'email'>, password = PASSWORD): Promise<string> =>
  (await login(test, email, password)).body.access_token

/** Tokens came, and the access token opens the person's own profile. */
async function signedIn({ body }: Answered, { test }: World): Promise<void> {
  assert.equal(body.token_type, 'Bearer')
  assert.ok(body.expires_in > 0 && body.refresh_token)
  assert.equal(await statusOf(test, body.access_token), 200)
}

const emailOf = ({ body }: Sent): string => Object(body).email

/** A page or a file that is text, and contains this. */
const shows = (text: string, type: string): RouteCase => ({
  given: () => ({ token: null }),
  see: (answer) => {
    assert.ok(answer.text.includes(text))
    assert.match(String(answer.headers['content-type']), new RegExp(`^${type}`))
  },
})

const healthy = (fields: object): RouteCase => ({
  given: () => ({ token: null }),
  see: (answer) => has(answer, { status: 'ok', ...fields }),
})

/** Signing in and out, the ways back into an account, and what the server says of itself. */
export const accountCases: RouteCases = {
  'POST /auth/register': {
    given: () => ({
      token: null,
      body: { email: anAddress(), password: PASSWORD, name: 'Ada', tenant_name: 'Engines', tenant_slug: 'engines-ltd' },
    }),
    see: async (answer, sent, world) => {
      has(answer, { user: { email: emailOf(sent), name: 'Ada' }, tenant: { name: 'Engines', slug: 'engines-ltd' } })
      assert.equal(answer.headers.location, '/api/v1/users/me')
      await signedIn(answer, world)
    },
  },
  'POST /auth/login': {
    given: ({ owner }) => ({
      token: null,
      body: { email: owner.email, password: PASSWORD, tenant_id: owner.tenantId },
    }),
    see: async (answer, _sent, world) => {
      const { tenantId, userId } = world.owner
      has(answer, { tenant_id: tenantId, user: { id: userId }, tenant: { id: tenantId } })
      await signedIn(answer, world)
    },
  },
  'POST /auth/refresh': {
    given: async ({ test }) => ({ token: null, body: { refresh_token: (await register(test)).refreshToken } }),
    see: async (answer, { body }, world) => {
      assert.notEqual(answer.body.refresh_token, Object(body).refresh_token)
      await signedIn(answer, world)
    },
  },
  'POST /auth/bootstrap': {
    given: () => ({
      token: null,
      body: { bootstrap_token: BOOTSTRAP_TOKEN, email: anAddress(), password: PASSWORD, name: 'Root' },
    }),
    see: async (answer, sent, world) => {
      has(answer, { user: { email: emailOf(sent), is_super_admin: true }, tenant: null, tenant_id: null })
      await signedIn(answer, world)
    },
  },
  'POST /auth/logout': {
    given: async (world) => ({
      token: await signIn(world, world.owner),
      again: () => signIn(world, world.owner),
    }),
    see: async (_answer, { token }, { test, ownerElsewhere }) => {
      assert.equal(await statusOf(test, token ?? ''), '401 session_revoked')
      assert.equal(await statusOf(test, ownerElsewhere), 200)
    },
  },
  'POST /auth/logout-all': {
    given: async (world) => {
      const person = await register(world.test)
      return { token: person.token, again: () => signIn(world, person) }
    },
    see: async (_answer, { token }, { test }) => assert.equal(await statusOf(test, token ?? ''), '401 session_revoked'),
  },
  'POST /auth/forgot-password': {
    given: async ({ test }) => ({ token: null, body: { email: (await register(test)).email } }),
    see: async (_answer, sent, { test }) => assert.ok(await tokenTo(test, emailOf(sent), 'password')),
  },
  'POST /auth/reset-password': {
    given: async ({ test }) => {
      const { email } = await register(test)
      await test.request('POST', '/api/v1/auth/forgot-password', { body: { email } })
      return { token: null, body: { token: await tokenTo(test, email, 'password'), password: OTHER_PASSWORD } }
    },
    see: async (_answer, { body }, { test }) => {
      const again = await test.request('POST', '/api/v1/auth/reset-password', { body })
      assert.deepEqual([again.status, again.body.code], [400, 'invalid_token'])
    },
  },
  'POST /auth/verify-email': {
    given: async ({ test }) => {
      const { email } = await registerUnproven(test)
      return { token: null, body: { token: await tokenTo(test, email, 'address') } }
    },
    see: async (_answer, { body }, { test }) => {
      const again = await test.request('POST', '/api/v1/auth/verify-email', { body })
      assert.deepEqual([again.status, again.body.code], [400, 'invalid_token'])
    },
  },
  'POST /auth/resend-verification': {
    given: async ({ test }) => {
      const { token } = await registerUnproven(test)
      return { token, again: () => token }
    },
    see: ({ text }) => assert.equal(text, ''),
  },
  'POST /auth/accept-invite': {
    given: async ({ test, make }) => {
      const email = anAddress()
      await make('/users/invite', { email, name: 'Ines' })
      return { token: null, body: { token: await tokenTo(test, email, ''), password: PASSWORD, name: 'Inès' } }
    },
    see: async (answer, _sent, world) => {
      has(answer, { user: { name: 'Inès' }, tenant: { id: world.owner.tenantId } })
      await signedIn(answer, world)
    },
  },
  'POST /auth/switch-tenant': {
    given: async ({ test, make }) => {
      const { token } = await register(test)
      const second = await make('/tenants', { name: 'Second' }, token)
      return { token, again: () => token, body: { tenant_id: second.body.id } }
    },
    see: async (answer, { body, token }, world) => {
      has(answer, Object(body))
      await signedIn(answer, world)
      assert.equal(await statusOf(world.test, token ?? ''), 200)
    },
  },
  'POST /auth/change-password': {
    given: async ({ test }) => {
      const { token } = await register(test)
      const again = async () => {
        const body = { current_password: OTHER_PASSWORD, new_password: PASSWORD }
        const back = await test.request('POST', '/api/v1/auth/change-password', { token, body })
        assert.equal(back.status, 204, back.text)
        return token
      }
      return { token, again, body: { current_password: PASSWORD, new_password: OTHER_PASSWORD } }
    },
    see: async (_answer, { token }, { test }) => assert.equal(await statusOf(test, token ?? ''), 200),
  },
  'GET /.well-known/jwks.json': {
    given: () => ({ token: null }),
    see: (answer) => {
      has(answer, { keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA' }] })
      for (const key of answer.body.keys) assert.equal(key.d, undefined)
    },
  },
  'GET /dev/mailbox': shows('<h1>Mailbox</h1>', 'text/html'),
  'GET /dev/mailbox/:id': {
    given: async ({ test }) => {
      await register(test)
      await runJobs(test)
      const [mail] = await listMailbox(test.dataDir)
      return { token: null, params: { id: mail?.id ?? '' } }
    },
    see: ({ text }) => assert.match(text, /<h1>.+<\/h1>/),
  },
  'GET /health': healthy({}),
  'GET /health/db': healthy({ migrations: 'current' }),
  'GET /health/ready': healthy({ checks: [{ name: 'database', status: 'ok' }] }),
  'GET /metrics': shows('# TYPE tenantry_', 'text/plain'),
  'GET /api/openapi.json': shows('"openapi":"3.1', 'application/json'),
  'GET /api/openapi.yaml': shows('openapi: 3.1', 'application/yaml'),
  'GET /api/docs': shows('id="swagger-ui"', 'text/html'),
  'GET /api/docs/start.js': shows('SwaggerUIBundle', 'text/javascript'),
  'GET /api/docs/style.css': shows('.fold', 'text/css'),
  'GET /api/docs/swagger-ui.css': shows('.swagger-ui', 'text/css'),
  'GET /api/docs/swagger-ui-bundle.js': shows('SwaggerUIBundle', 'text/javascript'),
}
