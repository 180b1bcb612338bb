// catalog/till.ts: a store named by a header, a patch, a form, a cookie that the browser keeps, and a page for people
import { Answer, Closed, defineRoute, OneOf, Short, Type } from 'tenantry'
import { getArticle, priceArticle } from './operations.ts'
import { selectArticles } from './queries.ts'
import { Article, ArticleParams, price_cents } from './schema.ts'

const theme = OneOf(['light', 'dark'], { description: 'How the screen of the till looks' })

export const tillRoutes = [
  defineRoute({
    method: 'GET',
    path: '/till/articles',
    summary: 'List what the store that one stands in sells',
    access: { permission: 'article.view', store: 'header' },
    response: { 200: Short(Article) },
    handler: async (ctx) => {
      const articles = selectArticles(ctx.tx, ctx.tenantId).where('store_id', '=', ctx.storeId)
      return { data: await articles.where('status', '=', 'active').orderBy('name').limit(100).execute() }
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/articles/:id',
    summary: 'Change what is named of an article',
    access: { permission: 'article.update', store: { rows: 'articles.store_id' } },
    params: ArticleParams,
    body: Closed({ price_cents: Type.Optional(price_cents) }),
    response: { 200: Article },
    handler: (ctx, { params, body }) =>
      body.price_cents === undefined ? getArticle(ctx, params.id) : priceArticle(ctx, params.id, body.price_cents),
  }),
  defineRoute({
    method: 'POST',
    path: '/till/theme',
    summary: 'Choose how this screen looks',
    access: 'public',
    transaction: 'manual',
    accepts: ['form', 'json'],
    body: Closed({ theme }),
    cookies: Closed({}), // it reads none, and sets one
    response: { 204: null },
    handler: (_ctx, { body }) =>
      new Answer(204, undefined, {}, [{ name: 'theme', value: body.theme, maxAgeSeconds: 365 * 24 * 60 * 60 }]),
  }),
  defineRoute({
    method: 'GET',
    root: true, // at /till, beside /api/v1
    hidden: true, // a page for people, which the API document leaves out
    path: '/till',
    summary: 'The screen of the till',
    access: 'public',
    transaction: 'manual',
    cookies: Closed({ theme: Type.Optional(theme) }),
    response: { 200: Type.String() },
    produces: 'text/html; charset=utf-8',
    handler: (_ctx, { cookies: { theme = 'light' } }) =>
      `<!doctype html><html lang="en"><title>Till</title><body class="${theme}"><main id="till"></main></body></html>`,
  }),
]
