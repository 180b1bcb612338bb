import { readFileSync } from 'node:fs'
import Type, { type TObject, type TSchema } from 'typebox'
import type { EventDefinition } from '../events/define.ts'
import type { Registry } from '../registry.ts'
import { describeRoute, templateOf, type Workshop } from './openapi-operations.ts'
import { sampleOf } from './openapi-samples.ts'
import { collectSchemas, pascalCase } from './openapi-schemas.ts'
import type { OpenApiDocument, Operation, PathItem } from './openapi-types.ts'
import { Closed, Problem, Timestamp } from './schemas.ts'

export type { JsonSchema, MediaType, OpenApiDocument, Operation, Parameter } from './openapi-types.ts'

const documents = new WeakMap<Registry, OpenApiDocument>()

/**
 * The OpenAPI 3.1 document of a core: its routes that are not hidden, and its events as webhooks. Made when first asked
 * for, and the same object ever after; read it, never change it.
 */
export function openapiDocument({ registry }: { readonly registry: Registry }): OpenApiDocument {
  const document = documents.get(registry) ?? build(registry)
  documents.set(registry, document)
  return document
}

function build(registry: Registry): OpenApiDocument {
  const workshop: Workshop = { schemas: collectSchemas(), responses: {}, authenticators: registry.authenticators }
  workshop.schemas.convert(Problem, 'kernel')
  const shown = registry.routes.filter(({ hidden }) => !hidden)
  const paths: Record<string, PathItem> = {}
  for (const route of shown) {
    const path = templateOf(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route, workshop) }
  }
  const webhooks = Object.fromEntries(
    registry.modules.flatMap(({ name, events }) =>
      events.map((event): [string, PathItem] => [event.name, { post: describeEvent(event, name, workshop) }]),
    ),
  )
  return {
    openapi: '3.1.1',
    info: {
      title: 'Tenantry',
      version: readVersion(),
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where this document comes from' }],
    tags: registry.modules
      .filter(({ name }) => shown.some(({ module }) => module === name))
      .map(({ name }) => ({ name })),
    paths,
    webhooks,
    components: {
      schemas: sorted(workshop.schemas.components),
      responses: sorted(workshop.responses),
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

const DESCRIPTION = `Errors are \`application/problem+json\` (RFC 9457): branch on \`code\`. What belongs to another tenant is not
found, as if it never was. Updates (\`PUT\`) are partial: an absent field stays as it is. Lists are paged by \`limit\` and \`cursor\`.`

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0.0.0'
}

function describeEvent(event: EventDefinition, module: string, { schemas }: Workshop): Operation {
  const payload = Closed({ type: Type.Literal(event.name), timestamp: Timestamp, data: withoutSecrets(event.data) })
  return {
    operationId: `on${pascalCase(event.name)}`,
    summary: event.description,
    tags: [module],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemas.convert(payload, module), example: sampleOf(payload) } },
    },
    responses: { '2XX': { description: 'Taken. Any other answer, or none in time, is tried again later.' } },
  }
}

/** Secrets are recorded as `[redacted]`, so that is what a receiver is told to expect. */
function withoutSecrets(data: TObject): TSchema {
  const isSecret = (property: TSchema) => 'secret' in property && property.secret === true
  if (!Object.values<TSchema>(data.properties).some(isSecret)) return data
  const redacted = Type.Unsafe({ type: ['string', 'null'], enum: ['[redacted]', null] })
  const properties = Object.entries<TSchema>(data.properties).map(([name, property]) => [
    name,
    isSecret(property) ? redacted : property,
  ])
  // Another shape than the object of that title, so it stands in place and not among the components.
  return { ...data, title: undefined, properties: Object.fromEntries(properties) } as TSchema // an object schema as before
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const PARAMETERS: OpenApiDocument['components']['parameters'] = {
  'X-Store-ID': {
    name: 'X-Store-ID',
    in: 'header',
    required: false,
    description: 'The store that the caller acts for',
    schema: { type: 'string', format: 'uuid' },
  },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The same key and body within 24 hours get the first answer again; bare or as a quoted string',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  },
}

const HEADERS: OpenApiDocument['components']['headers'] = {
  'X-Request-ID': {
    description: "The request's own, where it is sane, else a new one",
    required: true,
    schema: { type: 'string' },
  },
  Location: { description: 'The path of what was created', required: true, schema: { type: 'string' } },
  'Idempotent-Replayed': {
    description: 'Present when this is the answer to an earlier request',
    schema: { const: 'true' },
  },
  'WWW-Authenticate': { description: 'How to prove who you are', required: true, schema: { type: 'string' } },
  'Retry-After': {
    description: 'Seconds until it is worth trying again',
    schema: { type: 'string', pattern: '^\\d+$' },
  },
}

const SECURITY_SCHEMES: OpenApiDocument['components']['securitySchemes'] = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An access token or an API key' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key' },
}
