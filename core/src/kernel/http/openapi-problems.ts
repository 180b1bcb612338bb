import { STATUS_CODES } from 'node:http'
import { isOfOperators, operatorRolesOf } from '../access/operators.ts'
import type { Authenticator } from '../access/slots.ts'
import {
  conflict,
  type ErrorKind,
  featureNotInPlan,
  idempotencyKeyInUse,
  idempotencyKeyReused,
  internalError,
  invalidCursor,
  invalidJson,
  invalidRequest,
  notFound,
  originNotAllowed,
  payloadTooLarge,
  permissionDenied,
  planLimitReached,
  rateLimited,
  scopeDenied,
  storeAccessDenied,
  subscriptionInactive,
  tenantRequired,
  unauthenticated,
  unavailable,
  unsupportedMediaType,
} from '../errors.ts'
import type { Access } from '../module.ts'
import { RATE_HEADERS } from '../rates/headers.ts'
import { isLimited } from '../rates/rules.ts'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { impersonates, invalidAccessToken, invalidApiKey, takesKeys } from './identify.ts'
import { isSafe } from './methods.ts'
import { sampleOf } from './openapi-samples.ts'
import type { AnswerObject, JsonSchema, MediaType } from './openapi-types.ts'
import { problemDocument } from './problem.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'
const SAMPLE_REQUEST_ID = '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f'

/**
 * An authenticator may declare its 401 and 403 errors; the codes of one that does not are left open in the document.
 */
type Outspoken = Authenticator & { readonly errors?: readonly ErrorKind[] }

/** Every error that follows from the declaration of a route, and those that it declares; each code once. */
export function errorsOf(route: RegisteredRoute, registry: Registry): ErrorKind[] {
  const { access } = route
  const { authenticators, allowances }: { authenticators: readonly Outspoken[]; allowances?: unknown } = registry
  const takesBody = !isSafe(route.method)
  const kinds = [
    // Unknown query fields are refused everywhere, so no route is without it.
    invalidRequest,
    // What comes with OPTIONS is looked at too.
    ...(takesBody || route.method === 'OPTIONS' ? [invalidJson, payloadTooLarge, unsupportedMediaType] : []),
    ...(route.query && 'cursor' in route.query.properties ? [invalidCursor] : []),
    ...(allowances && route.limit ? [planLimitReached] : []),
    ...(allowances && route.feature ? [featureNotInPlan] : []),
    ...(allowances && !route.whileInactive ? [subscriptionInactive] : []),
    ...(access === 'public'
      ? []
      : [unauthenticated, invalidAccessToken, ...(takesKeys(registry) ? [invalidApiKey, scopeDenied] : [])]),
    ...(access === 'public' ? [] : [storeAccessDenied, tenantRequired]),
    ...(access === 'public' ? [] : authenticators.flatMap(({ errors }) => errors ?? [])),
    ...(operatorRolesOf(access) !== null || typeof access === 'object' ? [permissionDenied] : []),
    // For who acts as somebody else, on public routes too.
    ...(impersonates(registry) && (takesBody || route.impersonation === 'refused') ? [permissionDenied] : []),
    ...(route.path.includes(':') ? [notFound] : []),
    // A write may violate a constraint, also a foreign key of an application.
    ...(takesBody && !route.onlyAsks ? [conflict] : []),
    ...(takesBody && route.cookies ? [originNotAllowed] : []),
    ...(isLimited(route) ? [rateLimited] : []),
    ...(route.idempotent ? [idempotencyKeyInUse, idempotencyKeyReused] : []),
    ...route.errors,
    internalError,
    unavailable,
  ]
  return [...new Map(kinds.map((kind) => [kind.code, kind])).values()]
}

/** Statuses with codes that the document cannot know. */
export function openStatuses(route: RegisteredRoute, { authenticators }: Registry): Set<number> {
  const outspoken: readonly Outspoken[] = authenticators
  const isOpen = route.access !== 'public' && outspoken.some(({ errors }) => errors === undefined)
  return new Set(isOpen ? [401, 403] : [])
}

/** What examples are made for: a route, and what the `type` of an error begins with. */
interface Exemplified {
  route: RegisteredRoute
  types: string
}

/** The answer for all errors of one status. */
export function problemAnswer(
  status: number,
  kinds: readonly ErrorKind[],
  isOpen: boolean,
  { route, types }: Exemplified,
): AnswerObject {
  // Not as properties next to the reference, because client generators ignore those.
  const narrowed: JsonSchema = {
    type: 'object',
    required: isOpen ? ['status'] : ['status', 'code'],
    properties: {
      status: { const: status },
      ...(isOpen ? {} : { code: { type: 'string', enum: kinds.map(({ code }) => code) } }),
      ...Object.assign({}, ...kinds.map(({ members }) => members)),
    },
  }
  const schema: JsonSchema = { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] }
  return {
    description: describeProblems(status, kinds),
    headers: { ...headersOf(status), ...rateHeaderRefs(route) },
    content: { [PROBLEM_MEDIA_TYPE]: { schema, ...examplesOf(kinds, { route, types }) } },
  }
}

/** What the answer for all errors of one status is described as. */
export function describeProblems(status: number, kinds: readonly ErrorKind[]): string {
  return `${STATUS_CODES[status] ?? 'Problem'}: ${kinds.map(({ code }) => `\`${code}\``).join(', ')}`
}

/** The name of an answer that several routes share, or null for one that depends on the route. */
export function sharedName(kinds: readonly ErrorKind[], isOpen: boolean, route: RegisteredRoute): string | null {
  // Such routes are few, and their answers lack the headers of rate limits.
  if (!isLimited(route)) return null
  const [kind] = kinds
  return kinds.length === 1 && kind && !isOpen && kind !== permissionDenied ? kind.code : null
}

/** The headers of the rate limits that requests of a route count under. */
export function rateHeaderRefs(route: RegisteredRoute): AnswerObject['headers'] {
  if (!isLimited(route)) return {}
  return Object.fromEntries(RATE_HEADERS.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

function headersOf(status: number): AnswerObject['headers'] {
  return {
    'X-Request-ID': { $ref: '#/components/headers/X-Request-ID' },
    ...(status === 401 ? { 'WWW-Authenticate': { $ref: '#/components/headers/WWW-Authenticate' } } : {}),
    // A 429 always has Retry-After; a 503 of a stopping server may not.
    ...(status === 429 ? { 'Retry-After': { $ref: '#/components/headers/Retry-After-Always' } } : {}),
    ...(status === 503 ? { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } : {}),
  }
}

function examplesOf(kinds: readonly ErrorKind[], of: Exemplified): Pick<MediaType, 'examples'> {
  return {
    examples: Object.fromEntries(kinds.map((kind) => [kind.code, { summary: kind.title, value: exampleOf(kind, of) }])),
  }
}

const permissionOf = (access: Access) =>
  typeof access === 'object' && !isOfOperators(access) ? { permission: access.permission } : {}
const samplesOf = ({ members }: ErrorKind) =>
  Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, sampleOf(schema, name)]))

function exampleOf(kind: ErrorKind, { route: { access }, types }: Exemplified): unknown {
  const details = {
    ...(kind === invalidRequest ? { errors: [{ pointer: 'query/x', detail: 'is not a known field' }] } : {}),
    members: kind === permissionDenied ? permissionOf(access) : samplesOf(kind),
  }
  // Without making the error: its stack would take longer than all the rest of the document.
  return problemDocument({ kind, details }, SAMPLE_REQUEST_ID, types)
}
