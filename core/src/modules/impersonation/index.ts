import { defineModule } from '#kernel'
import { auth, supportAccess, supportAccessUntil } from '../auth/index.ts'
import { members } from '../members/index.ts'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import { endAtSignOut, endImpersonation } from './end.ts'
import * as events from './events.ts'
import { impersonationBegunNotice } from './notifications.ts'
import { impersonationRoutes } from './routes.ts'

export * from './events.ts'

/** Operators who act as a person of a tenant, for a while and on record. */
export const impersonation = defineModule({
  name: 'impersonation',
  description: 'Acting as a person of a tenant, for those who run the installation: for a while, and on record.',
  dependsOn: [users, tenants, members, auth],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  rateLimits: {
    impersonation: {
      per: 'person',
      max: 30,
      windowSeconds: 3_600,
      description: 'Beginning to act as somebody else',
    },
  },
  events: Object.values(events),
  routes: impersonationRoutes,
  jobs: [endImpersonation],
  listeners: [endAtSignOut],
  notifications: [impersonationBegunNotice],
  settings: [supportAccess, supportAccessUntil],
  exported: { impersonations: { never: 'operators who act as somebody now' } },
  cases: () => import('./impersonation.cases.ts'),
})
