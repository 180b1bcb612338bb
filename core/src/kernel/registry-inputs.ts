import type { TObject, TSchema } from 'typebox'
import { isKeptHeader } from './http/answer-headers.ts'
import { COOKIE_NAME } from './http/cookies.ts'
import { hasNoBody } from './http/methods.ts'
import type { RegisteredRoute } from './registry.ts'

/** Headers that the kernel reads itself; handlers get their content from the context. */
const KEPT_HEADERS = ['authorization', 'cookie', 'x-store-id', 'idempotency-key', 'x-api-key', 'x-request-id']
const HEADER_NAME = /^[\da-z!#$%&'*+.^_`|~-]{1,100}$/
const MEDIA_TYPE = /^[a-z\d][\w!#$&^.+-]{0,100}\/[a-z\d*][\w!#$&^.+-]{0,100}$/
const PLAIN_TYPES = ['string', 'integer', 'number', 'boolean']

/** Problems with the headers, cookies and body types that a route declares. */
export function problemsOfInputs(route: RegisteredRoute): string[] {
  return [
    ...problemsOfHeaders(route.headers),
    ...problemsOfStanding(route),
    ...problemsOfCookies(route.cookies),
    ...problemsOfRaw(route),
    ...problemsOfForms(route),
    ...problemsOfStream(route),
  ]
}

function problemsOfHeaders(headers: TObject | undefined): string[] {
  return Object.entries<TSchema>(headers?.properties ?? {}).flatMap(([name, schema]) => [
    ...(HEADER_NAME.test(name) ? [] : [`declares the header ${name}, which is no name in lower case`]),
    ...(KEPT_HEADERS.includes(name) ? [`declares the header ${name}, which the kernel keeps for itself`] : []),
    ...(isPlain(schema) ? [] : [`declares the header ${name}, which is no text, number or boolean`]),
  ])
}

/** Those that every answer has, or that the kernel sets where it must. */
function problemsOfStanding({ standing, exposes }: RegisteredRoute): string[] {
  return [...Object.keys(standing), ...exposes].flatMap((name) => [
    ...(HEADER_NAME.test(name) ? [] : [`answers with the header ${name}, which is no name in lower case`]),
    ...(isKeptHeader(name) ? [`answers with the header ${name}, which the kernel keeps for itself`] : []),
  ])
}

function problemsOfCookies(cookies: TObject | undefined): string[] {
  return Object.entries<TSchema>(cookies?.properties ?? {}).flatMap(([name, schema]) => [
    ...(COOKIE_NAME.test(name) ? [] : [`declares the cookie ${name}, which is no name of one`]),
    ...(isPlain(schema) ? [] : [`declares the cookie ${name}, which is no text, number or boolean`]),
  ])
}

function problemsOfRaw({ raw, body, method }: RegisteredRoute): string[] {
  if (raw === undefined) return []
  const types = raw === true ? [] : raw
  return [
    ...(body ? ['takes its body raw and by a schema, which cannot be both'] : []),
    ...(hasNoBody(method) ? ['takes a raw body, which its method has not'] : []),
    ...(raw !== true && types.length === 0 ? ['takes a raw body in no content type (true: in any)'] : []),
    ...types
      .filter((type) => !MEDIA_TYPE.test(type))
      .map((type) => `takes a raw body in ${type}, which is no content type in lower case`),
  ]
}

/** A body that is read while it arrives. */
function problemsOfStream({
  stream,
  form,
  body,
  raw,
  accepts,
  method,
  transaction,
  idempotent,
}: RegisteredRoute): string[] {
  if (stream === undefined && form === undefined) return []
  const types = Array.isArray(stream) ? stream : []
  const fields = Object.entries<TSchema>(form?.properties ?? {})
  return [
    ...([stream, form, body, raw].filter((each) => each !== undefined).length > 1
      ? ['takes its body in more than one way (body, raw, stream, form)']
      : []),
    ...(accepts.join() === 'json' ? [] : ['says what it accepts, which goes with a body alone']),
    ...(hasNoBody(method) ? ['takes a body, which its method has not'] : []),
    ...(transaction === 'manual' ? [] : ['reads its body while it arrives, which only manual routes may']),
    ...(stream !== undefined && idempotent
      ? ['takes an Idempotency-Key and a stream, which nobody can compare with an earlier one']
      : []),
    ...(Array.isArray(stream) && types.length === 0 ? ['takes a stream in no content type (true: in any)'] : []),
    ...types
      .filter((type) => !MEDIA_TYPE.test(type))
      .map((type) => `takes a stream in ${type}, which is no content type in lower case`),
    ...fields
      .filter(([name, schema]) => name === 'file' || (!isPlain(schema) && !isPlainList(schema)))
      .map(([name]) =>
        name === 'file'
          ? 'has a form with a field named file, which is the file itself'
          : `has a form whose field ${name} is neither text, number or boolean nor a list of those`,
      ),
  ]
}

function problemsOfForms({ accepts, body, raw }: RegisteredRoute): string[] {
  const unknown = accepts.filter((form) => form !== 'json' && form !== 'form')
  const properties = Object.entries<TSchema>((body as Partial<TObject> | undefined)?.properties ?? {}) // none where it is no object
  const isObject = (body as { type?: unknown } | undefined)?.type === 'object' // a keyword of JSON Schema
  return [
    ...(accepts.length === 0 ? ['accepts a body in no form'] : []),
    ...unknown.map((form) => `accepts a body as '${form}', which nobody knows`),
    ...(accepts.includes('form') && (raw !== undefined || !isObject)
      ? ['accepts a form, but has no body that is an object']
      : []),
    ...(accepts.includes('form') ? properties : [])
      .filter(([, schema]) => !isPlain(schema) && !isPlainList(schema))
      .map(([name]) => `accepts a form whose field ${name} is neither text, number or boolean nor a list of those`),
  ]
}

function isPlain(schema: TSchema): boolean {
  const { type } = schema as { type?: string } // a keyword of JSON Schema
  return type !== undefined && PLAIN_TYPES.includes(type)
}

function isPlainList(schema: TSchema): boolean {
  const { type, items } = schema as { type?: string; items?: TSchema } // keywords of JSON Schema
  return type === 'array' && items !== undefined && isPlain(items)
}
