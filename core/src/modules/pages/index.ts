import { defineModule } from '#kernel'
import { pageRoutes } from './routes.ts'

/**
 * Small pages for people, where the links of mails lead. They call the API as any client does. An application that has
 * pages of its own names them in the settings, or leaves this module out.
 */
export const pages = defineModule({
  name: 'pages',
  routes: pageRoutes,
  cases: () => import('./pages.cases.ts'),
})
