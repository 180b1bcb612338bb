import type { Static, TSchema } from 'typebox'
import { invalidJson, invalidRequest } from '../errors.ts'
import { type Tidy, tidierOf } from './forms.ts'
import { type Check, collectProblems, lazyCheck, unstorable } from './validate.ts'

/** Deeper nesting is treated as an attack. */
const MAX_DEPTH = 64

/** Text of a JSON body. */
interface JsonText {
  text: string
  /** May contain values that the database cannot store. */
  maybeUnstorable: boolean
}

/** The text of a JSON body: valid UTF-8, of bounded depth. Throws 400 `invalid_json`. */
export function readText(bytes: Buffer): JsonText {
  const text = bytes.toString('utf8')
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw invalidJson({ detail: 'The body is not valid UTF-8' })
  if (depthOf(text) > MAX_DEPTH) throw invalidJson({ detail: `The body is nested deeper than ${MAX_DEPTH} levels` })
  // The bytes are valid UTF-8, so only escapes create lone surrogates, and only such numbers become infinite.
  return { text, maybeUnstorable: text.includes('\\u') || text.includes('\0') || HUGE_NUMBER.test(text) }
}

const notJson = () => invalidJson({ detail: 'The body could not be read as JSON' })

/**
 * Parses JSON. Throws 400 `invalid_json` for invalid JSON and for names that could change the prototype of an object.
 */
export function parseText(text: string): unknown {
  let value: unknown
  try {
    // Removes a byte order mark, which some programs write.
    value = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
  } catch {
    throw notJson()
  }
  // Searched in the text first, because hardly any body has such a name; an escape may spell one.
  if (/__proto__|constructor|\\u/.test(text) && reachesPrototype(value)) throw notJson()
  return value
}

/** Whether code that copies the fields of the value could write into a prototype. The depth is bounded. */
function reachesPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, '__proto__')) return true
  const made: unknown = Object.hasOwn(value, 'constructor') ? value.constructor : undefined
  if (typeof made === 'object' && made !== null && Object.hasOwn(made, 'prototype')) return true
  return Object.values(value).some(reachesPrototype)
}

/**
 * Reads a raw body as JSON once its signature is known to fit, as strictly as other bodies are read and with its texts
 * brought into the same forms: throws 400 `invalid_json`, or `invalid_request` with all that does not fit the schema.
 */
export function parseJson<T extends TSchema>(raw: Buffer, schema: T): Static<T> {
  const { text, maybeUnstorable } = readText(raw)
  const value = parseText(text)
  const { tidy, check } = readerOf(schema)
  tidy?.(value)
  const errors = collectProblems(maybeUnstorable ? unstorable(value, '#') : [], check(value, '#'))
  if (errors.length > 0) throw invalidRequest({ errors })
  return value as Static<T> // just checked
}

interface Reader {
  tidy: Tidy | null
  check: Check
}

const readers = new WeakMap<TSchema, Reader>()

function readerOf(schema: TSchema): Reader {
  const reader = readers.get(schema) ?? { tidy: tidierOf(schema), check: lazyCheck(schema) }
  readers.set(schema, reader)
  return reader
}

/**
 * Numbers that may exceed the maximum of about 10^308: an exponent of three digits, or 200 digits. Linear time: each
 * run of digits is read once.
 */
const HUGE_NUMBER = /\d[eE]\+?\d{3}|(?:^|\D)\d{200}/

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Depth of nesting outside of strings; stops one level beyond the maximum. */
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

const BYTE_ORDER_MARK = 0xfeff
const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
