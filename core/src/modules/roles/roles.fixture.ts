import {
  Closed,
  type Ctx,
  defineModule,
  defineRoute,
  type Module,
  Nullable,
  newId,
  notFound,
  Type,
  Uuid,
  unauthenticated,
} from '#kernel'
import type { Answered, RequestOptions, TestCore } from '../../testing/index.ts'
import { openStore } from '../stores/operations.ts'
import { foundTenant } from '../tenants/index.ts'
import { addUser } from '../users/index.ts'
import { assignRole, type RoleToAssign, roles, unassignRole } from './index.ts'
import { createRole } from './operations.ts'

const PREFIX = 'as.'

/**
 * Signs anybody in without a password: the credential says who and where, and which scopes it is narrowed to. So tests
 * of rights need neither passwords nor sessions.
 */
export const testSignIn: Module = defineModule({
  name: 'test-sign-in',
  authenticators: [
    {
      name: 'test',
      matches: (credential) => credential.startsWith(PREFIX),
      identify: (_core, credential) => {
        const [, userId, tenantId] = credential.split('.')
        if (!userId) throw unauthenticated()
        const actor = { type: 'user' as const, id: userId, label: 'test', impersonatorId: null }
        return { key: credential, userId, tenantId: tenantId || null, sessionId: null, actor }
      },
      standing: async (_tx, { actor, key }) => {
        const scopes = key.split('.')[3]
        return { actor, superAdmin: false, scopes: scopes ? scopes.split('+').map((s) => s.replace('_', '.')) : null }
      },
    },
  ],
})

/** A credential of that person, in that tenant or in none. */
export const tokenOf = (userId: string, tenantId: string | null): string => `${PREFIX}${userId}.${tenantId ?? ''}`

let people = 0

/** Somebody new whose address is proven, member of nothing. */
export async function addPerson({ core }: TestCore, name = 'Somebody'): Promise<string> {
  const email = `person-${++people}-${newId()}@example.com`
  return core.run(async (ctx) => (await addUser(ctx, { email, name, emailVerifiedAt: ctx.clock.now() })).id)
}

/** A tenant with its default store, as tests speak of it. */
export interface Company {
  id: string
  ownerId: string
  ownerToken: string
  mainStoreId: string
  /** Id of each system role. */
  roleIds: Record<string, string>
  /** Runs as the system in this tenant. */
  run<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>
  request(userId: string, method: string, url: string, options?: RequestOptions): Promise<Answered>
  /** Opens another store; its id. */
  addStore(name: string): Promise<string>
  /** Somebody new who holds that role, by its id or a system role's name, for the tenant or a store. */
  addHolder(role: string, storeId?: string | null): Promise<string>
  /** Makes a role of these permissions, asking nobody; its id. */
  addRole(permissions: string[], scope?: 'tenant' | 'store'): Promise<string>
}

export async function foundCompany(test: TestCore, name = 'Acme'): Promise<Company> {
  const ownerId = await addPerson(test, `Owner of ${name}`)
  const id = newId()
  const run: Company['run'] = (work) => test.core.run(work, { tenantId: id })
  await run((ctx) =>
    foundTenant(ctx, { id, name: `${name} ${id.slice(-8)}`, founder: { userId: ownerId, name: 'Owner' } }),
  )
  const { mainStoreId, roleIds } = await run(async ({ tx }) => {
    const store = await tx.selectFrom('stores').select('id').where('tenant_id', '=', id).executeTakeFirstOrThrow()
    const roles = await tx.selectFrom('roles').select(['id', 'name']).where('tenant_id', '=', id).execute()
    return { mainStoreId: store.id, roleIds: Object.fromEntries(roles.map((role) => [role.name, role.id])) }
  })
  return {
    id,
    ownerId,
    ownerToken: tokenOf(ownerId, id),
    mainStoreId,
    roleIds,
    run,
    request: (userId, method, url, options = {}) =>
      test.request(method, `/api/v1${url}`, { token: tokenOf(userId, id), ...options }),
    addStore: (storeName) => run(async (ctx) => (await openStore(ctx, { name: storeName })).id),
    addRole: (permissions, scope = 'tenant') =>
      run(async (ctx) => (await createRole(ctx, { name: `Role ${newId()}`, scope, permissions })).id),
    addHolder: async (role, storeId = null) => {
      const userId = await addPerson(test)
      const wanted = { userId, roleId: roleIds[role] ?? role, storeId }
      await run((ctx) => assignRole(ctx, wanted, { preauthorized: true }))
      return userId
    },
  }
}

const Assignment = Closed({ user_id: Uuid, role_id: Uuid, store_id: Type.Optional(Nullable(Uuid)) })
const assignRoute = (path: `/${string}`, work: (ctx: Ctx, wanted: RoleToAssign) => Promise<unknown>) =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Give or take a role, of whomever',
    access: { permission: 'role.assign', store: { named: '#/store_id' } },
    body: Assignment,
    response: { 200: Closed({ done: Type.Boolean() }) },
    errors: [notFound],
    handler: async (ctx, { body }) => ({
      done: (await work(ctx, { userId: body.user_id, roleId: body.role_id, storeId: body.store_id ?? null })) !== false,
    }),
  })

/**
 * Permissions that no system role but `owner` holds (`vault.open`) or that store roles may hold (`till.open`), and the
 * giving and taking of roles without memberships around it.
 */
export const testRights: Module = defineModule({
  name: 'test-rights',
  dependsOn: [roles],
  permissions: {
    'till.open': { description: 'Open tills', scope: 'store', roles: ['admin', 'manager', 'staff'] },
    'safe.open': { description: 'Open safes', scope: 'store', roles: [] },
    'vault.open': { description: 'Open the vault', roles: [] },
  },
  routes: [
    assignRoute('/test/assign', (ctx, wanted) => assignRole(ctx, wanted)),
    assignRoute('/test/unassign', (ctx, wanted) => unassignRole(ctx, wanted)),
  ],
})
