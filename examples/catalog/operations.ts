// catalog/operations.ts: what the business does; takes ctx first; says what happened, once
import { at, type Ctx, defineError, invalidRequest, notFound, onViolation, stamp } from 'tenantry'
import { catalogConfiguration } from './configuration.ts'
import { articleAdded, articlePriced, articleRetired } from './events.ts'
import { changePrice } from './jobs.ts'
import { insertArticle, selectArticles, updateArticle, updateEnded } from './queries.ts'
import type { NewArticle, PlannedPrice } from './schema.ts'

export const articleExists = defineError('article_exists', 409, 'There is an article of that name')

/** Adds an article. Throws 409 `article_exists`, 404 where there is no such store, 400 for a price too high. */
export async function addArticle(ctx: Ctx, input: NewArticle) {
  requireFairPrice(ctx, input.price_cents)
  // The rules are the database's, so that no two requests get past them; here they get their names.
  const article = await onViolation(insertArticle(ctx.tx, { ...stamp(ctx), ...input }), {
    articles_name_key: () => articleExists({ errors: [at('name', 'is taken')] }),
    articles_store_id_fkey: notFound,
  })
  await ctx.emit(articleAdded, { after: article, storeId: article.store_id })
  return article
}

/** Throws 404, also for an article of a store that the caller does not see. */
export async function getArticle(ctx: Ctx, id: string) {
  const query = selectArticles(ctx.tx, ctx.tenantId).where('id', '=', id)
  const article = await query.executeTakeFirstOrThrow(() => notFound())
  // Holds under every caller, also a route of another module: whoever works in one store is told of no other's articles.
  ctx.requireStore(article.store_id)
  return article
}

/** Changes the price at once. Throws 404, 400 for a price too high. */
export async function priceArticle(ctx: Ctx, id: string, price_cents: number) {
  requireFairPrice(ctx, price_cents)
  const before = await getArticle(ctx, id)
  const after = await updateArticle(ctx.tx, ctx.tenantId, id, { price_cents, updated_at: ctx.clock.now() })
  await ctx.emit(articlePriced, { before, after, storeId: after.store_id })
  return after
}

/** Has the price changed at a later moment. Throws 404, 400 for a price too high. */
export async function planPrice(ctx: Ctx, id: string, { price_cents, from }: PlannedPrice) {
  requireFairPrice(ctx, price_cents)
  await getArticle(ctx, id)
  await ctx.enqueue(changePrice, { id, price_cents }, { runAt: from })
}

/** Retires what is sold no longer. May find nothing left to do. */
export async function retireEnded(ctx: Ctx) {
  for (const after of await updateEnded(ctx.tx, ctx.tenantId, ctx.clock.now()))
    await ctx.emit(articleRetired, { before: { ...after, status: 'active' }, after, storeId: after.store_id })
}

function requireFairPrice({ config }: Ctx, price_cents: number): void {
  const { CATALOG_MAX_PRICE_CENTS: most } = config.of(catalogConfiguration)
  if (price_cents > most) throw invalidRequest({ errors: [at('price_cents', `must be at most ${most}`)] })
}
