import { defineModule } from '#kernel'
import { members } from '../members/index.ts'
import { stores } from '../stores/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { jobsSupport } from './jobs.ts'
import { supportRoutes } from './routes.ts'

export * from './events.ts'

/** What explains most tickets about an address: sections and findings of all modules, for those who run the installation. */
export const support = defineModule({
  name: 'support',
  description: 'For those who run the installation: what explains a ticket about an address.',
  dependsOn: [users, tenants, stores, members],
  migrations: new URL('./migrations/', import.meta.url),
  rateLimits: {
    support_answers: {
      per: 'person',
      max: 120,
      windowSeconds: 3_600,
      description: 'Looking up what explains tickets about an address',
    },
  },
  events: Object.values(events),
  routes: supportRoutes,
  support: [jobsSupport],
  cases: () => import('./support.cases.ts'),
})
