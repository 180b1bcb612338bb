import Type from 'typebox'
import { type Authenticator, Closed, defineModule, defineRoute, invalidApiKey, unauthenticated } from '#kernel'
import { claim, claims } from '../src/kernel/access/sign-in.fixture.ts'

const Nothing = { 204: null }
const nothing = () => undefined

/** Who comes with a key: the tenant, the key's id and how many requests a minute it may send. */
interface KeyClaim {
  tenantId: string
  apiKeyId: string
  requestsPerMinute?: number
}

const KEY = 'turnstile_'
export const keyOf = (content: KeyClaim) => KEY + Buffer.from(JSON.stringify(content)).toString('base64url')
const read = (credential: string): KeyClaim =>
  JSON.parse(Buffer.from(credential.slice(KEY.length), 'base64url').toString())

/** API keys that say themselves whose they are. */
const keys: Authenticator = {
  name: 'turnstile keys',
  takesKeys: true,
  matches: (credential) => credential.startsWith(KEY),
  identify: (_core, credential) => {
    if (credential === `${KEY}wrong`) throw invalidApiKey()
    const { tenantId, apiKeyId } = read(credential)
    const actor = { type: 'api_key' as const, id: apiKeyId, label: 'a key', impersonatorId: null }
    return { key: credential, tenantId, userId: null, sessionId: null, apiKeyId, actor }
  },
  standing: async (_tx, { key, actor }) => ({
    actor,
    superAdmin: false,
    scopes: null,
    requestsPerMinute: read(key).requestsPerMinute ?? null,
  }),
  errors: [unauthenticated],
}

const TENANT = '00000000-0000-7000-8000-00000000000'
export const tenantOf = (number: number) => TENANT + number
export const personOf = (name: string, tenant: number | null = 1) =>
  claim({
    tenantId: tenant === null ? null : tenantOf(tenant),
    userId: `00000000-0000-7000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`,
  })

/** What the plans of tenants allow; others are not limited. */
const PER_MINUTE = new Map([
  [tenantOf(2), 5],
  [tenantOf(3), 1_000],
])

const described = 'For tests'

/** An application's module with rate limits of its own. */
export const turnstile = defineModule({
  name: 'turnstile',
  permissions: { 'gate.pass': 'Pass' },
  authenticators: [claims, keys],
  grants: [async () => [{ permissions: ['gate.pass'], storeId: null, roleId: 'x', role: 'x' }]],
  limits: { exports_per_minute: { title: 'Exports per minute', per: 'minute' } },
  allowances: {
    consumed: async () => undefined,
    hasFeature: async () => true,
    overview: async () => ({ writable: true, features: [], limits: {} }),
    perMinute: async (ctx) => ({
      figures: {
        requests_per_minute: PER_MINUTE.get(ctx.tenantId) ?? null,
        exports_per_minute: ctx.tenantId === tenantOf(2) ? 2 : 3,
      },
      until: null,
    }),
  },
  rateLimits: {
    reports: { per: 'person', max: 3, windowSeconds: 3_600, description: described },
    tickets: { per: 'address', max: 4, windowSeconds: 10, description: described },
    subscribers: { per: 'account', max: 2, windowSeconds: 60, description: described },
    machines: { per: 'key', max: 2, windowSeconds: 60, description: described },
    exports: { per: 'tenant', max: { limit: 'exports_per_minute' }, windowSeconds: 60, description: described },
  },
  routes: [
    defineRoute({
      method: 'GET',
      path: '/gate',
      name: 'passGate',
      summary: 'Pass',
      access: { permission: 'gate.pass' },
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/own',
      name: 'passOwnGate',
      summary: 'Pass without a tenant',
      access: 'self',
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/open',
      name: 'passOpenGate',
      summary: 'Pass without a credential',
      access: 'public',
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/tickets',
      name: 'getTicket',
      summary: 'Get a ticket',
      access: 'public',
      rateLimit: 'tickets',
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/reports',
      name: 'getReport',
      summary: 'Get a report',
      access: { permission: 'gate.pass' },
      rateLimit: 'reports',
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/machines',
      name: 'getMachine',
      summary: 'For machines',
      access: { permission: 'gate.pass' },
      rateLimit: ['machines', 'exports'],
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'GET',
      path: '/gate/:id',
      summary: 'Look at a gate',
      access: 'self',
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'POST',
      path: '/gate/newsletter',
      name: 'subscribe',
      summary: 'Subscribe',
      access: 'public',
      rateLimit: 'subscribers',
      body: Closed({ email: Type.String() }),
      response: Nothing,
      handler: nothing,
    }),
    defineRoute({
      method: 'POST',
      path: '/gate/sign-in',
      name: 'signInAtGate',
      summary: 'Sign in',
      access: 'public',
      rateLimit: 'auth',
      body: Closed({ email: Type.String() }),
      response: Nothing,
      handler: nothing,
    }),
  ],
})
