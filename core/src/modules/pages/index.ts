import { defineModule } from '#kernel'
import { pageRoutes } from './routes.ts'

/**
 * Pages that the links of mails lead to. They use the API as any client does. An application with pages of its own
 * configures their addresses, or leaves this module out.
 */
export const pages = defineModule({
  name: 'pages',
  routes: pageRoutes,
  cases: () => import('./pages.cases.ts'),
})
