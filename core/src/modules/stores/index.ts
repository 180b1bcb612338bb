import { defineModule } from '#kernel'
import { tenants } from '../tenants/index.ts'
import { users } from '../users/index.ts'
import * as events from './events.ts'
import { openStore } from './operations.ts'
import { findStore } from './queries.ts'
import { routes } from './routes.ts'

export { nameTaken } from './errors.ts'
export * from './events.ts'
export { changeStore, openStore, removeStore } from './operations.ts'
export { presentSettings, presentStore } from './present.ts'
export { findStore, findStores, getSettings, getStore, lockStore } from './queries.ts'
export { type NewStore, Store, type StorePatch, StoreSettings } from './schema.ts'
export { changeSettings } from './settings.ts'
export type { StoreRow } from './table.ts'

const EVERYBODY = ['admin', 'manager', 'staff', 'viewer']
const MANAGERS = ['admin', 'manager']

/** The places a tenant works at: shops, branches, practices. */
export const stores = defineModule({
  name: 'stores',
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
  limits: { stores: { title: 'Stores', counts: 'stores' } },
  events: Object.values(events),
  routes,
  stores: async (tx, tenantId, storeId) => (await findStore(tx, tenantId, storeId))?.status === 'active',
  founding: async (ctx) => {
    await openStore(ctx, { name: 'Main', code: 'MAIN', is_default: true })
  },
})
