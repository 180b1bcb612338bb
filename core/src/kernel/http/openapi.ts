import { completeProduct, OUR_NAME, type Product } from '../product.ts'
import { RATE_HEADER_MEANINGS, RATE_HEADERS } from '../rates/headers.ts'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { takesKeys } from './identify.ts'
import { describeRoute, SERVER, tagOf, templateOf, type Workshop } from './openapi-operations.ts'
import { collectSchemas } from './openapi-schemas.ts'
import type { OpenApiDocument, PathItem } from './openapi-types.ts'
import { describeWebhooks } from './openapi-webhooks.ts'
import { Problem } from './schemas.ts'

export type { JsonSchema, MediaType, OpenApiDocument, Operation, Parameter } from './openapi-types.ts'

/** What a document is made from: a core, or the registry of one. */
interface Described {
  readonly registry: Registry
  readonly product?: Product
}

const documents = new WeakMap<Registry, OpenApiDocument>()

/**
 * The OpenAPI 3.1 document of a core: its routes that are not hidden. Made when first asked for, and the same object
 * ever after; read it, never change it.
 */
export function openapiDocument({ registry, product = completeProduct() }: Described): OpenApiDocument {
  const document = documents.get(registry) ?? build(registry, product)
  documents.set(registry, document)
  return document
}

function build(registry: Registry, product: Product): OpenApiDocument {
  const workshop: Workshop = { schemas: collectSchemas(), responses: {}, registry, product }
  workshop.schemas.convert(Problem, 'kernel')
  const shown = registry.routes.filter(({ hidden }) => !hidden)
  const paths: Record<string, PathItem> = {}
  for (const route of shown) {
    const path = templateOf(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route, workshop) }
  }
  const webhooks = describeWebhooks(registry, workshop)
  return {
    openapi: '3.1.1',
    info: {
      title: product.apiTitle,
      version: product.version,
      description: DESCRIPTION,
      // An application's own is for the application to say.
      ...(product.name === OUR_NAME ? { license: { name: 'MIT', identifier: 'MIT' } } : {}),
    },
    servers: [{ url: '/', description: 'Where this document comes from' }],
    tags: registry.modules
      .filter(({ name }) => shown.some(({ module }) => module === name))
      .map(({ name, description }) => ({ name: tagOf(name), ...(description ? { description } : {}) }))
      // What everybody comes for stands first.
      .sort((a, b) => Number(a.name === SERVER) - Number(b.name === SERVER)),
    paths,
    ...(webhooks ? { webhooks } : {}),
    components: {
      schemas: sorted(workshop.schemas.components),
      responses: sorted(workshop.responses),
      parameters: readBy(shown),
      headers: HEADERS,
      securitySchemes: takesKeys(registry) ? { ...BEARER, ...API_KEY } : BEARER,
    },
  }
}

const DESCRIPTION = `- Errors are \`application/problem+json\` (RFC 9457): branch on \`code\`.
- What belongs to another tenant is not found, as if it never was.
- Updates (\`PUT\`) are partial: an absent field stays as it is.
- Lists are paged by \`limit\` and \`cursor\`.
- With any request of a signed-in person \`X-Store-ID\` may say which store they stand in. It is checked (403 \`store_access_denied\`) and
  recorded with what happens; operations that act on that store name it among their parameters.
- HEAD answers wherever GET does, without effects. A method that a path does not know is answered 405 \`method_not_allowed\` with \`Allow\`.
- Requests are limited: answers say by \`RateLimit\` how many are left, and 429 \`rate_limited\` with \`Retry-After\` that there were
  too many. \`x-rate-limits\` names an operation's limits; one without it is not limited.
- A body is sent uncompressed. What arrives too slowly is 408 \`request_timeout\`, with too many headers 431
  \`headers_too_large\`, with another expectation than \`100-continue\` 417 \`expectation_failed\`.
- The pages for people (\`/\`, \`/sign-in\` and those that mails lead to) are not in here.`

/** The headers that any of the routes reads. */
function readBy(routes: readonly RegisteredRoute[]): OpenApiDocument['components']['parameters'] {
  const { 'X-Store-ID': store, 'Idempotency-Key': key, 'If-None-Match': tags } = PARAMETERS
  return {
    ...(routes.some(({ storeHeader }) => storeHeader) ? { 'X-Store-ID': store } : {}),
    ...(routes.some(({ idempotent }) => idempotent) ? { 'Idempotency-Key': key } : {}),
    ...(routes.some(({ response }) => 304 in response) ? { 'If-None-Match': tags } : {}),
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const PARAMETERS = {
  'X-Store-ID': {
    name: 'X-Store-ID',
    in: 'header',
    required: false,
    description: 'The store that the caller acts for',
    schema: { type: 'string', format: 'uuid', examples: ['01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'] },
  },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'The same key and body within 24 hours get the first answer again; up to 255 characters, bare or in quotes. What the body or the credential is refused for is not remembered',
    schema: { type: 'string', minLength: 1, maxLength: 257, pattern: '^[\\x20-\\x7e]+$', examples: ['"order-4711"'] },
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description:
      'The `ETag` of an earlier answer, or several: while it is the current one, the answer is 304 and has no body',
    schema: { type: 'string', examples: ['"2jmj7l5rSw0yVb_vlWAYkK"'] },
  },
} as const // places are words

const RETRY_AFTER = {
  description: 'Seconds until it is worth trying again',
  schema: { type: 'string', pattern: '^\\d+$' },
}

const RATE_LIMITS: OpenApiDocument['components']['headers'] = Object.fromEntries(
  RATE_HEADERS.map((name) => [
    name,
    {
      description: RATE_HEADER_MEANINGS[name],
      schema: name.startsWith('X-') ? { type: 'integer', minimum: 0 } : { type: 'string' },
    },
  ]),
)

const HEADERS: OpenApiDocument['components']['headers'] = {
  'X-Request-ID': {
    description: "The request's own, where it is sane, else a new one",
    required: true,
    schema: { type: 'string' },
  },
  Location: { description: 'The path of what was created', required: true, schema: { type: 'string' } },
  ETag: {
    description: 'Names this content: send it as `If-None-Match` the next time',
    required: true,
    schema: { type: 'string' },
  },
  'Idempotent-Replayed': {
    description: 'Present when this is the answer to an earlier request',
    schema: { const: 'true' },
  },
  'WWW-Authenticate': { description: 'How to prove who you are', required: true, schema: { type: 'string' } },
  ...RATE_LIMITS,
  'Retry-After': RETRY_AFTER,
  'Retry-After-Always': { ...RETRY_AFTER, required: true },
}

const BEARER: OpenApiDocument['components']['securitySchemes'] = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token' },
}
const API_KEY: typeof BEARER = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token or an API key' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key' },
}
