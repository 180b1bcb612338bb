import type { FastifyInstance } from 'fastify'
import type { Route } from '../module.ts'
import { FORM_TYPE, parseForm } from './form-body.ts'
import { parseText, readText } from './json-text.ts'
import { MULTIPART_TYPE } from './multipart.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body may contain values that the database cannot store. */
    maybeUnstorable: boolean
  }
}

const KiB = 1024
/** The maximum of `bodyLimit`; files have their own limit. */
export const MAX_BODY_LIMIT = 1024 * KiB
const USUAL_LIMIT = 128 * KiB
/** Enough for `{}`, and for answering somewhat longer bodies that none is expected. */
const NOTHING_LIMIT = 1 * KiB

/** How many bytes of a body are read for a route; beyond them it is 413. */
export function bodyLimitOf({ body, raw, bodyLimit }: Pick<Route, 'body' | 'raw' | 'bodyLimit'>): number {
  return body || raw ? (bodyLimit ?? USUAL_LIMIT) : NOTHING_LIMIT
}

const JSON_TYPE = 'application/json'
const TYPES = { json: JSON_TYPE, form: FORM_TYPE } as const

type Taken = Pick<Route, 'accepts' | 'raw' | 'stream' | 'form'>

/** The content types that a route takes a body in; `*` stands for any. */
export function bodyTypesOf({ accepts, raw, stream, form }: Taken): readonly string[] {
  if (form) return [MULTIPART_TYPE]
  const asItIs = raw ?? stream
  if (asItIs !== undefined) return asItIs === true ? ['*'] : asItIs
  return accepts.map((each) => TYPES[each])
}

/** Whether the handler reads the body while it arrives, whatever its size. */
export const isStreamed = ({ stream, form }: Pick<Route, 'stream' | 'form'>): boolean => Boolean(stream ?? form)

/** Routes with the same body types share a scope of the server, which parses only those. */
export function bodyScopeOf(route: Taken): string {
  return `${isStreamed(route) ? 'streamed' : route.raw === undefined ? 'parsed' : 'raw'} ${bodyTypesOf(route).join()}`
}

/** Accepts the body types of a route and no others. */
export function acceptBodies(app: FastifyInstance, route: Taken): void {
  app.removeAllContentTypeParsers()
  if (isStreamed(route))
    for (const type of bodyTypesOf(route)) app.addContentTypeParser(type, (_request, _body, done) => done(null))
  else if (route.raw !== undefined)
    for (const type of bodyTypesOf(route))
      app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes))
  else {
    if (route.accepts.includes('json')) acceptJson(app)
    if (route.accepts.includes('form')) acceptForms(app)
  }
}

function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(FORM_TYPE, { parseAs: 'buffer' }, (request, bytes, done) => {
    // A percent-encoded NUL cannot be stored.
    request.maybeUnstorable = true
    done(null, parseForm(bytes as Buffer)) // parseAs: 'buffer'
  })
}

/** Accepts JSON bodies, strictly: valid UTF-8, bounded depth, no `__proto__`. */
function acceptJson(app: FastifyInstance): void {
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer // parseAs: 'buffer'
    if (bytes.length === 0) return done(null, undefined)
    const { text, maybeUnstorable } = readText(bytes)
    request.maybeUnstorable = maybeUnstorable
    done(null, parseText(text))
  })
}
