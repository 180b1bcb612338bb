// catalog/routes.ts: reads as a list of what the API can do
import { defineRoute, notFound, Page, page } from 'tenantry'
import { addArticle, articleExists, getArticle, planPrice, priceArticle } from './operations.ts'
import { listArticles } from './queries.ts'
import { Article, ArticleParams, ArticleQuery, NewArticle, PlannedPrice, Price } from './schema.ts'

// An article stands in the store of this column: whoever has a role in one store sees and changes what is there.
const inStores = { rows: 'articles.store_id' } as const

export const articleRoutes = [
  defineRoute({
    method: 'POST',
    path: '/articles',
    summary: 'Add an article',
    access: { permission: 'article.create', store: { named: '#/store_id' } },
    limit: 'articles',
    body: NewArticle,
    response: { 201: Article },
    errors: [articleExists, notFound],
    handler: (ctx, { body }) => addArticle(ctx, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/articles',
    summary: 'List articles, newest first',
    access: { permission: 'article.view', store: inStores },
    query: ArticleQuery,
    response: { 200: Page(Article) },
    handler: (ctx, { query }) => page(ctx, listArticles(ctx.tx, ctx.tenantId, query)),
  }),
  defineRoute({
    method: 'GET',
    path: '/articles/:id',
    summary: 'Get an article',
    access: { permission: 'article.view', store: inStores },
    params: ArticleParams,
    response: { 200: Article },
    handler: (ctx, { params }) => getArticle(ctx, params.id),
  }),
  defineRoute({
    method: 'PUT',
    path: '/articles/:id/price',
    summary: 'Change the price of an article',
    access: { permission: 'article.update', store: inStores },
    params: ArticleParams,
    body: Price,
    response: { 200: Article },
    handler: (ctx, { params, body }) => priceArticle(ctx, params.id, body.price_cents),
  }),
  defineRoute({
    method: 'POST',
    path: '/articles/:id/plan-price',
    summary: 'Have the price changed at a later moment',
    access: { permission: 'article.update', store: inStores },
    params: ArticleParams,
    body: PlannedPrice,
    response: { 202: null },
    handler: (ctx, { params, body }) => planPrice(ctx, params.id, body),
  }),
]
