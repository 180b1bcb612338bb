// catalog/jobs.ts: what happens later, in a transaction of its own that also removes the job
import { Closed, defineJob, Uuid } from 'tenantry'
import { priceArticle } from './operations.ts'
import { price_cents } from './schema.ts'

export const changePrice = defineJob('catalog.change_price', {
  payload: Closed({ id: Uuid, price_cents }),
  handler: async (ctx, { id, price_cents }) => {
    await priceArticle(ctx, id, price_cents)
  },
})
