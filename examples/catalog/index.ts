// catalog/index.ts: the module value, and all that other modules may import
import { defineModule } from 'tenantry'
import { stores } from 'tenantry/stores'
import { catalogConfiguration } from './configuration.ts'
import { articleAdded, articlePriced, articleRetired } from './events.ts'
import { changePrice } from './jobs.ts'
import { tellStore } from './listeners.ts'
import { priceChanged } from './mails.ts'
import { articleRetiredNotice } from './notifications.ts'
import { articleRoutes } from './routes.ts'
import { retireAll } from './schedules.ts'
import { priceNotices } from './settings.ts'
import { supplierPrices } from './supplier.ts'
import { tillRoutes } from './till.ts'

export const catalog = defineModule({
  name: 'catalog',
  description: 'What the stores of a tenant sell.',
  dependsOn: [stores],
  migrations: new URL('./migrations/', import.meta.url),
  messages: new URL('./messages/', import.meta.url),
  permissions: {
    'article.view': { description: 'See articles', scope: 'store', roles: ['admin', 'manager', 'staff', 'viewer'] },
    'article.create': { description: 'Add articles', scope: 'store', roles: ['admin', 'manager'] },
    'article.update': { description: 'Change prices', scope: 'store', roles: ['admin', 'manager'] },
  },
  limits: { articles: { title: 'Articles', counts: 'articles', plans: { free: 20, starter: 1000 } } },
  events: [articleAdded, articlePriced, articleRetired],
  listeners: [tellStore],
  jobs: [changePrice],
  schedules: [retireAll],
  settings: [priceNotices],
  mails: [priceChanged],
  notifications: [articleRetiredNotice],
  configuration: catalogConfiguration,
  routes: [...articleRoutes, ...tillRoutes, supplierPrices],
  cases: () => import('./catalog.cases.ts'), // loaded by tests alone
})
