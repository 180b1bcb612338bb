import { defineEvent } from '#kernel'
import { Store, StoreSettings } from './schema.ts'

export const storeCreated = defineEvent('store.created', {
  description: 'A store was opened',
  data: Store,
  published: true,
})
export const storeUpdated = defineEvent('store.updated', {
  description: 'A store changed',
  data: Store,
  published: true,
})
export const storeDeleted = defineEvent('store.deleted', {
  description: 'A store was deleted',
  data: Store,
  published: true,
})
export const storeSettingsUpdated = defineEvent('store_settings.updated', {
  description: 'Settings of a store changed',
  data: StoreSettings,
  settings: 'store',
})
