import { defineModule } from '#kernel'
import { auth } from '../auth/index.ts'
import { load } from '../load/index.ts'
import { subscriptions } from '../subscriptions/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { adminRoutes } from './routes.ts'

export { reactivate, suspend } from './acts.ts'
export * from './events.ts'
export { listTenantsNamed, type NamedTenant } from './queries.ts'
export { revokeSessions } from './sessions.ts'

/** What operators see of the installation and do with its tenants. */
export const admin = defineModule({
  name: 'admin',
  description: 'For those who run the installation: how it does, and its tenants.',
  dependsOn: [users, tenants, auth, subscriptions, load],
  events: Object.values(events),
  routes: adminRoutes,
  cases: () => import('./admin.cases.ts'),
})
