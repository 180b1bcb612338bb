import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { LEFT_OUT, sampleOf } from '../../kernel/http/openapi-samples.ts'

/** The keywords of JSON Schema by which places are found. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  format?: string
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

/** An object that fits the schema, with the tenant's ids, and the marker in every text that may be free. */
export async function sampleFor(schema: TSchema, sampling: Sampling): Promise<Record<string, unknown>> {
  let value = sampleOf(schema, '', { own: (part, name) => own(part, name, sampling), least: !sampling.complete })
  for (const path of idPlaces(asSchema(schema))) {
    if (!isThere(value, path)) continue
    const id = await sampling.id(path.findLast((step) => step !== '0') ?? '')
    value = placed(value, path, id)
  }
  return value as Record<string, unknown> // the sample of an object's schema
}

/** A text that is the tenant's, and nothing switched on; what no text fits is left out. */
function own(schema: TSchema, name: string, { text }: Sampling): unknown {
  const { type, format, examples, default: usual } = schema as Schema & { examples?: unknown[]; default?: unknown } // as asSchema
  if ([type].flat().includes('boolean')) return examples?.[0] ?? usual ?? false
  if (![type].flat().includes('string') || isIdName(name) || format === 'uuid') return undefined
  const unique = text()
  const word = unique.replaceAll(' ', '-')
  const made: Record<string, string> = {
    email: `${word}@example.com`,
    password: `${word} across the quiet water`,
    uri: `https://example.com/${word}`,
    'date-time': new Date().toISOString(),
  }
  const kind = ['email', 'password'].find((each) => name.includes(each)) ?? format ?? ''
  const candidates = made[kind] ? [made[kind]] : [unique, word, unique.toUpperCase(), word.toUpperCase()]
  const found = [...candidates, examples?.[0], usual, format && sampleOf(schema, name)].find(
    (each) => each !== undefined && Check(schema, each),
  )
  return found ?? LEFT_OUT
}

function isThere(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true
  return typeof value === 'object' && value !== null && name in value && isThere(Reflect.get(value, name), rest)
}

/** Where in a body ids stand: `['roles', '0', 'role_id']`. */
export function idPlaces(schema: Schema, path: readonly string[] = [], name = ''): string[][] {
  const { type, format, properties = {}, items, anyOf = [] } = schema
  if ([type].flat().includes('string') && (isIdName(name) || format === 'uuid')) return [[...path]]
  const places = [
    ...Object.entries(properties).flatMap(([each, property]) => idPlaces(property, [...path, each], each)),
    ...(items ? idPlaces(items, [...path, '0'], name.replace(/s$/, '')) : []),
    ...anyOf.flatMap((each) => idPlaces(each, path, name)),
  ]
  // Each once, though several branches have it.
  return [...new Map(places.map((place) => [place.join('/'), place])).values()]
}

/** A copy with the value at the place; what lies on the way is made. Undefined: without what is there. */
export function placed(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  if (name === '0') {
    const [first, ...others] = Array.isArray(target) ? target : []
    return [placed(first, rest, value), ...others].filter((each) => each !== undefined)
  }
  const object = typeof target === 'object' && target !== null ? { ...target } : {}
  return { ...object, [name]: placed(Reflect.get(object, name), rest, value) }
}
