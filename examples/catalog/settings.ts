// catalog/settings.ts: what a tenant, a store or a person may choose; stands among the settings that are there already
import { defineSetting, Type } from 'tenantry'

export const priceNotices = defineSetting('price_notices', {
  level: 'store',
  schema: Type.Boolean({ description: 'The store is told by mail when a price changes.' }),
  default: false,
})
