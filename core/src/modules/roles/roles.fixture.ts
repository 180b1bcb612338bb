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
} from '#kernel'
import { claims } from '../../kernel/access/sign-in.fixture.ts'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { openStore } from '../stores/index.ts'
import { assignRole, createRole, type RoleToAssign, roles, unassignRole } from './index.ts'

/** A tenant, as tests of rights speak of it. */
export interface Company extends TestTenant {
  mainStoreId: string
  /** Id of each system role. */
  roleIds: Record<string, string>
  /** Opens another store; its id. */
  addStore(name: string): Promise<string>
  /** A member who holds that role, by its id or a system role's name, for the tenant or a store. */
  addHolder(role: string, storeId?: string | null): Promise<TestPerson>
  /** Makes a role of these permissions, asking nobody; its id. */
  addRole(permissions: string[], scope?: 'tenant' | 'store'): Promise<string>
}

export async function foundCompany(test: TestCore, name?: string): Promise<Company> {
  const tenant = await test.foundTenant({ name })
  const { id, run } = tenant
  const { mainStoreId, roleIds } = await run(async ({ tx }) => {
    const store = await tx.selectFrom('stores').select('id').where('tenant_id', '=', id).executeTakeFirstOrThrow()
    const roles = await tx.selectFrom('roles').select(['id', 'name']).where('tenant_id', '=', id).execute()
    return { mainStoreId: store.id, roleIds: Object.fromEntries(roles.map((role) => [role.name, role.id])) }
  })
  return {
    ...tenant,
    mainStoreId,
    roleIds,
    addStore: (storeName) => run(async (ctx) => (await openStore(ctx, { name: storeName })).id),
    addRole: (permissions, scope = 'tenant') =>
      run(async (ctx) => (await createRole(ctx, { name: `Role ${newId()}`, scope, permissions })).id),
    addHolder: (role, store = null) => tenant.member({ role: roleIds[role] ?? role, store }),
  }
}

/** Somebody's id, who is a member of nothing. */
export const addPersonId = async (test: TestCore): Promise<string> => (await test.addPerson()).userId

/** Credentials that are narrowed to some permissions. */
export const narrowedSignIn: Module = defineModule({ name: 'narrowed-sign-in', authenticators: [claims] })

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
