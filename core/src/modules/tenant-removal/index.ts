import { defineModule } from '#kernel'
import { audit } from '../audit/index.ts'
import { auth } from '../auth/index.ts'
import { mail } from '../mail/index.ts'
import { members } from '../members/index.ts'
import { pictures } from '../pictures/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { standingRemovals } from './check.ts'
import * as events from './events.ts'
import { removalHoldings } from './holdings.ts'
import { findDue, purge } from './jobs.ts'
import { plannedMail, reminderMail } from './mails.ts'
import { remindOwners } from './remind.ts'
import { removalRoutes } from './routes.ts'

export { listCertificates } from './certificates.ts'
export * from './events.ts'
export { plannedMail, reminderMail } from './mails.ts'
export { planRemoval, readRemoval, requireWhole, undoRemoval } from './operations.ts'
export { TenantRemoval } from './schema.ts'

/** How a tenant comes to its end: deleted, as can be undone; then removed to its last row; then certified. */
export const tenantRemoval = defineModule({
  name: 'tenant-removal',
  description: 'For those who run the installation: deleting tenants, removing them for good, and certifying that.',
  dependsOn: [pictures, users, tenants, members, auth, mail, audit],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  events: Object.values(events),
  routes: removalRoutes,
  jobs: [purge],
  schedules: [findDue, remindOwners],
  mails: [plannedMail, reminderMail],
  checks: [standingRemovals],
  holdings: removalHoldings,
  cases: () => import('./tenant-removal.cases.ts'),
})
