import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommitFailed } from '../db/database.ts'
import { constraintOf, isConnectionLoss, sqlState } from '../db/errors.ts'
import {
  AppError,
  conflict,
  defineError,
  type FieldProblem,
  internalError,
  invalidJson,
  invalidRequest,
  methodNotAllowed,
  notFound,
  payloadTooLarge,
  permissionDenied,
  rateLimited,
  requestTimeout,
  reservedIn,
  storageFull,
  unauthenticated,
  unavailable,
  unsupportedMediaType,
} from '../errors.ts'
import { PROBLEM_TYPES } from '../product.ts'
import { StorageFull } from '../storage/storage.ts'
import { MAX_PROBLEMS } from './validate.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the `type` of every problem begins with. */
    problemTypes: string
  }
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Codes of Fastify for mistakes of the caller; its other errors are ours. */
const FRAMEWORK: Record<string, () => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => payloadTooLarge({ detail: 'The body is larger than this operation takes' }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => unsupportedMediaType({ detail: 'Send application/json' }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => invalidRequest({ detail: 'The body does not have the announced length' }),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => invalidJson({ detail: 'The body is empty' }),
  FST_ERR_MAX_PARAM_LENGTH: () => notFound(),
  // An undecodable path matches no route.
  FST_ERR_BAD_URL: () => notFound({ detail: 'No route answers this' }),
  ECONNRESET: () => invalidRequest({ detail: 'The body ended early' }),
}

/** Temporary states of the database: a timeout, too many connections, a shutdown. */
const PASSING = new Set(['57014', '55P03', '53300', '40001', '40P01', '25P03'])
/** Values that passed every check and that PostgreSQL cannot store. */
const UNSTORABLE = new Set(['22021', '22P05', '22003', '22007', '22008', '22009'])

/**
 * Violations that no operation expected: of an application's foreign key, or by simultaneous requests. A check is
 * violated by the value itself (400), the others by existing rows (409).
 */
const VIOLATIONS: Record<string, () => AppError> = {
  '23503': () => conflict({ detail: 'Something else refers to this, or what this refers to is gone' }),
  '23505': () => conflict({ detail: 'There is one like this already' }),
  '23514': () => invalidRequest({ detail: 'A value breaks a rule of what it would be stored in' }),
  '23P01': () => conflict({ detail: 'This overlaps with what is there already' }),
}

/** Maps every error to an answer. An unknown one is `internal_error`, without details. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof StorageFull) return storageFull({ cause: error })
  const code = sqlState(error)
  const known = code !== undefined && Object.hasOwn(FRAMEWORK, code) ? FRAMEWORK[code] : undefined
  if (known) return known()
  if (error instanceof CommitFailed && error.outcomeUnknown) return unavailable({ cause: error, headers: RETRY_SOON })
  if (isConnectionLoss(error) || (code !== undefined && PASSING.has(code)))
    return unavailable({ cause: error, headers: RETRY_SOON })
  if (code !== undefined && UNSTORABLE.has(code)) return invalidRequest({ cause: error })
  const violation = violationOf(error) ?? faultOfCaller(error)
  if (violation) return violation()
  return internalError({ cause: error })
}

/** Errors of plugins by status. Their messages are not shown, because they may contain anything. */
const REFUSALS: Readonly<Record<number, () => AppError>> = {
  400: invalidRequest,
  401: unauthenticated,
  403: permissionDenied,
  404: notFound,
  405: methodNotAllowed,
  408: requestTimeout,
  409: conflict,
  413: payloadTooLarge,
  415: unsupportedMediaType,
  429: () => rateLimited({ headers: RETRY_SOON }),
}

function faultOfCaller(error: unknown): (() => AppError) | undefined {
  if (!isOfFramework(error)) return undefined
  const refusal = refusalOf(error)
  return refusal && (() => refusal)
}

const isOfFramework = (error: unknown) => sqlState(error)?.startsWith('FST_') ?? false

/**
 * The problem for a plugin's error with a 4xx status; undefined for other errors. Only for errors thrown before a
 * handler ran: later ones may be an outside service's refusal of our request.
 */
export function refusalOf(error: unknown): AppError | undefined {
  if (typeof error !== 'object' || error === null || error instanceof AppError) return undefined
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 499) return undefined
  return (REFUSALS[status] ?? defineError('request_refused', status, 'The request was refused'))()
}

function violationOf(error: unknown): (() => AppError) | undefined {
  const code = sqlState(error) ?? ''
  // A row without a partition has the same code, but no constraint, and is our fault.
  if (code === '23514' && constraintOf(error) === undefined) return undefined
  return Object.hasOwn(VIOLATIONS, code) ? VIOLATIONS[code] : undefined
}

const RETRY_SOON = { 'retry-after': '1' }

/**
 * The problem document of an error (RFC 9457). Extra members cannot replace its standard ones. `types` is the prefix of
 * its `type`.
 */
export function problemDocument(
  { kind, details }: Pick<AppError, 'kind' | 'details'>,
  requestId: string,
  types = PROBLEM_TYPES,
): Record<string, unknown> {
  const { errors, members } = details
  const document: Record<string, unknown> = {
    type: types + kind.code,
    title: kind.title,
    status: kind.status,
    detail: details.detail ?? summaryOf(errors) ?? kind.title,
    code: kind.code,
    request_id: requestId,
    ...(errors ? { errors: errors.slice(0, MAX_PROBLEMS) } : {}),
  }
  if (!members) return document
  const extra: Record<string, unknown> = { ...members }
  for (const name of reservedIn(members)) delete extra[name]
  return { ...document, ...extra }
}

/** The first problem and the number of others, which are in `errors`. */
function summaryOf(errors: readonly FieldProblem[] = []): string | undefined {
  const [first, ...others] = errors
  if (!first) return undefined
  return `${sentenceOf(first)}${others.length === 0 ? '' : `, and ${others.length} more`}`
}

function sentenceOf({ pointer, detail }: FieldProblem): string {
  // A detail that starts with a capital letter is a sentence of its own.
  if (/^\p{Lu}/u.test(detail)) return detail
  if (pointer !== '#') return `${pointer} ${detail}`
  // The body as a whole has no name: `a JSON body is required`, `must be an object`.
  return /\bbody\b/.test(detail) ? detail.charAt(0).toUpperCase() + detail.slice(1) : `The body ${detail}`
}

function logFailure({ log, id, method, routeOptions }: FastifyRequest, error: AppError): void {
  const { cause, detail } = error.details
  // The route as it is declared: a path may hold what nobody else may read.
  const of = { request_id: id, method, route: routeOptions.url }
  // Errors that we raised ourselves, such as for a probe while stopping, are logged without a stack.
  if (error.status !== 500 && cause === undefined) log.warn({ detail, ...of }, 'a request failed')
  else log[error.status === 500 ? 'error' : 'warn']({ err: cause ?? error, ...of }, 'a request failed')
}

/** Sends an error and logs the details that must not be sent. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = toAppError(thrown)
  if (error.status >= 500) {
    logFailure(request, error)
  } else if (violationOf(thrown)) {
    // Only codes and names: the database's messages quote rows.
    const names = { sqlstate: sqlState(thrown), constraint: constraintOf(thrown), request_id: request.id }
    request.log.warn(names, 'the database refused a write that nothing had refused before')
  }
  if (error.status === 401) reply.header('www-authenticate', 'Bearer')
  if (error.details.headers) reply.headers(error.details.headers)
  return reply
    .code(error.status)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send(problemDocument(error, request.id, request.server.problemTypes))
}
