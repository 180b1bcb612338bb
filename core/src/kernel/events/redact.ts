import { isDeepStrictEqual } from 'node:util'
import type { TSchema } from 'typebox'

export type Values = Record<string, unknown>

const REDACTED = '[redacted]'

/** The JSON Schema keywords that are looked at, and `secret`, our own annotation. */
interface Shape {
  secret?: boolean
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
  items?: Shape
  anyOf?: Shape[]
}

/** What may be recorded of a value: the fields that its schema knows, at every depth, with its secrets blotted out. */
export function redact(schema: TSchema, values: Values | undefined): Values | undefined {
  return values && (recordable(schema as Shape, values) as Values) // an object stays one: its schema names properties
}

/** The fields that differ, before and after. That a secret was changed is recorded, its values are not. */
export function redactChange(schema: TSchema, before: Values, after: Values): [Values, Values] {
  const { properties = {} } = schema as Shape
  const old: Values = {}
  const now: Values = {}
  for (const [name, shape] of Object.entries(properties)) {
    const was = before[name] ?? null
    const is = after[name] ?? null
    if (name === 'updated_at' || isDeepStrictEqual(was, is)) continue
    old[name] = recordable(shape, was)
    now[name] = recordable(shape, is)
  }
  return [old, now]
}

function recordable(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (shape.secret) return REDACTED
  if (shape.anyOf) return ofUnion(shape.anyOf, value)
  if (Array.isArray(value)) return shape.items ? value.map((item) => recordable(shape.items as Shape, item)) : value // just asked
  return typeof value === 'object' ? ofObject(shape, value as Values) : value
}

function ofObject(shape: Shape, value: Values): unknown {
  const { properties, patternProperties, additionalProperties } = shape
  if (!properties && !patternProperties && typeof additionalProperties !== 'object') return value
  const known: Values = {}
  for (const [name, inner] of Object.entries(value)) {
    const own = properties?.[name] ?? patternOf(shape, name) ?? additionalProperties
    if (inner !== undefined && typeof own === 'object') known[name] = recordable(own, inner)
  }
  return known
}

function patternOf({ patternProperties = {} }: Shape, name: string): Shape | undefined {
  return Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern).test(name))?.[1]
}

/** Known is what any branch knows, secret what is a secret in any branch. */
function ofUnion(branches: Shape[], value: unknown): unknown {
  const fitting = branches.filter((branch) => !('type' in branch) || branch.type === typeOf(value))
  if (fitting.some(({ secret }) => secret)) return REDACTED
  if (typeof value !== 'object' || value === null) return value
  const properties: Record<string, Shape> = {}
  for (const branch of fitting) {
    for (const [name, shape] of Object.entries(branch.properties ?? {}))
      if (!properties[name]?.secret) properties[name] = shape
  }
  return Object.keys(properties).length > 0 ? recordable({ properties }, value) : recordable(fitting[0] ?? {}, value)
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value
}
