import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'

/** The keywords of JSON Schema that samples are made from. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  format?: string
  examples?: unknown[]
  default?: unknown
  minimum?: number
  minItems?: number
}

export interface Sampling {
  /** A text with the tenant's marker that was never used before. */
  text(): string
  /** An id for the field of that name; undefined when there is none to give. */
  id(name: string): Promise<string | undefined>
  /** Fill fields that may be left out, too. */
  complete: boolean
}

/** TypeBox types its schemas by what they accept; the keywords are read here. */
export const asSchema = (schema: TSchema | undefined): Schema => (schema ?? {}) as Schema

export const isIdName = (name: string): boolean => /(^|_)id$/.test(name)

/** The header `x-article-id` speaks of what the field `article_id` speaks of. */
export const fieldOf = (header: string): string => header.replace(/^x-/, '').replaceAll('-', '_')

const validates = (schema: Schema, value: unknown) => Check(schema as TSchema, value) // the same object, read as keywords above

/** A value that fits the schema, with the marker in every text that may be free; undefined when none was found. */
export async function sample(schema: Schema, sampling: Sampling, name = ''): Promise<unknown> {
  const type = [schema.type].flat().find((each) => each !== 'null')
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sample(schema.anyOf[0] ?? {}, sampling, name)
  if (type === 'object') return sampleObject(schema, sampling)
  if (type === 'array') return sampleArray(schema, sampling, name)
  if (type === 'string')
    return isIdName(name) || schema.format === 'uuid' ? sampling.id(name) : sampleText(schema, sampling, name)
  const candidates = [
    schema.examples?.[0],
    schema.default,
    type === 'boolean' ? false : Math.max(schema.minimum ?? 1, 1),
  ]
  return candidates.find((each) => each !== undefined && validates(schema, each))
}

async function sampleObject(
  { properties = {}, required = [] }: Schema,
  sampling: Sampling,
): Promise<Record<string, unknown>> {
  const value: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    if (!sampling.complete && !required.includes(name)) continue
    const sampled = await sample(property, sampling, name)
    if (sampled !== undefined) value[name] = sampled
  }
  return value
}

async function sampleArray({ items = {}, minItems = 0 }: Schema, sampling: Sampling, name: string): Promise<unknown[]> {
  if (!sampling.complete && minItems === 0) return []
  const item = await sample(items, sampling, name.replace(/s$/, ''))
  return item === undefined ? [] : [item]
}

function sampleText(schema: Schema, { text }: Sampling, name: string): unknown {
  const unique = text()
  const word = unique.replaceAll(' ', '-')
  const example = schema.examples?.[0]
  const free = [unique, word, unique.toUpperCase(), word.toUpperCase()]
  const candidates =
    name.includes('email') || schema.format === 'email'
      ? [`${word}@example.com`]
      : name.includes('password')
        ? [`${word} across the quiet water`]
        : schema.format === 'uri'
          ? [`https://example.com/${word}`]
          : schema.format === 'date-time'
            ? [new Date().toISOString()]
            : free
  return [...candidates, example, schema.default].find((each) => each !== undefined && validates(schema, each))
}

/** Where in a body ids stand: `['roles', '0', 'role_id']`. */
export function idPlaces({ properties = {}, items, anyOf }: Schema, path: readonly string[] = []): string[][] {
  const places: string[][] = []
  for (const [name, property] of Object.entries(properties)) {
    const type = [property.type].flat()
    const here = [...path, name]
    if (type.includes('string') && (isIdName(name) || property.format === 'uuid')) places.push(here)
    else if (
      type.includes('array') &&
      [property.items?.type].flat().includes('string') &&
      (/_ids$/.test(name) || property.items?.format === 'uuid')
    )
      places.push([...here, '0'])
    else places.push(...idPlaces(property, here))
  }
  if (items) places.push(...idPlaces(items, [...path, '0']))
  for (const each of anyOf ?? []) places.push(...idPlaces(each, path))
  return places
}

/** A copy with the value at the place; what lies on the way is made. */
export function placed(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  if (name === '0') {
    const [first, ...others] = Array.isArray(target) ? target : []
    return [placed(first, rest, value), ...others]
  }
  const object = typeof target === 'object' && target !== null ? { ...target } : {}
  return { ...object, [name]: placed(name in object ? object[name as keyof typeof object] : undefined, rest, value) } // just looked for
}
