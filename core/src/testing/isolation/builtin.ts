import { newId } from '../../kernel/ids.ts'
import type { Fillers } from './types.ts'

const MAILED = 'its token comes by mail and proves a person'

/** What the kit is told about the built-in modules. */
export const builtinFillers: Fillers = {
  requests: {
    'POST /auth/login': ({ email, password }) => ({ body: { email, password } }),
    // A tenant is named with a session in a cookie alone.
    'POST /auth/refresh': () => ({ body: { tenant_id: undefined } }),
    'POST /auth/switch-tenant': ({ tenantId }) => ({ body: { tenant_id: tenantId } }),
    'POST /auth/change-password': ({ password }) => ({ body: { current_password: password, new_password: password } }),
    'POST /users': async (tenant) => ({ body: { roles: [await aStoreRole(tenant)] } }),
    'POST /users/invite': async (tenant) => ({ body: { roles: [await aStoreRole(tenant)] } }),
    'POST /roles': () => ({ body: { scope: 'store', permissions: ['store.view'] } }),
    'DELETE /users/:id/roles/:role_id': async (tenant) => {
      const [id, { role_id, store_id }] = [await tenant.id('/users'), await aStoreRole(tenant)]
      await tenant.send('POST', `/users/${id}/roles`, { role_id, store_id })
      return { params: { id, role_id }, query: { store_id } }
    },
    'DELETE /stores/:id/users': async (tenant) => {
      const [id, user_id, role_id] = [await tenant.id('/stores'), await tenant.id('/users'), await tenant.id('/roles')]
      await tenant.send('POST', `/stores/${id}/users`, { user_id, role_id })
      return { params: { id }, query: { user_id } }
    },
    'PUT /roles/:id': () => ({ body: { permissions: ['store.view'] } }),
    'POST /authz/explain': () => ({ body: { permission: 'store.view' } }),
    // Exports are recorded with the ids that were asked for, whosever they are: the records looked at are of something else.
    'GET /audit': () => ({ query: { resource_type: 'store' } }),
    'GET /audit/export': () => ({ query: { resource_type: 'store' } }),
    // Nobody listens there: what is sent goes nowhere.
    'POST /audit/sinks': async (tenant) => {
      await freeSink(tenant)
      return { body: { url: `http://127.0.0.1:9/${tenant.text().replaceAll(' ', '-')}` } }
    },
    'PUT /audit/sinks/:id': (tenant) => ({ body: { url: `http://127.0.0.1:9/${tenant.text().replaceAll(' ', '-')}` } }),
    'POST /subscriptions/current/change-plan': async (tenant) => ({ body: { plan_id: await aPlan(tenant) } }),
    'POST /subscriptions/current/change-plan/preview': async (tenant) => ({ body: { plan_id: await aPlan(tenant) } }),
    'POST /subscriptions/current/cancel': () => ({ body: { at_period_end: true } }),
    'GET /subscriptions/plans/:id': async (tenant) => ({ params: { id: await aPlan(tenant) } }),
    'POST /subscriptions/current/reactivate': async (tenant) => {
      await tenant.send('POST', '/subscriptions/current/cancel', { at_period_end: true })
      return {}
    },
  },
  ids: { user_id: '/users', resource_id: '/stores', tax_id: null, plan_id: null, '/subscriptions/plans': null },
  tableRows: {
    limit_usage: ({ tenantId }) => ({
      tenant_id: tenantId,
      limit_name: 'prints',
      period_start: '2026-01-01T00:00:00Z',
      used: 1,
    }),
    // As a job writes them that seals records, and one that removes old ones.
    audit_chains: ({ tenantId }) => ({ ...sealed(tenantId), position: 0, sealed_to: FIRST_ID, updated_at: AT }),
    audit_names: ({ tenantId }) => ({
      tenant_id: tenantId,
      id: FIRST_ID,
      kind: 'action',
      ref: 'x',
      label: 'x',
      first_id: FIRST_ID,
      last_id: FIRST_ID,
    }),
    audit_terms: ({ tenantId }) => ({ tenant_id: tenantId, term: 'x', name_id: FIRST_ID }),
    audit_verifications: ({ tenantId }) => ({ tenant_id: tenantId, id: newId(), created_at: AT, updated_at: AT }),
    audit_blocks: ({ tenantId }) => ({
      ...sealed(tenantId),
      kind: 'removal',
      first_position: 1,
      record_count: 0,
      entries: '\\x',
      removed_to: FIRST_ID,
      kept_from: 1,
      previous_hash: NO_HASH,
      key_id: 'key',
      signature: '\\x',
    }),
  },
  makers: {
    '/users/invitations': 'POST /users/invite',
    '/audit': async (tenant) => (await tenant.send('GET', '/audit?limit=1&resource_type=store')).data[0].id,
  },
  probes: {
    'POST /auth/accept-invite': (tenantId) => ({
      body: { token: `${tenantId.replaceAll('-', '')}.${'x'.repeat(43)}` },
    }),
  },
  unproven: {
    'POST /auth/bootstrap': 'it works once, and has made the super admin',
    'POST /auth/refresh': 'a token is good for one exchange; which tenants a refresh reaches is proven beside it',
    'POST /auth/accept-invite': MAILED,
    'POST /auth/reset-password': MAILED,
    'POST /auth/verify-email': MAILED,
  },
  exempt: {
    'GET /dev/mailbox': 'shows every mail of the installation, in development alone',
    'GET /dev/mailbox/:id': 'as above',
  },
}

const AT = '2026-01-01T00:00:00Z'
const FIRST_ID = '00000000-0000-7000-8000-000000000000'
const NO_HASH = `\\x${'00'.repeat(32)}`

function sealed(tenantId: string) {
  return { tenant_id: tenantId, id: newId(), height: 1, hash: NO_HASH, complete_to: FIRST_ID, created_at: AT }
}

/** The roles that the kit makes are held for single stores. */
async function aStoreRole({ id }: { id(collection: string): Promise<string> }) {
  return { role_id: await id('/roles'), store_id: await id('/stores') }
}

/** Plans belong to nobody: any of them will do. */
async function aPlan({ send }: { send(method: string, path: string): Promise<PlanList> }): Promise<string> {
  const { data } = await send('GET', '/subscriptions/plans')
  const business = data.find(({ code }) => code === 'business')
  if (!business) throw new Error('There is no plan business')
  return business.id
}

/** A tenant has three sinks at most; the first is the one that stays. */
async function freeSink({ send }: { send(method: string, path: string): Promise<SinkList> }): Promise<void> {
  const { data } = await send('GET', '/audit/sinks')
  const last = data.at(-1)
  if (last && data.length >= 3) await send('DELETE', `/audit/sinks/${last.id}`)
}

interface SinkList {
  data: { id: string }[]
}

interface PlanList {
  data: { id: string; code: string }[]
}
