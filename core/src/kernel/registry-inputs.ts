import type { TObject, TSchema } from 'typebox'
import { COOKIE_NAME } from './http/cookies.ts'
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
    ...problemsOfCookies(route.cookies),
    ...problemsOfRaw(route),
    ...problemsOfForms(route),
  ]
}

function problemsOfHeaders(headers: TObject | undefined): string[] {
  return Object.entries<TSchema>(headers?.properties ?? {}).flatMap(([name, schema]) => [
    ...(HEADER_NAME.test(name) ? [] : [`declares the header ${name}, which is no name in lower case`]),
    ...(KEPT_HEADERS.includes(name) ? [`declares the header ${name}, which the kernel keeps for itself`] : []),
    ...(isPlain(schema) ? [] : [`declares the header ${name}, which is no text, number or boolean`]),
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
    ...(method === 'GET' || method === 'DELETE' ? ['takes a raw body, which its method has not'] : []),
    ...(raw !== true && types.length === 0 ? ['takes a raw body in no content type (true: in any)'] : []),
    ...types
      .filter((type) => !MEDIA_TYPE.test(type))
      .map((type) => `takes a raw body in ${type}, which is no content type in lower case`),
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
