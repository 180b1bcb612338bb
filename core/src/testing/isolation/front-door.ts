import { OPERATOR_ROLES, type OperatorRole } from '../../kernel/access/operators.ts'
import { SECONDS } from '../../kernel/clock.ts'
import { apiKeys, scopesForKeys } from '../../modules/api-keys/index.ts'
import { impersonation } from '../../modules/impersonation/index.ts'
import type { TestCore } from '../core.ts'
import { peopleOf } from '../people.ts'
import { proveAddress } from '../prove-address.ts'
import type { Answered } from '../request.ts'
import type { Credentials, Founding, Tenant } from './types.ts'

const PASSWORD = 'seven lanterns over the harbour'
/** What the core of the kit is started with. */
export const BOOTSTRAP_TOKEN = 'bootstrap-token-of-the-isolation-kit'

/** Tenants and credentials as people come by them: by registering, signing in and being added to a tenant. */
export const frontDoor: Founding = {
  async found(test, marker) {
    const email = `owner-${marker}@example.com`
    const fields = { name: `${marker} owner`, tenant_name: `${marker} company`, tenant_slug: `${marker}-company` }
    const { body } = await post(test, '/auth/register', { email, password: PASSWORD, ...fields })
    await proveAddress(test, body.user.id)
    await chooseLargestPlan(test, body.access_token)
    const signIn = async () => (await login(test, email)).access_token
    return { tenantId: body.tenant.id, owner: body.access_token, email, password: PASSWORD, signIn }
  },

  async credentials(test, a, b) {
    const worthless = await spendTokens(test, a, b)
    const admin = { email: `admin-${a.marker}@example.com`, password: PASSWORD, name: 'Operator' }
    const { body } = await post(test, '/auth/bootstrap', { bootstrap_token: BOOTSTRAP_TOKEN, ...admin })
    const { member } = peopleOf(test.core, test.request, a.tenantId)
    const staff = await member({ name: `${a.marker} staff`, role: 'staff', store: await a.id('/stores') })
    const keys = hasKeys(test) ? await makeKeys(a) : {}
    return { owner: a.owner, staff: await staff.token(), superAdmin: body.access_token, ...keys, ...worthless }
  },

  async clerks(test, own, other) {
    const permissions = [...test.core.registry.permissions.values()]
    const inStores = permissions.filter(({ scope }) => scope === 'store').map(({ code }) => code)
    const all = await own.send('POST', '/roles', { name: own.text(), scope: 'store', permissions: inStores })
    const little = await own.send('POST', '/roles', { name: own.text(), scope: 'tenant', permissions: ['tenant.view'] })
    const { member } = peopleOf(test.core, test.request, own.tenantId)
    const hire = async (name: string) =>
      member({ name: `${own.marker} ${name}`, role: all.id, store: await own.id('/stores') })
    // One more works in both stores: whoever sees the one learns nothing of the other.
    const inBoth = { role_id: all.id, store_id: await other.id('/stores') }
    await own.send('POST', `/users/${await own.id('/users')}/roles`, inBoth)
    const [clerk, deputy] = [await hire('clerk'), await hire('deputy')]
    await own.send('POST', `/users/${deputy.userId}/roles`, { role_id: little.id })
    const keys = hasKeys(test) ? { storeKey: (await storeKey(own)).key } : {}
    return { clerk: await clerk.token(), deputy: await deputy.token(), ...keys }
  },

  async operators(test) {
    return Object.fromEntries(await Promise.all(OPERATOR_ROLES.map((role) => operatorOf(test, role))))
  },

  async impersonated(test, own) {
    if (!test.core.registry.modules.includes(impersonation)) return null
    const { id: user_id } = await own.send('GET', '/users/me')
    const operator = await test.addOperator(['all'])
    const begin = async (write: boolean): Promise<string> => {
      const body = { user_id, reason: 'What the isolation kit tries', write }
      const token = await operator.token()
      return (await post(test, `/admin/tenants/${own.tenantId}/impersonate`, body, token)).body.access_token
    }
    return { reads: await begin(false), writes: await begin(true) }
  },
}

const operatorOf = async (test: TestCore, role: OperatorRole): Promise<[OperatorRole, string]> => [
  role,
  await (await test.addOperator([role])).token(),
]

const hasKeys = ({ core }: TestCore) => core.registry.modules.includes(apiKeys)

/** Keys of a tenant with all that a key can hold: in the whole of it, in one store, and one that is revoked. */
async function makeKeys(own: Tenant): Promise<Pick<Credentials, 'apiKey' | 'storeKey' | 'revokedKey'>> {
  const scopes = scopesForKeys(own.test.core)
  const whole = await own.send('POST', '/api-keys', { name: own.text(), scopes })
  const revoked = await own.send('POST', '/api-keys', { name: own.text(), scopes })
  await own.send('DELETE', `/api-keys/${revoked.id}`)
  return { apiKey: whole.key, storeKey: (await storeKey(own)).key, revokedKey: revoked.key }
}

async function storeKey(own: Tenant): Promise<{ key: string }> {
  const { core } = own.test
  const scopes = scopesForKeys(core).filter((code) => core.registry.permissions.get(code)?.scope === 'store')
  return own.send('POST', '/api-keys', { name: own.text(), scopes, store_ids: [await own.id('/stores')] })
}

/** Tokens of A's owner that were good once. Moves the clock; both owners sign in anew. */
export async function spendTokens(test: TestCore, a: Tenant, b: Tenant): Promise<{ expired: string; revoked: string }> {
  const expired = a.owner
  test.clock.advance((test.core.config.tokens.accessTtlSeconds + 120) * SECONDS)
  a.owner = await a.signIn()
  b.owner = await b.signIn()
  const revoked = await a.signIn()
  await post(test, '/auth/logout', undefined, revoked)
  return { expired, revoked }
}

async function login(test: TestCore, email: string) {
  return (await post(test, '/auth/login', { email, password: PASSWORD })).body
}

async function post(test: TestCore, path: string, body: unknown, token?: string): Promise<Answered> {
  const answer = await test.request('POST', `/api/v1${path}`, { body, token })
  if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status} ${answer.text}`)
  return answer
}

/** The kit makes more of everything than a trial allows. */
async function chooseLargestPlan(test: TestCore, token: string): Promise<void> {
  if (!test.core.registry.modules.some(({ name }) => name === 'subscriptions')) return
  const { body } = await test.request('GET', '/api/v1/subscriptions/plans')
  const { id } = body.data.find(({ code }: { code: string }) => code === 'business')
  await post(test, '/subscriptions/current/change-plan', { plan_id: id }, token)
}
