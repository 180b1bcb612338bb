// catalog/operations.ts: what the business does; takes ctx first; says what happened, once
import { at, type Ctx, defineError, invalidRequest, notFound, onViolation, stamp } from '#kernel'
import { catalogConfiguration } from './configuration.ts'
import { articleAdded, articlePriced } from './events.ts'
import { insertArticle, selectArticles, updatePrice } from './queries.ts'
import type { NewArticle } from './schema.ts'

export const articleExists = defineError('article_exists', 409, 'There is an article of that name')

export async function addArticle(ctx: Ctx, input: NewArticle) {
  requireFairPrice(ctx, input.price_cents)
  const article = await onViolation(insertArticle(ctx.tx, { ...stamp(ctx), ...input }), {
    articles_name_key: () => articleExists({ errors: [at('name', 'is taken')] }),
    articles_store_id_fkey: notFound,
  })
  await ctx.emit(articleAdded, { after: article, storeId: article.store_id })
  return article
}

export async function getArticle(ctx: Ctx, id: string) {
  // Narrowed to the caller's stores: whoever may see the articles of one store is told of no others.
  const query = ctx.narrow(selectArticles(ctx.tx, ctx.tenantId)).where('id', '=', id)
  return query.executeTakeFirstOrThrow(() => notFound())
}

export async function priceArticle(ctx: Ctx, id: string, price_cents: number) {
  requireFairPrice(ctx, price_cents)
  const before = await getArticle(ctx, id)
  const after = await updatePrice(ctx.tx, ctx.tenantId, id, { price_cents, updated_at: ctx.clock.now() })
  await ctx.emit(articlePriced, { before, after, storeId: after.store_id })
  return after
}

function requireFairPrice({ config }: Ctx, price_cents: number): void {
  const { CATALOG_MAX_PRICE_CENTS: most } = config.of(catalogConfiguration)
  if (price_cents > most) throw invalidRequest({ errors: [at('price_cents', `must be at most ${most}`)] })
}
