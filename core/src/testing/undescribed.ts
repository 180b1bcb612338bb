import type { JsonSchema, OpenApiDocument, Parameter } from '../kernel/http/openapi.ts'
import { listOperations, step } from './operations.ts'

/**
 * What an API document leaves without a word: parameters, and properties of schemas that neither say themselves what
 * they hold nor refer to a schema that does; modules without a `description` too. Each as a JSON Pointer.
 */
export function undescribed(document: OpenApiDocument): string[] {
  const { tags, paths, components } = document
  const silent = (schema: unknown) => !isDescribed(schema, components.schemas)
  const parameters = listOperations(document).flatMap(({ pointer, operation }) =>
    (operation.parameters ?? [])
      .filter((each): each is Parameter => 'name' in each && !each.description)
      .map(({ name }) => `${pointer}/parameters${step(name)}`),
  )
  return [
    ...tags.filter(({ description }) => !description).map(({ name }) => `#/tags${step(name)}`),
    ...parameters,
    ...propertiesWithin(paths, '#/paths', silent),
    ...propertiesWithin(components, '#/components', silent),
  ]
}

/** Pointers of all properties of schemas, at any depth, whose schemas `isWanted`. */
function propertiesWithin(node: unknown, pointer: string, isWanted: (schema: unknown) => boolean): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => {
    const place = pointer + step(key)
    // What stands in a map of properties is the name of one, whatever it is called.
    const isKeyword = !pointer.endsWith('/properties')
    if (isKeyword && VALUES.includes(key)) return []
    // Of a problem that is narrowed, the Problem itself has the words.
    const isMap = isKeyword && key === 'properties' && !pointer.endsWith('problem+json/schema/allOf/1')
    const silent = Object.entries(isMap ? Object(value) : {}).filter(([, schema]) => isWanted(schema))
    return [...silent.map(([name]) => place + step(name)), ...propertiesWithin(value, place, isWanted)]
  })
}

/** Keywords that hold no schemas but anything. */
const VALUES = ['example', 'examples', 'default', 'const', 'enum']

function isDescribed(schema: unknown, schemas: Record<string, JsonSchema>): boolean {
  const { description, $ref, anyOf = [], oneOf = [], allOf = [] } = Object(schema) as Record<string, unknown> // JSON Schema's keywords
  if (description) return true
  if (typeof $ref === 'string') return isDescribed(schemas[$ref.split('/').at(-1) ?? ''], schemas)
  return [anyOf, oneOf, allOf].flat().some((each) => isDescribed(each, schemas))
}
