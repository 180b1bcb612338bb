import type { TObject, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Format } from 'typebox/format'
import type { FieldProblem } from '../errors.ts'
import { isDate, isMoment } from '../text/moments.ts'
import { child, explain } from './explain.ts'

/** Checks a value; yields problems under `base` (`#`, `query`, `headers`), none for a valid one. */
export type Check = (value: unknown, base: string) => Iterable<FieldProblem>

const NO_PROBLEMS: FieldProblem[] = []
/** Nobody reads more. */
export const MAX_PROBLEMS = 50
/** Pointers contain names given by the client. */
const MAX_POINTER = 200

// The library accepts times from the year 0 on, which the database cannot store.
Format.Set('date-time', isMoment)
Format.Set('date', (text) => isDate(text))

/** Compiled at first use: compiling all routes would take most of the start. */
export function lazyCheck(schema: TSchema): Check {
  let validator: Validator | undefined
  return (value, base) => {
    validator ??= Compile(schema)
    return validator.Check(value) ? NO_PROBLEMS : atLeastOne(explain(schema, value, base), base)
  }
}

/** Adds a general problem when a refused value has none. */
export function* atLeastOne(found: Iterable<FieldProblem>, pointer: string): Generator<FieldProblem> {
  let isEmpty = true
  for (const problem of found) {
    isEmpty = false
    yield problem
  }
  if (isEmpty) yield { pointer, detail: 'does not have the form that is asked for' }
}

/** Collects the first problems of several searches, running each only as far as needed. */
export function collectProblems(...searches: Iterable<FieldProblem>[]): FieldProblem[] {
  const problems: FieldProblem[] = []
  for (const search of searches)
    for (const { pointer, detail } of search) {
      problems.push({ pointer: shortened(pointer), detail })
      if (problems.length === MAX_PROBLEMS) return problems
    }
  return problems
}

function shortened(pointer: string): string {
  return pointer.length <= MAX_POINTER ? pointer : `${pointer.slice(0, MAX_POINTER).toWellFormed()}…`
}

type Coerce = (text: string) => unknown
const NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/
const toNumber: Coerce = (text) => (NUMBER.test(text) ? Number(text) : text)
const toBoolean: Coerce = (text) => (text === 'true' ? true : text === 'false' ? false : text)

/**
 * Converts texts of a query to the numbers and booleans of its schema; a text that cannot be converted stays and is
 * refused.
 */
export function coercion(schema: TObject): (query: Record<string, unknown>) => Record<string, unknown> {
  const coerce = new Map<string, Coerce>()
  for (const [name, property] of Object.entries(schema.properties)) {
    const type = (property as { type?: unknown }).type // a JSON Schema keyword
    if (type === 'integer' || type === 'number') coerce.set(name, toNumber)
    if (type === 'boolean') coerce.set(name, toBoolean)
  }
  return (query) => {
    // Without a prototype, so that a field named `__proto__` is an ordinary unknown one.
    const values: Record<string, unknown> = Object.create(null)
    for (const name in query) {
      const value = query[name]
      values[name] = typeof value === 'string' ? (coerce.get(name)?.(value) ?? value) : value
    }
    return values
  }
}

/** Whether PostgreSQL can store a text: no NUL and no lone surrogates. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Finds texts and numbers that cannot be stored, in values and names of a parsed body. */
export function* unstorable(value: unknown, pointer: string): Generator<FieldProblem> {
  if (typeof value === 'string') {
    if (!isStorable(value)) yield { pointer, detail: 'contains a NUL character or half of a surrogate pair' }
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) yield { pointer, detail: 'is a number beyond all that can be kept' }
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) yield* unstorable(value[at], `${pointer}/${at}`)
  } else if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown> // an object's own fields are looked up by name
    for (const name in fields)
      if (isStorable(name)) yield* unstorable(fields[name], child(pointer, name))
      else yield { pointer, detail: 'has a field whose name cannot be stored' }
  }
}
