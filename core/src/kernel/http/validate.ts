import type { TObject, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Format } from 'typebox/format'
import type { FieldProblem } from '../errors.ts'
import { isDate, isMoment } from '../text/moments.ts'
import { child, explain } from './explain.ts'

/** Checks a value and names what is wrong with it, under `base` (`#`, `query`, `headers`); nothing for what is right. */
export type Check = (value: unknown, base: string) => Iterable<FieldProblem>

const NO_PROBLEMS: FieldProblem[] = []
/** As many as anybody reads. */
export const MAX_PROBLEMS = 50
/** A pointer holds names that somebody else made up. */
const MAX_POINTER = 200

// Times as the library would take them reach from the year 0 on, which the database does not know.
Format.Set('date-time', isMoment)
Format.Set('date', (text) => isDate(text))

/** Compiled at the first request that needs it: compiling all routes at start would cost the start most of its time. */
export function lazyCheck(schema: TSchema): Check {
  let validator: Validator | undefined
  return (value, base) => {
    validator ??= Compile(schema)
    return validator.Check(value) ? NO_PROBLEMS : atLeastOne(explain(schema, value, base), base)
  }
}

/** What was refused is refused, even where nobody can say why. */
export function* atLeastOne(found: Iterable<FieldProblem>, pointer: string): Generator<FieldProblem> {
  let isEmpty = true
  for (const problem of found) {
    isEmpty = false
    yield problem
  }
  if (isEmpty) yield { pointer, detail: 'does not have the form that is asked for' }
}

/** The first problems of several searches. Each goes on no further than it is asked, and the last ones not at all. */
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

/** A query arrives as text; what its schema calls a number or a boolean becomes one, or stays text and is refused. */
export function coercion(schema: TObject): (query: Record<string, unknown>) => Record<string, unknown> {
  const coerce = new Map<string, Coerce>()
  for (const [name, property] of Object.entries(schema.properties)) {
    const type = (property as { type?: unknown }).type // a JSON Schema keyword
    if (type === 'integer' || type === 'number') coerce.set(name, toNumber)
    if (type === 'boolean') coerce.set(name, toBoolean)
  }
  return (query) => {
    // Without a prototype: a field named `__proto__` is one like any other, and unknown.
    const values: Record<string, unknown> = Object.create(null)
    for (const name in query) {
      const value = query[name]
      values[name] = typeof value === 'string' ? (coerce.get(name)?.(value) ?? value) : value
    }
    return values
  }
}

/** Text that PostgreSQL cannot store as it is: NUL, and halves of surrogate pairs. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Finds text and numbers that cannot be stored, in values and in names, anywhere in a parsed body. */
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
