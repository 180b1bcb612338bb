import { defineModule } from '#kernel'
import { members } from '../members/index.ts'
import { roles } from '../roles/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { authzRoutes } from './routes.ts'
import { permissionSupport } from './support.ts'

/** Explains permissions: what a person may do, through which roles, and what is missing where they may not. */
export const authz = defineModule({
  name: 'authz',
  description: 'Why somebody may do something, or may not.',
  dependsOn: [users, tenants, stores, roles, members],
  routes: authzRoutes,
  support: [permissionSupport],
  cases: () => import('./authz.cases.ts'),
})
