import { readFile } from 'node:fs/promises'
import Type from 'typebox'
import { notFound } from '../errors.ts'
import { defineRoute, type Route } from '../module.ts'
import { escapeHtml } from '../text/html.ts'
import { Answer } from './answer.ts'
import { Closed } from './schemas.ts'
import { StaticBody, StaticText } from './static-text.ts'

const PATH = '/api/docs'
const STYLES = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'
/** The only files of the package that are served. */
const FILES = { 'swagger-ui.css': STYLES, 'swagger-ui-bundle.js': SCRIPT }

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'", // Swagger UI sets styles on elements
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const shared = {
  method: 'GET',
  root: true,
  reach: 'documents',
  hidden: true,
  access: 'public',
  transaction: 'manual',
  response: { 200: StaticBody, 304: null },
} as const // the words themselves are what a route is declared with

const pageRoute = defineRoute({
  ...shared,
  path: PATH,
  summary: 'The API document, to read and try out',
  produces: 'text/html; charset=utf-8',
  handler: async ({ product }) => {
    const version = await readVersion()
    const headers = { 'content-security-policy': CSP, 'cache-control': 'no-cache' }
    return new Answer(200, pageOf(version, product.apiTitle), headers)
  },
})

/** Files in addition to those of Swagger UI. */
const assets = Object.entries({ 'sign-in.js': SCRIPT, 'start.js': SCRIPT, 'style.css': STYLES }).map(
  ([file, produces]) =>
    defineRoute({
      ...shared,
      path: `${PATH}/${file}`,
      summary: `Our part of the page of the API document: ${file}`,
      produces,
      handler: async () => {
        const text = await read(new URL(`./assets/${file}`, import.meta.url))
        return new Answer(200, text, { 'cache-control': 'no-cache' })
      },
    }),
)

const files = Object.entries(FILES).map(([file, produces]) =>
  defineRoute({
    ...shared,
    path: `${PATH}/${file}`,
    summary: `A part of the page of the API document: ${file}`,
    produces,
    // The address contains the version, because the answer is cached for a year.
    query: Closed({ v: Type.Optional(Type.String({ maxLength: 50 })) }),
    handler: async (_ctx, { query }) => {
      const version = await readVersion()
      if (query.v !== undefined && query.v !== version) throw notFound()
      const caching = query.v === undefined ? 'no-cache' : 'public, max-age=31536000, immutable'
      return new Answer(200, await read(locate(file)), { 'cache-control': caching })
    },
  }),
)

/** Swagger UI from the installed package, without a script in the page and without the internet. */
export const docsRoutes: readonly Route[] = [pageRoute, ...assets, ...files]

const texts = new Map<string, Promise<StaticText>>()

/** One of the files above, read once and compressed to a third of its size. */
function read(file: URL): Promise<StaticText> {
  const known = texts.get(file.href)
  if (known) return known
  const text = readFile(file, 'utf8').then((content) => new StaticText(content))
  texts.set(file.href, text)
  // A failed read may succeed the next time.
  text.catch(() => texts.delete(file.href))
  return text
}

const pages = new Map<string, StaticText>()

function pageOf(version: string, title: string): StaticText {
  const page = pages.get(title) ?? new StaticText(renderPage(version, title))
  pages.set(title, page)
  return page
}

function locate(file: string): URL {
  return new URL(import.meta.resolve(`swagger-ui-dist/${file}`))
}

async function readVersion(): Promise<string> {
  const manifest: { version: string } = JSON.parse(await readFile(locate('package.json'), 'utf8'))
  return manifest.version
}

// All addresses are relative to the page: the server may stand behind a path of a proxy.
const renderPage = (version: string, title: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css?v=${version}">
<link rel="stylesheet" href="docs/style.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js?v=${version}"></script>
<script src="docs/sign-in.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`
