// catalog/configuration.ts: what whoever runs the application decides, in the environment beside the settings of the core
import { defineConfiguration, kinds } from 'tenantry'

export const catalogConfiguration = defineConfiguration({
  CATALOG_MAX_PRICE_CENTS: {
    kind: kinds.integer(1, 100_000_000),
    default: '10000000',
    description: 'The highest price that an article may have, in cents.',
  },
  CATALOG_SUPPLIER_SECRET: {
    kind: kinds.secret(),
    default: null,
    secret: true,
    description: 'What the supplier signs its prices with. Without it none are taken.',
  },
})
