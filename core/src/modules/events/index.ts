import { defineModule } from '#kernel'
import { eventRoutes } from './routes.ts'
import { eventWaiters, wakeWaiters } from './waiters.ts'

export { meaningless, namesMeant } from './patterns.ts'
export { presentEvent } from './present.ts'
export { Event } from './schema.ts'

/** What happened, in the order of commits, for whoever follows. */
export const events = defineModule({
  name: 'events',
  description: 'What happened, in the order in which it happened, for programs that ask for it.',
  permissions: { 'event.view': { description: 'Follow what happens', scope: 'store' } },
  routes: eventRoutes,
  resources: [eventWaiters],
  dispatcher: wakeWaiters,
  cases: () => import('./events.cases.ts'),
})
