import type { FastifyInstance } from 'fastify'
import { invalidJson } from '../errors.ts'
import type { RegisteredRoute } from '../registry.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body was written in a way that can bring in what the database cannot hold. */
    maybeUnstorable: boolean
  }
}

const KiB = 1024
/** What a route may ask for at most, in `bodyLimit`; files have their own limit. */
export const MAX_BODY_LIMIT = 1024 * KiB
const USUAL_LIMIT = 128 * KiB
/** Room for `{}`, and for telling whoever sends a little more that nothing is expected. */
const NOTHING_LIMIT = 1 * KiB
/** Deeper JSON is no request but an attack on whoever walks it. */
const MAX_DEPTH = 64

/** How many bytes of a body are read for a route; beyond them it is 413. */
export function bodyLimitOf({ body, bodyLimit }: RegisteredRoute): number {
  return body ? (bodyLimit ?? USUAL_LIMIT) : NOTHING_LIMIT
}

/** Accepts JSON bodies, strictly: valid UTF-8, bounded depth, no `__proto__`. */
export function acceptJson(app: FastifyInstance): void {
  const parseStrictly = app.getDefaultJsonParser('error', 'error')
  app.decorateRequest('maybeUnstorable', false)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer // parseAs: 'buffer'
    if (bytes.length === 0) return done(null, undefined)
    const text = bytes.toString('utf8')
    if (text.includes('\ufffd') && !isUtf8(bytes)) return done(invalidJson({ detail: 'The body is not valid UTF-8' }))
    if (depthOf(text) > MAX_DEPTH)
      return done(invalidJson({ detail: `The body is nested deeper than ${MAX_DEPTH} levels` }))
    // Raw bytes were checked above, so only an escape brings in half a character; only such numbers become infinite.
    request.maybeUnstorable = text.includes('\\u') || text.includes('\0') || HUGE_NUMBER.test(text)
    parseStrictly(request, text, (error, value) => {
      if (error) return done(invalidJson({ detail: 'The body could not be read as JSON' }))
      done(null, value)
    })
  })
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
