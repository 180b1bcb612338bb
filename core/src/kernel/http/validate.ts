import type { TObject, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'
import type { FieldProblem } from '../errors.ts'

/** Checks a value and names every wrong field, under `base` (`#`, `query`, `headers`). */
export type Check = (value: unknown, base: string) => FieldProblem[]

const NO_PROBLEMS: FieldProblem[] = []
const MAX_PROBLEMS = 50
// All problems of a request at once: the library stops at 8 by itself.
Settings.Set({ maxErrors: MAX_PROBLEMS })

/** Compiled at the first request that needs it: compiling all routes at start would cost the start most of its time. */
export function lazyCheck(schema: TSchema): Check {
  let validator: Validator | undefined
  return (value, base) => {
    validator ??= Compile(schema)
    return validator.Check(value)
      ? NO_PROBLEMS
      : validator
          .Errors(value)
          .slice(0, MAX_PROBLEMS)
          .flatMap((error) => explain(error, base))
  }
}

interface SchemaError {
  keyword: string
  instancePath: string
  params: unknown
  message: string
}

function explain({ keyword, instancePath, params, message }: SchemaError, base: string): FieldProblem[] {
  const here = base + instancePath
  // The shape of params follows from the keyword.
  const details = params as { requiredProperties?: string[]; additionalProperties?: PropertyKey[] }
  if (keyword === 'required')
    return (details.requiredProperties ?? []).map((name) => ({ pointer: child(here, name), detail: 'is required' }))
  if (keyword === 'additionalProperties' && details.additionalProperties)
    return details.additionalProperties.map((name) => ({
      pointer: child(here, String(name)),
      detail: 'is not a known field',
    }))
  // The field itself is reported; "the false schema under it" is the same news again.
  if (keyword === 'boolean' || keyword === 'anyOf')
    return keyword === 'boolean' ? [] : [{ pointer: here, detail: 'fits none of the accepted forms' }]
  return [{ pointer: here, detail: message }]
}

function child(base: string, name: string): string {
  return `${base}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
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
    const values: Record<string, unknown> = {}
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

/** Finds text that cannot be stored, in values and in names, anywhere in a parsed body. */
export function unstorable(value: unknown, pointer: string): FieldProblem[] {
  if (typeof value === 'string')
    return isStorable(value)
      ? NO_PROBLEMS
      : [{ pointer, detail: 'contains a NUL character or half of a surrogate pair' }]
  if (typeof value !== 'object' || value === null) return NO_PROBLEMS
  return Object.entries(value).flatMap(([name, item]) =>
    isStorable(name)
      ? unstorable(item, child(pointer, name))
      : [{ pointer, detail: 'has a field whose name cannot be stored' }],
  )
}
