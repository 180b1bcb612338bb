import { defineModule } from '#kernel'
import { audit } from '../audit/index.ts'
import { auth } from '../auth/index.ts'
import { load } from '../load/index.ts'
import { members } from '../members/index.ts'
import { roles } from '../roles/index.ts'
import { subscriptions } from '../subscriptions/index.ts'
import { tenantExports } from '../tenant-exports/index.ts'
import { tenantRemoval } from '../tenant-removal/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as auditEvents from './audit/events.ts'
import { auditRoutes } from './audit/routes.ts'
import { bulkRoutes } from './bulk/routes.ts'
import * as events from './events.ts'
import * as jobEvents from './jobs/events.ts'
import { jobRoutes } from './jobs/routes.ts'
import * as peopleEvents from './people/events.ts'
import { peopleRoutes } from './people/routes.ts'
import * as planEvents from './plans/events.ts'
import { planRoutes } from './plans/routes.ts'
import * as rolloutEvents from './rollouts/events.ts'
import { rolloutRoutes } from './rollouts/routes.ts'
import { adminRoutes } from './routes.ts'
import { tenantExportRoutes } from './tenant-export.ts'

export { reactivate, suspend } from './acts.ts'
export * from './audit/events.ts'
export * from './events.ts'
export * from './jobs/events.ts'
export { revokeSessions } from './people/acts.ts'
export * from './people/events.ts'
export * from './plans/events.ts'
export { listTenantsNamed, type NamedTenant } from './queries.ts'
export * from './rollouts/events.ts'

/** What operators see of the installation and do with its tenants, people and jobs. */
export const admin = defineModule({
  name: 'admin',
  description:
    'For those who run the installation: how it does, its tenants, people, plans and jobs, and what happened.',
  dependsOn: [users, tenants, roles, members, auth, subscriptions, load, audit, tenantExports, tenantRemoval],
  events: [events, peopleEvents, jobEvents, planEvents, rolloutEvents, auditEvents].flatMap((each) =>
    Object.values(each),
  ),
  routes: [
    ...adminRoutes,
    ...peopleRoutes,
    ...jobRoutes,
    ...bulkRoutes,
    ...planRoutes,
    ...rolloutRoutes,
    ...auditRoutes,
    ...tenantExportRoutes,
  ],
  cases: () => import('./admin.cases.ts'),
})
