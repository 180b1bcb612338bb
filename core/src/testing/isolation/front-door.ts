import { SECONDS } from '../../kernel/clock.ts'
import type { TestCore } from '../core.ts'
import { proveAddress } from '../prove-address.ts'
import type { Answered } from '../request.ts'
import type { Founding } from './types.ts'

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
    const expired = a.owner
    test.clock.advance((test.core.config.tokens.accessTtlSeconds + 120) * SECONDS)
    a.owner = await a.signIn()
    b.owner = await b.signIn()
    const revoked = await a.signIn()
    await post(test, '/auth/logout', undefined, revoked)
    const admin = { email: `admin-${a.marker}@example.com`, password: PASSWORD, name: 'Operator' }
    const { body } = await post(test, '/auth/bootstrap', { bootstrap_token: BOOTSTRAP_TOKEN, ...admin })
    const email = `staff-${a.marker}@example.com`
    const roles = [{ role_id: await findRole(a.send, 'staff'), store_id: await a.id('/stores') }]
    await a.send('POST', '/users', { email, name: `${a.marker} staff`, password: PASSWORD, roles })
    return {
      owner: a.owner,
      staff: (await login(test, email)).access_token,
      superAdmin: body.access_token,
      expired,
      revoked,
    }
  },

  async clerks(test, own, other) {
    const permissions = [...test.core.registry.permissions.values()]
    const inStores = permissions.filter(({ scope }) => scope === 'store').map(({ code }) => code)
    const store_id = await own.id('/stores')
    const all = await own.send('POST', '/roles', { name: own.text(), scope: 'store', permissions: inStores })
    const little = await own.send('POST', '/roles', { name: own.text(), scope: 'tenant', permissions: ['tenant.view'] })
    const hire = async (name: string, roles: object[]) => {
      const email = `${name}-${own.marker}@example.com`
      await own.send('POST', '/users', { email, name: `${own.marker} ${name}`, password: PASSWORD, roles })
      return (await login(test, email)).access_token
    }
    // One more works in both stores: whoever sees the one learns nothing of the other.
    const inBoth = { role_id: all.id, store_id: await other.id('/stores') }
    await own.send('POST', `/users/${await own.id('/users')}/roles`, inBoth)
    const inOne = { role_id: all.id, store_id }
    return { clerk: await hire('clerk', [inOne]), deputy: await hire('deputy', [inOne, { role_id: little.id }]) }
  },
}

async function findRole(
  send: (method: string, path: string) => Promise<{ data: { id: string; name: string }[] }>,
  name: string,
) {
  const { data } = await send('GET', '/roles?limit=100')
  const role = data.find((each) => each.name === name)
  if (!role) throw new Error(`There is no role ${name} to give to the staff of a store`)
  return role.id
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
