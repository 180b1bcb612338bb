// catalog/listeners.ts: what follows an event, in a job of its own after commit
import { on } from 'tenantry'
import { articlePriced } from './events.ts'
import { priceChanged } from './mails.ts'
import { findStoreToTell } from './queries.ts'
import { priceNotices } from './settings.ts'

// Its one transaction also removes the job, so what it writes and enqueues is there once, however often it is tried.
export const tellStore = on(articlePriced, 'catalog.tell_store', async (ctx, { after, storeId }) => {
  if (storeId === null || !after?.name || after.price_cents === undefined) return
  if (!(await ctx.setting(priceNotices, storeId))) return
  const store = await findStoreToTell(ctx.tx, ctx.tenantId, storeId)
  if (!store?.email) return
  const price = (after.price_cents / 100).toFixed(2)
  await ctx.mail(priceChanged, { to: store.email, data: { store: store.name, article: after.name, price } })
})
