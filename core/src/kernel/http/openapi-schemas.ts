import type { TSchema } from 'typebox'
import type { JsonSchema } from './openapi-types.ts'

/** The schemas of one document: objects and unions with a title stand once among the components and are referred to. */
export interface SchemaCollection {
  /** The schema as plain JSON Schema. `module` tells two of one title apart. */
  convert(schema: TSchema, module: string): JsonSchema
  readonly components: Record<string, JsonSchema>
}

// What may appear in the document. Anything else is TypeBox's or our own and stays inside.
const VALUES = new Set(
  `type title description format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
  enum const default examples required minItems maxItems uniqueItems minContains maxContains minProperties maxProperties
  dependentRequired contentEncoding contentMediaType readOnly writeOnly deprecated`.split(/\s+/),
)
const ONE_SCHEMA = new Set(['items', 'additionalProperties', 'not', 'contains', 'propertyNames', 'if', 'then', 'else'])
const NAMED_SCHEMAS = new Set(['properties', 'patternProperties', 'dependentSchemas'])
const LISTED_SCHEMAS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])

export function collectSchemas(): SchemaCollection {
  const components: Record<string, JsonSchema> = {}
  const written = new Map<string, string>()

  function convert(schema: TSchema, module: string): JsonSchema {
    const given = schema as JsonSchema // TypeBox schemas are JSON Schemas; the keywords are read by name
    const { title } = given
    if (typeof title !== 'string' || !/^[A-Za-z]\w*$/.test(title) || !isNamed(given)) return keywords(given, module)
    const isNullable = Array.isArray(given.type) && given.type.includes('null')
    const plain = keywords(isNullable ? { ...given, type: 'object' } : given, module)
    const reference = { $ref: `#/components/schemas/${nameFor(title, plain, module)}` }
    return isNullable ? { anyOf: [reference, { type: 'null' }] } : reference
  }

  function keywords(schema: JsonSchema, module: string): JsonSchema {
    const result: JsonSchema = {}
    const inner = (value: unknown) => (typeof value === 'boolean' ? value : convert(value as TSchema, module)) // a keyword's schema
    for (const [keyword, value] of Object.entries(schema)) {
      if (VALUES.has(keyword)) result[keyword] = value
      else if (keyword === 'items' && Array.isArray(value)) result.prefixItems = value.map(inner)
      else if (keyword === 'additionalItems') result.items = inner(value)
      else if (ONE_SCHEMA.has(keyword)) result[keyword] = inner(value)
      else if (LISTED_SCHEMAS.has(keyword))
        result[keyword] = (value as unknown[]).map(inner) // a list by definition
      else if (NAMED_SCHEMAS.has(keyword))
        result[keyword] = Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, inner(each)])) // a map by definition
    }
    return result
  }

  function nameFor(title: string, schema: JsonSchema, module: string): string {
    const text = JSON.stringify(schema)
    for (const name of namesOf(title, module)) {
      const other = written.get(name)
      if (other !== undefined && other !== text) continue
      written.set(name, text)
      components[name] = schema
      return name
    }
    throw new Error(`No name is left for the schema ${title}`) // namesOf has no end
  }

  return { convert, components }
}

/** Whether a schema is worth a name of its own: an object, or one of several. */
function isNamed({ type, anyOf }: JsonSchema): boolean {
  return type === 'object' || Array.isArray(anyOf) || (Array.isArray(type) && type.includes('object'))
}

/** `Address`; when another schema has that name `SalesAddress`, then `SalesAddress2` and so on. */
function* namesOf(title: string, module: string): Generator<string> {
  yield title
  const own = pascalCase(module) + title
  yield own
  for (let i = 2; ; i++) yield own + i
}

/** `api-keys` → `ApiKeys`. */
export function pascalCase(text: string): string {
  return text
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}
