import Type, { type TSchema } from 'typebox'

/** One wrong field of a request: where it is and what is wrong with it. */
export interface FieldProblem {
  /** `#/address/city` in the body, `query/limit`, `params/id`, `headers/x-store-id`. */
  pointer: string
  detail: string
}

/** Standard members of a problem document; an extra member of such a name would contradict it. */
const RESERVED = ['type', 'title', 'status', 'detail', 'instance', 'code', 'request_id', 'errors'] as const
type Reserved = (typeof RESERVED)[number]

/** What may accompany an error on its way out; `members` become extra members of the problem document. */
export interface ProblemDetails {
  /** Shown to the caller; default: the title, or what is wrong with the fields. */
  detail?: string
  errors?: FieldProblem[]
  members?: { [name: string]: unknown } & { [name in Reserved]?: never }
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
  /** Members that it may bring beside those of every problem, for the API document. */
  readonly members: Readonly<Record<string, TSchema>>
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
    // The types refuse these names; this check covers members built at run time.
    const taken = reservedIn(details.members)
    if (taken.length > 0) throw new TypeError(`The error ${kind.code} cannot have members named ${taken.join(', ')}`)
  }

  get code(): string {
    return this.kind.code
  }

  get status(): number {
    return this.kind.status
  }
}

/** The names among these members that a problem document keeps for itself. */
export function reservedIn(members: object = {}): readonly string[] {
  return RESERVED.filter((name) => Object.hasOwn(members, name))
}

/**
 * Declares a kind of error. `code` is what clients branch on and never changes; `title` is one sentence for people.
 * `throw nameTaken({ detail: '…' })`. `members`: what else it may tell a program, as the API document shows it.
 */
export function defineError(
  code: string,
  status: number,
  title: string,
  members: Readonly<Record<string, TSchema>> = {},
): ErrorKind {
  const kind: ErrorKind = Object.assign((details?: ProblemDetails) => new AppError(kind, details), {
    code,
    status,
    title,
    members,
  })
  return Object.freeze(kind)
}

export const invalidRequest = defineError('invalid_request', 400, 'The request is not valid')
export const invalidJson = defineError('invalid_json', 400, 'The body is not valid JSON')
export const invalidCursor = defineError('invalid_cursor', 400, 'The cursor does not belong to this list')
export const unauthenticated = defineError('unauthenticated', 401, 'A credential is required')
export const planLimitReached = defineError('plan_limit_reached', 402, 'The plan allows no more of these', {
  limit: Type.String({ description: 'The limit that is reached', examples: ['stores'] }),
  max: Type.Integer({ description: 'How many the plan allows', examples: [5] }),
  used: Type.Integer({ description: 'How many there are, or were used in this period', examples: [5] }),
})
export const subscriptionInactive = defineError(
  'subscription_inactive',
  402,
  'The subscription has ended: everything can be read, nothing changed',
)
export const featureNotInPlan = defineError('feature_not_in_plan', 402, 'The plan does not include this feature', {
  feature: Type.String({ description: 'The feature that is missing', examples: ['labels'] }),
})
export const permissionDenied = defineError('permission_denied', 403, 'You may not do this', {
  permission: Type.String({
    description: 'The permission that is missing, where it is one',
    examples: ['store.update'],
  }),
})
export const scopeDenied = defineError('scope_denied', 403, 'This API key may not do this', {
  permission: Type.String({
    description: 'The permission that its scopes are without, where that is the reason',
    examples: ['store.update'],
  }),
})
export const storeAccessDenied = defineError('store_access_denied', 403, 'You may not act for this store')
export const tenantRequired = defineError('tenant_required', 403, 'This needs a tenant; switch to one first')
export const originNotAllowed = defineError(
  'origin_not_allowed',
  403,
  'Cookies are taken from pages of this installation alone',
)
export const notFound = defineError('not_found', 404, 'There is no such thing')
export const methodNotAllowed = defineError('method_not_allowed', 405, 'This path does not know that method')
export const requestTimeout = defineError('request_timeout', 408, 'The request took too long to arrive')
export const conflict = defineError('conflict', 409, 'The current state does not allow this')
export const idempotencyKeyInUse = defineError('idempotency_key_in_use', 409, 'The first request is still running')
export const payloadTooLarge = defineError('payload_too_large', 413, 'The body is too large')
export const unsupportedMediaType = defineError('unsupported_media_type', 415, 'This content type is not accepted')
export const rangeNotSatisfiable = defineError('range_not_satisfiable', 416, 'There is no such part')
export const expectationFailed = defineError('expectation_failed', 417, 'No expectation but 100-continue can be met')
export const idempotencyKeyReused = defineError('idempotency_key_reused', 422, 'The key was used with another body')
export const rateLimited = defineError('rate_limited', 429, 'Too many requests', {
  violated_policies: Type.Array(Type.String(), {
    description: 'The rate limits that were reached, by their names in `RateLimit-Policy`',
    examples: [['public']],
  }),
})
export const headersTooLarge = defineError('headers_too_large', 431, 'Address and headers are too large')
export const internalError = defineError('internal_error', 500, 'Something went wrong on our side')
export const storageFull = defineError('storage_full', 507, 'The file storage has no room left')
export const unavailable = defineError('unavailable', 503, 'The service cannot answer at the moment')
