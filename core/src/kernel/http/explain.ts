import { isDeepStrictEqual } from 'node:util'
import type { TSchema } from 'typebox'
import { Guard } from 'typebox/guard'
import { Check } from 'typebox/value'
import type { FieldProblem } from '../errors.ts'
import { isObject } from '../fields.ts'
import { sayFormat, sayText, sayType, sayWords } from './sentences.ts'

/** JSON Schema keywords with their own messages, TypeBox's own checks, and `says`, the message for a pattern. */
interface Shape {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  says?: string
  examples?: unknown[]
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  minItems?: number
  maxItems?: number
  items?: Shape
  required?: string[]
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
  minProperties?: number
  maxProperties?: number
  allOf?: Shape[]
  '~refine'?: { check(value: unknown): boolean; error(value: unknown): string }[]
}

/** Keywords that are judged as a whole, because the intended branch is unknown. */
const JUDGED_WHOLE = ['anyOf', 'oneOf', 'not', 'if', 'contains', 'uniqueItems', 'multipleOf', 'prefixItems'] as const

/**
 * Yields a sentence for each rule of the schema that a value breaks. Yields them one at a time, so that a caller with
 * enough stops the search. It only explains: the compiled schema decides, so a value without problems here may still be
 * refused.
 */
export function* explain(schema: TSchema, value: unknown, pointer: string): Generator<FieldProblem> {
  yield* ofShape(schema as Shape, value, pointer) // TypeBox's schemas are JSON Schemas; the keywords are read by name
}

function* ofShape(shape: Shape | boolean, value: unknown, pointer: string): Generator<FieldProblem> {
  if (typeof shape === 'boolean') {
    if (!shape) yield { pointer, detail: 'is not accepted' }
    return
  }
  let isSound = true
  for (const problem of ofKeywords(shape, value, pointer)) {
    isSound = false
    yield problem
  }
  if (!isSound) return
  for (const { check, error } of shape['~refine'] ?? []) if (!check(value)) yield { pointer, detail: error(value) }
}

function* ofKeywords(shape: Shape, value: unknown, pointer: string): Generator<FieldProblem> {
  const types = shape.type === undefined ? null : [shape.type].flat()
  const words = shape.enum ?? ('const' in shape ? [shape.const] : null)
  if (words && !words.some((word) => isDeepStrictEqual(word, value)))
    return yield { pointer, detail: sayWords(words, shape.examples) }
  if (types && !types.some((type) => isOfType(type, value))) return yield { pointer, detail: sayType(types) }
  if (typeof value === 'string') yield* ofText(shape, value, pointer)
  else if (typeof value === 'number') yield* ofNumber(shape, value, pointer)
  else if (Array.isArray(value)) yield* ofList(shape, value, pointer)
  else if (typeof value === 'object' && value !== null) yield* ofObject(shape, value, pointer)
  for (const part of shape.allOf ?? []) yield* ofShape(part, value, pointer)
  const whole = JUDGED_WHOLE.filter((keyword) => keyword in shape)
  if (whole.length > 0 && !Check(pick(shape, whole), value))
    yield { pointer, detail: 'fits none of the accepted forms' }
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'number') return Number.isFinite(value)
  return typeof value === type
}

function pick(shape: Shape, keywords: readonly string[]): TSchema {
  const entries = Object.entries(shape).filter(([keyword]) => keywords.includes(keyword) || keyword === '$defs')
  return Object.fromEntries([
    ...entries,
    ...('if' in shape ? Object.entries(shape).filter(isBranchOfIf) : []),
  ]) as TSchema // its keywords
}

const isBranchOfIf = ([keyword]: [string, unknown]) => keyword === 'then' || keyword === 'else'

function* ofText(shape: Shape, text: string, pointer: string): Generator<FieldProblem> {
  const { minLength, maxLength, pattern, format } = shape
  if (minLength !== undefined && !Guard.IsMinLength(text, minLength))
    yield { pointer, detail: minLength === 1 ? 'must not be empty' : `must have at least ${minLength} characters` }
  if (maxLength !== undefined && !Guard.IsMaxLength(text, maxLength))
    yield { pointer, detail: `must have at most ${maxLength} characters` }
  // A text that is too long or empty is not reported as malformed as well.
  else if (text === '' && minLength) return
  else if (pattern !== undefined && !new RegExp(pattern, 'u').test(text)) yield { pointer, detail: sayText(shape) }
  else if (format !== undefined && !Check({ format }, text)) yield { pointer, detail: sayFormat(format) }
}

function* ofNumber(shape: Shape, value: number, pointer: string): Generator<FieldProblem> {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = shape
  if (value < minimum) yield { pointer, detail: `must be at least ${minimum}` }
  if (value > maximum) yield { pointer, detail: `must be at most ${maximum}` }
  if (value <= exclusiveMinimum) yield { pointer, detail: `must be more than ${exclusiveMinimum}` }
  if (value >= exclusiveMaximum) yield { pointer, detail: `must be less than ${exclusiveMaximum}` }
}

function* ofList(shape: Shape, list: unknown[], pointer: string): Generator<FieldProblem> {
  const { minItems = 0, maxItems = Infinity, items } = shape
  if (list.length < minItems)
    yield { pointer, detail: minItems === 1 ? 'must not be empty' : `must have at least ${minItems} entries` }
  if (list.length > maxItems) yield { pointer, detail: `must have at most ${maxItems} entries` }
  if (items === undefined || Array.isArray(items)) return
  for (let at = 0; at < list.length; at++) yield* ofShape(items, list[at], `${pointer}/${at}`)
}

/** Missing fields first, then wrong ones, then unknown ones, of which there may be any number. */
function* ofObject(shape: Shape, object: object, pointer: string): Generator<FieldProblem> {
  const { required = [], properties = {}, minProperties = 0, maxProperties = Infinity } = shape
  const fields = object as Record<string, unknown> // an object's own fields are looked up by name
  for (const name of required)
    if (!Object.hasOwn(fields, name)) yield { pointer: child(pointer, name), detail: 'is required' }
  for (const [name, property] of Object.entries(properties))
    if (Object.hasOwn(fields, name) && fields[name] !== undefined)
      yield* ofShape(property, fields[name], child(pointer, name))
  yield* ofOtherFields(shape, fields, pointer)
  const count = Object.keys(fields).length
  if (count < minProperties)
    yield { pointer, detail: minProperties === 1 ? 'must not be empty' : `must have at least ${minProperties} fields` }
  if (count > maxProperties) yield { pointer, detail: `must have at most ${maxProperties} fields` }
}

function* ofOtherFields(shape: Shape, fields: Record<string, unknown>, pointer: string): Generator<FieldProblem> {
  const { properties = {}, patternProperties = {}, additionalProperties } = shape
  const patterns = Object.entries(patternProperties).map(([pattern, each]) => [new RegExp(pattern, 'u'), each] as const)
  if (additionalProperties === undefined && patterns.length === 0) return
  for (const name in fields) {
    const fitting = patterns.filter(([pattern]) => pattern.test(name))
    for (const [, each] of fitting) yield* ofShape(each, fields[name], child(pointer, name))
    if (fitting.length > 0 || Object.hasOwn(properties, name)) continue
    if (additionalProperties === false) yield { pointer: child(pointer, name), detail: 'is not a known field' }
    else if (typeof additionalProperties === 'object')
      yield* ofShape(additionalProperties, fields[name], child(pointer, name))
  }
}

/** The pointer of a field, as RFC 6901 escapes it. */
export function child(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
