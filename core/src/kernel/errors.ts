/** One wrong field of a request: where it is and what is wrong with it. */
export interface FieldProblem {
  /** `#/address/city` in the body, `query/limit`, `params/id`, `headers/x-store-id`. */
  pointer: string
  detail: string
}

/** What may accompany an error on its way out; `members` become extra members of the problem document. */
export interface ProblemDetails {
  /** Shown to the caller. */
  detail?: string
  errors?: FieldProblem[]
  members?: Record<string, unknown>
  headers?: Record<string, string>
  /** For our log only. */
  cause?: unknown
}

/** A kind of error with a stable code; calling it makes one to throw. */
export interface ErrorKind {
  (details?: ProblemDetails): AppError
  readonly code: string
  readonly status: number
  readonly title: string
}

/** The only errors whose words reach a caller; everything else is `internal_error`. */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly details: ProblemDetails

  constructor(kind: ErrorKind, details: ProblemDetails = {}) {
    super(`${kind.code}${details.detail ? `: ${details.detail}` : ''}`, { cause: details.cause })
    this.name = 'AppError'
    this.kind = kind
    this.details = details
  }

  get code(): string {
    return this.kind.code
  }

  get status(): number {
    return this.kind.status
  }
}

/**
 * Declares a kind of error. `code` is what clients branch on and never changes; `title` is one sentence for people.
 * `throw nameTaken({ detail: '…' })`.
 */
export function defineError(code: string, status: number, title: string): ErrorKind {
  const kind: ErrorKind = Object.assign((details?: ProblemDetails) => new AppError(kind, details), {
    code,
    status,
    title,
  })
  return Object.freeze(kind)
}

export const invalidRequest = defineError('invalid_request', 400, 'The request is not valid')
export const invalidJson = defineError('invalid_json', 400, 'The body is not valid JSON')
export const invalidCursor = defineError('invalid_cursor', 400, 'The cursor does not belong to this list')
export const unauthenticated = defineError('unauthenticated', 401, 'A credential is required')
export const planLimitReached = defineError('plan_limit_reached', 402, 'The plan allows no more of these')
export const subscriptionInactive = defineError(
  'subscription_inactive',
  402,
  'The subscription has ended: everything can be read, nothing changed',
)
export const featureNotInPlan = defineError('feature_not_in_plan', 402, 'The plan does not include this feature')
export const permissionDenied = defineError('permission_denied', 403, 'You may not do this')
export const storeAccessDenied = defineError('store_access_denied', 403, 'You may not act for this store')
export const tenantRequired = defineError('tenant_required', 403, 'This needs a tenant; switch to one first')
export const notFound = defineError('not_found', 404, 'There is no such thing')
export const conflict = defineError('conflict', 409, 'The current state does not allow this')
export const idempotencyKeyInUse = defineError('idempotency_key_in_use', 409, 'The first request is still running')
export const payloadTooLarge = defineError('payload_too_large', 413, 'The body is too large')
export const unsupportedMediaType = defineError('unsupported_media_type', 415, 'This content type is not accepted')
export const idempotencyKeyReused = defineError('idempotency_key_reused', 422, 'The key was used with another body')
export const rateLimited = defineError('rate_limited', 429, 'Too many requests')
export const internalError = defineError('internal_error', 500, 'Something went wrong on our side')
export const unavailable = defineError('unavailable', 503, 'The service cannot answer at the moment')
