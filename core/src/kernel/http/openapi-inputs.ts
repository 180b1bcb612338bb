import type { TObject, TSchema } from 'typebox'
import type { RegisteredRoute } from '../registry.ts'
import { bodyLimitOf, bodyTypesOf } from './body.ts'
import { sampleOf } from './openapi-samples.ts'
import type { SchemaCollection } from './openapi-schemas.ts'
import type { JsonSchema, MediaType, Operation, Parameter } from './openapi-types.ts'

/** Described by the content types of body and answer; OpenAPI ignores parameters of these names. */
const SAID_ELSEWHERE = ['accept', 'content-type']

/**
 * A parameter with an example. It stands in the schema: what stands beside it, a page to try operations out fills in and
 * sends, filters and cursors included.
 */
export function parameterOf(name: string, place: Parameter['in'], required: boolean, schema: JsonSchema): Parameter {
  const { description, examples = [sampleOf(schema as TSchema, name)] } = schema // a JSON Schema, as TypeBox's are
  return {
    name,
    in: place,
    required,
    ...(typeof description === 'string' ? { description } : {}),
    schema: { ...schema, examples },
  }
}

/** The headers and cookies that a route reads. */
export function declaredParameters(
  { headers, cookies, module }: RegisteredRoute,
  schemas: SchemaCollection,
): Parameter[] {
  const each = (place: 'header' | 'cookie', declared: TObject | undefined) =>
    Object.entries<TSchema>(declared?.properties ?? {})
      .filter(([name]) => place === 'cookie' || !SAID_ELSEWHERE.includes(name))
      .map(([name, schema]): Parameter => {
        const required: readonly string[] = declared?.required ?? []
        return parameterOf(name, place, required.includes(name), schemas.convert(schema, module))
      })
  return [...each('header', headers), ...each('cookie', cookies)]
}

/** The body that a route takes, in each of its content types. */
export function requestBodyOf(route: RegisteredRoute, schemas: SchemaCollection): Pick<Operation, 'requestBody'> {
  const { body, raw, module } = route
  if (!body && raw === undefined) return {}
  const media: MediaType = body
    ? { schema: schemas.convert(body, module), example: sampleOf(body) }
    : { schema: { type: 'string', format: 'binary', description: 'Taken as it is, byte by byte' } }
  const types = bodyTypesOf(route).map((type) => (type === '*' ? '*/*' : type))
  return {
    requestBody: {
      description: `At most ${bodyLimitOf(route) / 1024} KiB`,
      required: true,
      content: Object.fromEntries(types.map((type) => [type, media])),
    },
  }
}
