import type { Static, TSchema } from 'typebox'
import { invalidJson, invalidRequest } from '../errors.ts'
import { collectProblems, lazyCheck, unstorable } from './validate.ts'

/** Deeper JSON is no request but an attack on whoever walks it. */
const MAX_DEPTH = 64

/** What is read from bytes that should be JSON. */
interface JsonText {
  text: string
  /** Written in a way that can bring in what the database cannot hold. */
  maybeUnstorable: boolean
}

/** The text of a JSON body: valid UTF-8, of bounded depth. Throws 400 `invalid_json`. */
export function readText(bytes: Buffer): JsonText {
  const text = bytes.toString('utf8')
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw invalidJson({ detail: 'The body is not valid UTF-8' })
  if (depthOf(text) > MAX_DEPTH) throw invalidJson({ detail: `The body is nested deeper than ${MAX_DEPTH} levels` })
  // Raw bytes were checked above, so only an escape brings in half a character; only such numbers become infinite.
  return { text, maybeUnstorable: text.includes('\\u') || text.includes('\0') || HUGE_NUMBER.test(text) }
}

export const notJson = () => invalidJson({ detail: 'The body could not be read as JSON' })

/**
 * Reads a raw body as JSON once its signature is known to fit, as strictly as other bodies are read: throws 400
 * `invalid_json`, or `invalid_request` with all that does not fit the schema.
 */
export function parseJson<T extends TSchema>(raw: Buffer, schema: T): Static<T> {
  const { text, maybeUnstorable } = readText(raw)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw notJson()
  }
  const errors = collectProblems(maybeUnstorable ? unstorable(value, '#') : [], checkOf(schema)(value, '#'))
  if (errors.length > 0) throw invalidRequest({ errors })
  return value as Static<T> // just checked
}

const checks = new WeakMap<TSchema, ReturnType<typeof lazyCheck>>()

function checkOf(schema: TSchema): ReturnType<typeof lazyCheck> {
  const check = checks.get(schema) ?? lazyCheck(schema)
  checks.set(schema, check)
  return check
}

/** With an exponent of three digits, or very many digits, which are looked at once for each run of them. */
const HUGE_NUMBER = /\d[eE]\+?\d{3}|(?:^|\D)\d{300}/

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Nesting of brackets outside of strings; reads no further than the first level too many. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (quoted) {
      if (char === BACKSLASH) i++
      else if (char === QUOTE) quoted = false
    } else if (char === QUOTE) quoted = true
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (++depth > deepest) deepest = depth
      if (deepest > MAX_DEPTH) return deepest
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
  }
  return deepest
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
