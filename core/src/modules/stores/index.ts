import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { storeFiles } from './files.ts'
import { importedStores } from './imported.ts'
import { openStore } from './operations.ts'
import { findStore, getSettings } from './queries.ts'
import { storeRoutes } from './routes.ts'
import { storedSettings, storeSettings } from './settings.ts'

export { nameTaken } from './errors.ts'
export * from './events.ts'
export { changeStore, openStore, removeStore } from './operations.ts'
export { findStore, findStores, getStore, lockStore, lockStoreThere } from './queries.ts'
export { type NewStore, Store, type StorePatch } from './schema.ts'
export {
  changeSettings,
  openingHours,
  receiptFooter,
  receiptHeader,
  storeCurrency,
  storeExtra,
  storeTimeZone,
} from './settings.ts'
export type { StoreRow } from './table.ts'

const EVERYBODY = ['admin', 'manager', 'staff', 'viewer']
const MANAGERS = ['admin', 'manager']

/** The places a tenant works at: shops, branches, practices. */
export const stores = defineModule({
  name: 'stores',
  description: 'The places that a tenant works at, and their settings.',
  dependsOn: [users, tenants],
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'store.view': { description: 'See stores', scope: 'store', roles: EVERYBODY },
    'store.create': 'Open stores',
    'store.update': { description: 'Change stores', scope: 'store', roles: MANAGERS },
    'store.delete': 'Delete stores',
    'store_settings.view': { description: "See stores' settings", scope: 'store', roles: EVERYBODY },
    'store_settings.update': { description: "Change stores' settings", scope: 'store', roles: MANAGERS },
  },
  files: [storeFiles],
  limits: { stores: { title: 'Stores', counts: 'stores' } },
  events: Object.values(events),
  routes: storeRoutes,
  settings: storeSettings,
  stores: async (tx, tenantId, storeId) => (await findStore(tx, tenantId, storeId))?.status === 'active',
  settingsOf: {
    store: async ({ tx, tenantId }, id) => storedSettings(await getSettings(tx, tenantId, id)),
  },
  founding: async (ctx) => {
    await openStore(ctx, { name: 'Main', code: 'MAIN', is_default: true })
  },
  exported: { stores: { imported: importedStores } },
  cases: () => import('./stores.cases.ts'),
})
