// catalog/till.ts: a patch, a form, and a cookie that the browser keeps
import { Answer, Closed, defineRoute, OneOf, Type } from '#kernel'
import { getArticle, priceArticle } from './operations.ts'
import { Article, ArticleParams } from './schema.ts'

const theme = OneOf(['light', 'dark'], { description: 'How the screen of the till looks' })

export const tillRoutes = [
  defineRoute({
    method: 'PATCH',
    path: '/articles/:id',
    summary: 'Change what is named of an article',
    access: { permission: 'article.update', store: { rows: 'articles.store_id' } },
    params: ArticleParams,
    body: Closed({ price_cents: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000 })) }),
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
    path: '/till/theme',
    summary: 'See how this screen looks',
    access: 'public',
    transaction: 'manual',
    cookies: Closed({ theme: Type.Optional(theme) }),
    response: { 200: Closed({ theme }) },
    handler: (_ctx, { cookies }) => ({ theme: cookies.theme ?? ('light' as const) }),
  }),
]
