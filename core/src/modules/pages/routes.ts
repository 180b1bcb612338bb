import { readFile } from 'node:fs/promises'
import { Answer, type Ctx, defineRoute, type Route, Type } from '#kernel'
import { textsFor } from './language.ts'
import { PAGE_HEADERS, type Page, renderPage } from './layout.ts'
import {
  acceptInvite,
  forgotPassword,
  home,
  resetPassword,
  signIn,
  unsubscribe,
  type View,
  verifyEmail,
} from './views.ts'

const shared = {
  method: 'GET',
  root: true,
  hidden: true,
  access: 'public',
  transaction: 'manual',
  response: { 200: Type.String() },
} as const // the words themselves are what a route is declared with

/** Any query is accepted: the token is read by the page's script, and mail programs add parameters of their own. */
const anything = Type.Object({}, { additionalProperties: true })

function pageRoute(path: `/${string}`, summary: string, draw: (view: View) => Page): Route {
  return defineRoute({
    ...shared,
    path,
    summary,
    query: anything,
    produces: 'text/html; charset=utf-8',
    handler: (ctx: Ctx) => {
      const texts = textsFor(ctx.origin.acceptLanguage)
      const text = renderPage(draw({ texts, config: ctx.config, product: ctx.product }), texts)
      return new Answer(200, text, { ...PAGE_HEADERS, 'content-language': texts.language })
    },
  })
}

const SCRIPT = 'text/javascript; charset=utf-8'
const FILES = {
  'style.css': 'text/css; charset=utf-8',
  'main.js': SCRIPT,
  'account.js': SCRIPT,
  'api.js': SCRIPT,
  'screen.js': SCRIPT,
}

const fileRoutes = Object.entries(FILES).map(([file, produces]) =>
  defineRoute({
    ...shared,
    path: `/pages/${file}`,
    summary: `A part of the pages for people: ${file}`,
    produces,
    handler: async () => {
      const text = await readFile(new URL(`./assets/${file}`, import.meta.url), 'utf8')
      return new Answer(200, text, { 'cache-control': 'no-cache' })
    },
  }),
)

export const pageRoutes: readonly Route[] = [
  pageRoute('/', 'What this server is', home),
  pageRoute('/sign-in', 'Sign in, and see one’s companies and roles', signIn),
  pageRoute('/verify-email', 'Prove an e-mail address by the link of a mail', verifyEmail),
  pageRoute('/accept-invite', 'Accept an invitation by the link of a mail', acceptInvite),
  pageRoute('/forgot-password', 'Ask for the link to choose a new password', forgotPassword),
  pageRoute('/reset-password', 'Choose a new password by the link of a mail', resetPassword),
  pageRoute('/unsubscribe', 'End the mails of a kind by the link of one of them', unsubscribe),
  ...fileRoutes,
]
