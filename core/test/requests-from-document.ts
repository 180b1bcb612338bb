import fc from 'fast-check'
import type { OpenApiDocument, Parameter } from '../src/kernel/http/openapi.ts'
import { type FoundOperation, hasEnd, listOperations } from '../src/testing/operations.ts'
import { rarely, sometimes, type Values, valuesFor, WILD } from './values-from-schema.ts'

/** A request as it is generated: ids stand in it as `@mine:3`, since real ones differ from run to run. */
export interface GeneratedRequest {
  method: string
  url: string
  credential: Credential
  headers: Record<string, string>
  /** As sent; undefined for none. */
  payload: string | undefined
}

export type Credential = 'owner' | 'other' | 'none' | 'garbage' | 'cut' | 'key'

/** Any request to any operation of a document: some right, some slightly wrong, some nonsense. */
export function requestsFrom(document: OpenApiDocument): fc.Arbitrary<GeneratedRequest> {
  const values = valuesFor(document)
  return fc.oneof(
    ...listOperations(document)
      .filter(hasEnd)
      .map((found) => ({
        // Probes and sign-in have little to tell apart; what tenants own is where it matters.
        weight: found.operation.security?.length ? 4 : 1,
        arbitrary: requestTo(found, document, values),
      })),
  )
}

function requestTo(
  found: FoundOperation,
  { components }: OpenApiDocument,
  values: Values,
): fc.Arbitrary<GeneratedRequest> {
  const parameters = (found.operation.parameters ?? []).map((given) =>
    '$ref' in given ? components.parameters[given.$ref.split('/').at(-1) ?? ''] : given,
  )
  const placed = (place: Parameter['in']) =>
    parameters.filter((each) => each !== undefined && each.in === place) as Parameter[] // undefined is left out
  const inPath = fc.tuple(
    ...placed('path').map(({ name, schema }) => fc.tuple(fc.constant(name), values(schema, name))),
  )
  const inQuery = fc.tuple(
    ...placed('query').map(({ name, schema, required }) =>
      sometimes(fc.tuple(fc.constant(name), values(schema, name)), required),
    ),
  )
  const schema = found.operation.requestBody?.content['application/json']?.schema
  return fc.record({
    method: fc.constant(found.method),
    url: fc
      .tuple(inPath, inQuery, rarely(fc.constantFrom('&x=1', '&%zz', '&limit=5&limit=6', '&__proto__[a]=1', '&a[b]=c')))
      .map(([path, query, more]) => urlOf(found.path, path, query, more)),
    credential: CREDENTIALS,
    headers: headers(placed('header'), values),
    payload: schema ? payloadOf(values(schema)) : rarely(payloadOf(WILD)),
  })
}

function urlOf(
  template: string,
  path: [string, unknown][],
  query: ([string, unknown] | undefined)[],
  more = '',
): string {
  const filled = path.reduce((url, [name, value]) => url.replace(`{${name}}`, () => encode(value)), template)
  const pairs = query.filter((pair) => pair !== undefined).map(([name, value]) => `${name}=${encode(value)}`)
  const search = `${pairs.join('&')}${more}`.replace(/^&/, '')
  return search === '' ? filled : `${filled}?${search}`
}

function encode(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // Half of a surrogate pair has no UTF-8: the bytes that some programs send for it.
  return text.isWellFormed() ? encodeURIComponent(text).replaceAll('%40', '@').replaceAll('%3A', ':') : '%ED%A0%80'
}

function payloadOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 20, arbitrary: value.map((body) => JSON.stringify(body) ?? '') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        '{',
        '[]',
        'null',
        '{"a":1}}',
        '{"__proto__":{"a":1}}',
        '"\\ud800"',
        '['.repeat(200),
      ),
    },
  )
}

function headers(declared: Parameter[], values: Values): fc.Arbitrary<Record<string, string>> {
  const shown = (value: unknown) => String(value).replace(/[^\x20-\x7e]/g, '?')
  const own = declared.map(({ name, schema }) =>
    rarely(values(schema, name).map((value): [string, string] => [name.toLowerCase(), shown(value)])),
  )
  const type = fc.oneof(
    { weight: 30, arbitrary: fc.constant('application/json') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'a/b;;', ''),
    },
  )
  const other = rarely(
    fc.constantFrom<[string, string]>(
      ['x-request-id', 'my-request'],
      ['x-request-id', '\t{}'],
      ['accept', 'text/csv'],
      ['x-forwarded-for', '::1, ?'],
      ['range', 'bytes=9-1'],
    ),
  )
  return fc.tuple(type, other, ...own).map(([contentType, ...pairs]) => ({
    'content-type': contentType,
    ...Object.fromEntries(pairs.filter((pair) => pair !== undefined)),
  }))
}

const CREDENTIALS = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Credential>('owner') },
  { weight: 2, arbitrary: fc.constant<Credential>('other') },
  { weight: 3, arbitrary: fc.constantFrom<Credential>('none', 'garbage', 'cut', 'key') },
)
