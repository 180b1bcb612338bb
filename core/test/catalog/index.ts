// catalog/index.ts: the module value, and all that other modules may import
import { defineModule, defineRoute, ListQuery, notFound, Page, page } from '#kernel'
import { catalogConfiguration } from './configuration.ts'
import { articleAdded, articlePriced } from './events.ts'
import { tellStore } from './listeners.ts'
import { priceChanged } from './mails.ts'
import { addArticle, articleExists, getArticle, priceArticle } from './operations.ts'
import { selectArticles } from './queries.ts'
import { Article, ArticleParams, NewArticle, Price } from './schema.ts'
import { priceNotices } from './settings.ts'

// An article stands in the store of this column: whoever has a role in one store sees and changes what is there.
const inStores = { rows: 'articles.store_id' } as const

export const catalog = defineModule({
  name: 'catalog',
  description: 'What the stores of a tenant sell.',
  migrations: new URL('./migrations/', import.meta.url),
  permissions: {
    'article.view': { description: 'See articles', scope: 'store', roles: ['admin', 'manager', 'staff', 'viewer'] },
    'article.create': { description: 'Add articles', scope: 'store', roles: ['admin', 'manager'] },
    'article.update': { description: 'Change prices', scope: 'store', roles: ['admin', 'manager'] },
  },
  limits: { articles: { title: 'Articles', counts: 'articles', plans: { free: 20, starter: 1000 } } },
  events: [articleAdded, articlePriced],
  listeners: [tellStore],
  settings: [priceNotices],
  mails: [priceChanged],
  configuration: catalogConfiguration,
  routes: [
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
      query: ListQuery({}),
      response: { 200: Page(Article) },
      handler: (ctx) => page(ctx, selectArticles(ctx.tx, ctx.tenantId)),
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
  ],
})
