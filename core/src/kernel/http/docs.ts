import { readFile } from 'node:fs/promises'
import Type from 'typebox'
import { notFound } from '../errors.ts'
import { defineRoute, type Route } from '../module.ts'
import { Answer } from './answer.ts'
import { Closed } from './schemas.ts'

const PATH = '/api/docs'
/** The only files of the package that are served. */
const FILES = { 'swagger-ui.css': 'text/css; charset=utf-8', 'swagger-ui-bundle.js': 'text/javascript; charset=utf-8' }

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
  response: { 200: Type.String() },
} as const // the words themselves are what a route is declared with

const page = defineRoute({
  ...shared,
  path: PATH,
  summary: 'The API document, to read and try out',
  produces: 'text/html; charset=utf-8',
  handler: async ({ product }) => {
    const version = await readVersion()
    const headers = { 'content-security-policy': CSP, 'cache-control': 'no-cache' }
    return new Answer(200, renderPage(version, product.apiTitle), headers)
  },
})

const starter = defineRoute({
  ...shared,
  path: `${PATH}/start.js`,
  summary: 'Starts the page of the API document',
  produces: 'text/javascript; charset=utf-8',
  handler: () => new Answer(200, START, { 'cache-control': 'no-cache' }),
})

const files = Object.entries(FILES).map(([file, produces]) =>
  defineRoute({
    ...shared,
    path: `${PATH}/${file}`,
    summary: `A part of the page of the API document: ${file}`,
    produces,
    // The page asks by version, so that what is cached for a year is never that of another one.
    query: Closed({ v: Type.Optional(Type.String({ maxLength: 50 })) }),
    handler: async (_ctx, { query }) => {
      const version = await readVersion()
      if (query.v !== undefined && query.v !== version) throw notFound()
      return new Answer(200, await readFile(locate(file), 'utf8'), {
        etag: `"${version}-${file}"`,
        'cache-control': query.v === undefined ? 'no-cache' : 'public, max-age=31536000, immutable',
      })
    },
  }),
)

/** Swagger UI from the installed package, without a script in the page and without the internet. */
export const docsRoutes: readonly Route[] = [page, starter, ...files]

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
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js?v=${version}"></script>
<script src="docs/start.js"></script>
</body>
</html>
`

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const START = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'none',
  filter: true,
  showExtensions: true,
  validatorUrl: null,
})
`
