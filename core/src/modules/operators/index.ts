import { defineModule } from '#kernel'
import { auth } from '../auth/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { operatorRoutes } from './routes.ts'

export * from './events.ts'
export { setOperator } from './operations.ts'

/** Who runs the installation, and what each of them may do. */
export const operators = defineModule({
  name: 'operators',
  description: 'Who runs the installation, and what they may do.',
  dependsOn: [users, auth],
  events: Object.values(events),
  routes: operatorRoutes,
  cases: () => import('./operators.cases.ts'),
})
