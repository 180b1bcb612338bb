import { isDeepStrictEqual } from 'node:util'
import type { TSchema } from 'typebox'
import { isObject } from '../fields.ts'
import { type Hash, hashedKeys } from './hashed.ts'

export type Values = Record<string, unknown>

const REDACTED = '[redacted]'

/** The JSON Schema keywords that are read, and our own: `secret` and `recorded`. */
interface Shape {
  secret?: boolean
  recorded?: 'hashed' | 'whole'
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
  items?: Shape
  type?: string | string[]
  anyOf?: Shape[]
}

/**
 * The recordable part of a value: the fields in its schema, at every depth, with secrets redacted. Of an object without
 * known fields, the keys and a hash of each value.
 */
export function redact(schema: TSchema, values: Values | undefined, hash: Hash): Values | undefined {
  return values && (recordable(schema as Shape, values, hash) as Values) // an object stays one: its schema names properties
}

/**
 * The fields that differ, before and after; of an object without known fields, the keys that differ. For a secret it is
 * recorded that it changed, not its values.
 */
export function redactChange(schema: TSchema, before: Values, after: Values, hash: Hash): [Values, Values] {
  const { properties = {} } = schema as Shape
  const old: Values = {}
  const now: Values = {}
  for (const [name, shape] of Object.entries(properties)) {
    const was = before[name] ?? null
    const is = after[name] ?? null
    if (name === 'updated_at' || isDeepStrictEqual(was, is)) continue
    const [oldValue, newValue] = isHashed(shape) ? [without(was, is), without(is, was)] : [was, is]
    old[name] = recordable(shape, oldValue, hash)
    now[name] = recordable(shape, newValue, hash)
  }
  return [old, now]
}

/** The fields of the first object that differ from the second. */
function without(value: unknown, other: unknown): unknown {
  if (!isObject(value) || !isObject(other)) return value
  const differs = ([name, inner]: [string, unknown]) =>
    !Object.hasOwn(other, name) || !isDeepStrictEqual(inner, other[name])
  return Object.fromEntries(Object.entries(value).filter(differs))
}

/** Whether the schema leaves the fields of an object open and does not ask for recording it whole. */
function isHashed(shape: Shape): boolean {
  const { recorded, anyOf, properties, patternProperties, additionalProperties } = shape
  if (recorded !== undefined) return recorded === 'hashed'
  if (anyOf) return anyOf.some((branch) => isHashed(branch) && takesObjects(branch))
  return !properties && !patternProperties && typeof additionalProperties !== 'object'
}

const takesObjects = ({ type }: Shape) => type === undefined || [type].flat().includes('object')

function recordable(shape: Shape, value: unknown, hash: Hash): unknown {
  if (value === null || value === undefined) return value
  if (shape.secret) return REDACTED
  if (shape.recorded === 'whole') return value
  if (shape.recorded === 'hashed') return isObject(value) ? hashedKeys(value, hash) : hash('', value)
  if (shape.anyOf) return ofUnion(shape.anyOf, value, hash)
  // Arrays and objects without a schema for their parts.
  if (Array.isArray(value)) return value.map((item) => recordable(shape.items ?? {}, item, hash))
  return isObject(value) ? ofObject(shape, value, hash) : value
}

function ofObject(shape: Shape, value: Values, hash: Hash): unknown {
  const { properties, additionalProperties } = shape
  if (isHashed(shape)) return hashedKeys(value, hash)
  const known: Values = {}
  for (const [name, inner] of Object.entries(value)) {
    const own = properties?.[name] ?? patternOf(shape, name) ?? additionalProperties
    if (inner !== undefined && typeof own === 'object') known[name] = recordable(own, inner, hash)
  }
  return known
}

function patternOf({ patternProperties = {} }: Shape, name: string): Shape | undefined {
  return Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern).test(name))?.[1]
}

/** Fields known to any branch are recorded; a secret in any branch is redacted. */
function ofUnion(branches: Shape[], value: unknown, hash: Hash): unknown {
  const fitting = branches.filter((branch) => branch.type === undefined || [branch.type].flat().includes(typeOf(value)))
  if (fitting.some(({ secret }) => secret)) return REDACTED
  if (typeof value !== 'object' || value === null) return value
  const properties: Record<string, Shape> = {}
  for (const branch of fitting) {
    for (const [name, shape] of Object.entries(branch.properties ?? {}))
      if (!properties[name]?.secret) properties[name] = shape
  }
  const known = Object.keys(properties).length > 0 ? { properties } : (fitting[0] ?? {})
  return recordable(known, value, hash)
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value
}
