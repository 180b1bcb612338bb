import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { Core } from '../core.ts'
import type { RouteLimiter } from '../rates/limiter.ts'
import type { RegisteredRoute } from '../registry.ts'
import { Answer } from './answer.ts'
import { headersOf, requireSendable } from './answer-headers.ts'
import { isNotModified } from './conditional.ts'
import { writeCookie } from './cookies.ts'
import { mergeVary } from './cors.ts'
import type { SentAnswer } from './idempotency.ts'
import { createInputReader, type Input } from './input.ts'
import { type PlanCheck, planCheck } from './plan.ts'
import { PROBLEM_TYPE } from './problem.ts'
import type { StreamBody } from './schemas.ts'
import { sendStream } from './send-stream.ts'
import { lazySerializer, type Serialize } from './serialize.ts'
import { answerStatic, StaticText } from './static-text.ts'

/** A route made ready: its schemas compiled when first needed. */
export interface Prepared {
  route: RegisteredRoute
  readInput: (request: FastifyRequest) => Input
  isList: boolean
  success: number
  /** Undefined: the plan has no say in it. */
  plan: PlanCheck | undefined
  /** Whether cookies are sent over https only unless they say so themselves. */
  isSecure: () => boolean
  serializers: Map<number, Serialize | null>
  /** Undefined: nobody counts how many answers of it are under way. */
  holdDownload: RouteLimiter['holdDownload']
}

export function prepare(core: Core, route: RegisteredRoute, holdDownload: RouteLimiter['holdDownload']): Prepared {
  const statuses = Object.keys(route.response).map(Number)
  return {
    route,
    readInput: createInputReader(core, route),
    isList: route.query !== undefined && 'cursor' in route.query.properties,
    success: statuses.find((status) => status < 300)!, // the registry refused routes without one
    plan: planCheck(core, route),
    isSecure: () => core.config.http.publicUrl.startsWith('https:'),
    serializers: new Map(statuses.map((status) => [status, serializerOf(route, status)])),
    holdDownload,
  }
}

function serializerOf(route: RegisteredRoute, status: number): Serialize | null {
  const schema: TSchema | null | undefined = route.response[status]
  if (!schema) return null
  return route.produces ? String : lazySerializer(schema)
}

/** An answer ready to be sent; a stream cannot be kept for repetitions. */
export interface Finished extends SentAnswer {
  stream?: StreamBody
  /** Values of `Set-Cookie`; never kept for repetitions. */
  cookies?: readonly string[]
  /** A static text, of which the client may get a compressed form or nothing. */
  text?: StaticText
  bytes?: Buffer | null
}

/**
 * Opens a lazy stream, except for HEAD, which has no effects; `hold` may refuse that. Compresses a static text. Leaves out
 * what the client has, where the route declares a 304.
 */
export async function opened(
  { serializers }: Pick<Prepared, 'serializers'>,
  answer: Finished,
  { method, headers }: FastifyRequest,
  hold?: () => void,
): Promise<Finished> {
  const { stream, text } = answer
  if (serializers.has(304) && isNotModified(answer, headers['if-none-match'])) return notModified(answer)
  if (text) {
    const { status, bytes, headers: own } = await answerStatic(text, headers)
    const { 'content-type': type = '', ...others } = answer.headers
    return { ...answer, status, bytes, headers: { ...others, ...own, ...(bytes ? { 'content-type': type } : {}) } }
  }
  if (typeof stream !== 'function') return answer
  if (method === 'HEAD') return { ...answer, stream: Readable.from([]) }
  hold?.()
  return { ...answer, stream: await stream() }
}

function notModified({ stream, problem, headers: whole }: Finished): Finished {
  const { 'content-type': _type, 'content-length': _length, 'content-range': _range, ...headers } = whole
  if (stream instanceof Readable) stream.destroy()
  return { status: 304, body: null, headers, problem }
}

/** The answer for a handler's return value, as the route declares it. */
export function finished(prepared: Prepared, result: unknown, input: Input): Finished {
  const { route } = prepared
  const answer = result instanceof Answer ? result : new Answer(prepared.success, result)
  const serialize = prepared.serializers.get(answer.status)
  if (serialize === undefined)
    throw new Error(`${route.method} ${route.url} answered ${answer.status}, which it does not declare`)
  const headers = headersOf(route, answer.headers)
  if (typeof route.produces === 'object' && !Object.hasOwn(route.produces, headers['content-type'] ?? ''))
    throw new Error(`${route.method} ${route.url} answered with a content-type that it does not declare`)
  if (answer.status === 201) {
    headers.location ??= locationOf(route, answer.body, input)
    requireSendable('location', headers.location)
  }
  const cookies = answer.cookies.map((cookie) => writeCookie(cookie, prepared.isSecure()))
  if (route.idempotent && cookies.length > 0)
    throw new Error(`${route.method} ${route.url} sets a cookie, which only routes that are not repeated may`)
  // An answer to a credential, or for one browser, is never cached, whatever the route says.
  if (route.access !== 'public' || cookies.length > 0) delete headers['cache-control']
  const own = { headers, ...(cookies.length > 0 ? { cookies } : {}) }
  if (answer.body instanceof StaticText)
    return { ...own, ...unchanging(route, answer.body, { status: answer.status, headers }) }
  if (route.produces && isStream(answer.body)) return { ...streamed(route, answer.body, answer.status), ...own }
  return { status: answer.status, body: serialize ? serialize(answer.body) : null, problem: false, ...own }
}

function unchanging(
  { produces, method, url }: RegisteredRoute,
  text: StaticText,
  { status, headers }: Pick<Finished, 'status' | 'headers'>,
): Finished {
  if (typeof produces !== 'string' || method !== 'GET')
    throw new Error(`${method} ${url} answers with a StaticText, which only GET routes of one content type may`)
  return { status, body: null, headers: { 'content-type': produces, ...headers }, problem: false, text }
}

function isStream(body: unknown): body is StreamBody {
  return body instanceof Readable || typeof body === 'function'
}

function streamed(route: RegisteredRoute, stream: StreamBody, status: number): Finished {
  if (route.transaction === 'manual' && !route.idempotent)
    return { status, body: null, headers: {}, problem: false, stream }
  if (stream instanceof Readable) stream.destroy()
  throw new Error(
    `${route.method} ${route.url} answers with a stream, which only manual routes that are not repeated may`,
  )
}

function locationOf(route: RegisteredRoute, body: unknown, { params }: Input): string {
  if (route.location) return route.location(body as never) // the route's own declaration checked the type
  const path = route.url.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const id = typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : null
  return id ? `${path}/${id}` : path
}

/** Of files: the answer's own header says which it is. */
const ANY_TYPE = '*/*'
const JSON_TYPE = 'application/json; charset=utf-8'

export function send(reply: FastifyReply, answer: Finished): FastifyReply {
  const { status, body, headers, problem, stream, cookies = [], bytes } = answer
  const vary = headers.vary === undefined ? {} : { vary: mergeVary(reply.getHeader('vary'), headers.vary) }
  reply.code(status).headers({ ...headers, ...vary })
  if (cookies.length > 0) reply.header('set-cookie', cookies)
  if (bytes) return reply.send(bytes)
  if (body === null && !stream) return reply.send()
  const declared = reply.routeOptions.config.route?.produces
  const produces = typeof declared === 'string' && declared !== ANY_TYPE ? declared : undefined
  if (stream instanceof Readable) return sendStream(produces ? reply.type(produces) : reply, stream)
  // With several content types the answer names its own.
  if (!problem && headers['content-type'] !== undefined) return reply.send(body)
  return reply.type(problem ? PROBLEM_TYPE : (produces ?? JSON_TYPE)).send(body)
}
