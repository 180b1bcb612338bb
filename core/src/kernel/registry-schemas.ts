import { Format } from 'typebox/format'
import { FORMS } from './http/forms.ts'

// Only features of regular expressions that all languages have: no look-around, flags or named groups.
const PECULIAR = /\(\?(?!:)/

/**
 * Problems with a schema, at any depth: a pattern that clients in other languages cannot use, or an unknown format or
 * form, which would accept everything.
 */
export function problemsOfSchema(schema: unknown): string[] {
  const problems: string[] = []
  collect(schema, problems)
  return problems
}

/** Adds them to one list: a start looks at thousands of schemas. */
function collect(schema: unknown, problems: string[]): void {
  if (typeof schema !== 'object' || schema === null) return
  const { pattern, format, form, patternProperties } = schema as Record<string, unknown> // JSON Schema's keywords
  const patterns = patternProperties ? [pattern, ...Object.keys(patternProperties)] : [pattern]
  for (const each of patterns)
    if (typeof each === 'string' && PECULIAR.test(each))
      problems.push(`has a pattern with (? in it, which not every language knows: ${each}`)
  if (typeof format === 'string' && !Format.Has(format)) problems.push(`has the unknown format '${format}'`)
  if (typeof form === 'string' && !Object.hasOwn(FORMS, form)) problems.push(`has the unknown form '${form}'`)
  for (const [keyword, value] of Object.entries(schema)) {
    if (MAPS.has(keyword)) for (const each of Object.values(Object(value))) collect(each, problems)
    else if (!SCHEMAS.has(keyword)) continue
    else if (Array.isArray(value)) for (const each of value) collect(each, problems)
    else collect(value, problems)
  }
}

/** Keywords that hold a schema or a list of them, and those that hold schemas by name. */
const SCHEMAS = new Set(
  'items additionalItems additionalProperties prefixItems contains propertyNames not if then else anyOf oneOf allOf'.split(
    ' ',
  ),
)
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs'])
