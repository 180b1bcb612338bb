import type { TObject, TSchema } from 'typebox'
import type { RegisteredRoute } from '../registry.ts'
import { bodyLimitOf, bodyTypesOf, isStreamed } from './body.ts'
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
  if (!body && raw === undefined && !isStreamed(route)) return {}
  const media: MediaType = body
    ? { schema: schemas.convert(body, module), example: sampleOf(body) }
    : route.form
      ? {
          schema: schemas.convert(withFile(route.form), module),
          example: { ...exampleOf(route.form), file: SOME_BYTES },
        }
      : { schema: { type: 'string', format: 'binary', description: 'Taken as it is, byte by byte' } }
  const types = bodyTypesOf(route).map((type) => (type === '*' ? '*/*' : type))
  return {
    requestBody: {
      description: isStreamed(route)
        ? 'Read while it arrives: the operation says how much it takes'
        : `At most ${bodyLimitOf(route) / 1024} KiB`,
      // What arrives bit by bit may be nothing.
      required: route.stream === undefined,
      content: Object.fromEntries(types.map((type) => [type, media])),
    },
  }
}

/** The fields of a form with its file, in the words that generators of clients know. */
function withFile(form: TObject): TSchema {
  const file = { type: 'string', format: 'binary', description: 'The file, with its name and content type' }
  const required: readonly string[] = form.required ?? []
  const { examples } = form as { examples?: readonly object[] } // a keyword of JSON Schema
  const shown = examples && { examples: examples.map((each) => ({ ...each, file: SOME_BYTES })) }
  const fields = { properties: { file, ...form.properties }, required: ['file', ...required] }
  return { ...form, ...fields, ...shown } as TSchema // JSON Schema
}

const SOME_BYTES = 'the bytes of the file'

/** The fields of a form in an example. */
const exampleOf = (form: TObject) => sampleOf(form) as Record<string, unknown> // the sample of an object's schema
