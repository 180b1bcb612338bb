import type { TObject, TSchema } from 'typebox'
import { invalidRequest } from '../errors.ts'
import { coercion } from './validate.ts'

export const FORM_TYPE = 'application/x-www-form-urlencoded'
/** No real form has more fields. */
const MAX_FIELDS = 1000

/** The fields of a form: all values of each name, in order. */
export type FormFields = Map<string, string[]>

/** Parses a form. Throws 400 for invalid UTF-8 or percent-encoding, and for too many fields. */
export function parseForm(bytes: Buffer): FormFields {
  const fields: FormFields = new Map()
  const pairs = bytes.toString('latin1').split('&')
  if (pairs.length > MAX_FIELDS) throw invalidRequest({ detail: `A form may have ${MAX_FIELDS} fields` })
  for (const pair of pairs) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    const value = at < 0 ? '' : decode(pair.slice(at + 1))
    const values = fields.get(name)
    if (values) values.push(value)
    else fields.set(name, [value])
  }
  return fields
}

function decode(written: string): string {
  // Characters beyond ASCII must be percent-encoded.
  if (/[^\x20-\x7e]/.test(written)) throw notAForm()
  try {
    return decodeURIComponent(written.replaceAll('+', ' '))
  } catch {
    throw notAForm()
  }
}

const notAForm = () => invalidRequest({ detail: 'The form is not percent-encoded UTF-8' })

/**
 * Converts a form by a schema: a list gets all values of its name, other fields one value (several are a list, which
 * the schema refuses); numbers and booleans are converted.
 */
export function formReader(schema: TSchema): (fields: FormFields) => Record<string, unknown> {
  const { properties = {} } = schema as Partial<TObject> // the registry took care that a form is an object
  const lists = new Map<string, (values: Record<string, unknown>) => Record<string, unknown>>()
  for (const [name, property] of Object.entries(properties)) {
    const { type, items } = property as { type?: unknown; items?: TSchema } // JSON Schema's keywords
    if (type === 'array') lists.set(name, coercion({ properties: { [name]: items ?? {} } } as unknown as TObject)) // all that is looked at
  }
  const coerce = coercion({ properties } as TObject) // all that is looked at
  return (fields) => {
    const values: Record<string, unknown> = Object.create(null)
    for (const [name, [first, ...more]] of fields) {
      const coerceEach = lists.get(name)
      if (coerceEach) values[name] = [first, ...more].map((value) => coerceEach({ [name]: value })[name])
      else values[name] = more.length === 0 ? first : [first, ...more]
    }
    return coerce(values)
  }
}
