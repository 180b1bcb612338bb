import { defineModule } from '#kernel'
import { pictures } from '../pictures/index.ts'
import * as events from './events.ts'
import { userHoldings } from './holdings.ts'
import { userRoutes } from './routes.ts'
import { readStoredSettings } from './settings.ts'

export { normalizeEmail } from '#kernel'
export * from './events.ts'
export { deleteUnusedUser } from './holdings.ts'
export {
  addUser,
  addUserTenant,
  changeUser,
  emailTaken,
  type NewUser,
  recordLogin,
  removeUserTenant,
  type UserPatch,
} from './operations.ts'
export { type AccountPatch, changeAccount, changeOperatorRoles, rolesOfOperator } from './operator-roles.ts'
export {
  findLogin,
  findUser,
  findUserByEmail,
  getUser,
  listOperators,
  listUsersByEmail,
  listUserTenants,
  listUserTenantsAfter,
  lockUser,
  lockUserIfThere,
} from './queries.ts'
export { AvatarUrl, presentUser, User } from './schema.ts'
export type { UserLoginRow, UserRow, UserTenantRow } from './table.ts'

/** People, across all tenants: who they are, when they last signed in, which tenants they belong to. */
export const users = defineModule({
  name: 'users',
  description: 'People across all tenants: your own profile.',
  dependsOn: [pictures],
  migrations: new URL('./migrations/', import.meta.url),
  events: Object.values(events),
  routes: userRoutes,
  settingsOf: { user: readStoredSettings },
  holdings: userHoldings,
  cases: () => import('./users.cases.ts'),
})
