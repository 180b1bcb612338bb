// catalog/configuration.ts: what whoever runs the application decides, in the environment beside the settings of the core
import { defineConfiguration, kinds } from '#kernel'

export const catalogConfiguration = defineConfiguration({
  CATALOG_MAX_PRICE_CENTS: {
    kind: kinds.integer(1, 100_000_000),
    default: '10000000',
    description: 'The highest price that an article may have, in cents.',
  },
})
