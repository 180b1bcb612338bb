import type { FastifyReply, FastifyRequest } from 'fastify'
import { CommitFailed } from '../db/database.ts'
import { isConnectionLoss, sqlState } from '../db/errors.ts'
import {
  AppError,
  internalError,
  invalidJson,
  invalidRequest,
  notFound,
  payloadTooLarge,
  unavailable,
  unsupportedMediaType,
} from '../errors.ts'
import { MAX_PROBLEMS } from './validate.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Codes of Fastify that are the caller's fault; everything else it throws is ours. */
const FRAMEWORK: Record<string, () => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => payloadTooLarge({ detail: 'The body is larger than this operation takes' }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => unsupportedMediaType({ detail: 'Send application/json' }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => invalidRequest({ detail: 'The body does not have the announced length' }),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => invalidJson({ detail: 'The body is empty' }),
  FST_ERR_MAX_PARAM_LENGTH: () => notFound(),
  FST_ERR_BAD_URL: () => invalidRequest({ detail: 'The address is not a valid URL' }),
  ECONNRESET: () => invalidRequest({ detail: 'The body ended early' }),
}

/** Database states that are no fault of the request and may pass: too slow, too many connections, shutting down. */
const PASSING = new Set(['57014', '55P03', '53300', '40001', '40P01', '25P03'])
/** Texts, numbers and times that got past every check but that PostgreSQL cannot hold. */
const UNSTORABLE = new Set(['22021', '22P05', '22003', '22007', '22008', '22009'])

/** The one place where an error becomes an answer. What it does not know is `internal_error`, without a word of detail. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const code = sqlState(error)
  const known = code === undefined ? undefined : FRAMEWORK[code]
  if (known) return known()
  if (error instanceof CommitFailed && error.outcomeUnknown) return unavailable({ cause: error, headers: RETRY_SOON })
  if (isConnectionLoss(error) || (code !== undefined && PASSING.has(code)))
    return unavailable({ cause: error, headers: RETRY_SOON })
  if (code !== undefined && UNSTORABLE.has(code)) return invalidRequest({ cause: error })
  return internalError({ cause: error })
}

const RETRY_SOON = { 'retry-after': '1' }

/** The problem document of an error (RFC 9457). */
export function problemDocument({ kind, details }: AppError, requestId: string): Record<string, unknown> {
  return {
    type: `urn:tenantry:problem:${kind.code}`,
    title: kind.title,
    status: kind.status,
    ...(details.detail === undefined ? {} : { detail: details.detail }),
    code: kind.code,
    request_id: requestId,
    ...(details.errors ? { errors: details.errors.slice(0, MAX_PROBLEMS) } : {}),
    ...details.members,
  }
}

/** Answers with an error and logs what only we may know. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = toAppError(thrown)
  if (error.status >= 500) {
    const level = error.status === 500 ? 'error' : 'warn'
    request.log[level]({ err: error.details.cause ?? error, request_id: request.id }, 'a request failed')
  }
  if (error.status === 401) reply.header('www-authenticate', 'Bearer')
  if (error.details.headers) reply.headers(error.details.headers)
  return reply.code(error.status).type(PROBLEM_TYPE).serializer(JSON.stringify).send(problemDocument(error, request.id))
}
