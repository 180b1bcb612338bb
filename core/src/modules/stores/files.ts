import { defineFiles } from '#kernel'
import { findStore } from './queries.ts'

/** Contracts, plans and photographs of a store. */
export const storeFiles = defineFiles('store', {
  view: 'store.view',
  change: 'store.update',
  find: async (ctx, id) => ((await findStore(ctx.tx, ctx.tenantId, id)) ? { storeId: id } : null),
})
