import { operatorRolesOf } from '../access/operators.ts'
import type { RegisteredRoute, Registry } from '../registry.ts'
import { isNamedDefault, NAMED_AUTH, type RatePolicy, type RateSubject } from './define.ts'

/** A policy ready to be counted under. */
export interface Rule {
  policy: string
  per: RateSubject
  /** Multiplied already; null: the figure of `limit` in the tenant's plan. */
  max: number | null
  limit: string | null
  windowMs: number
}

/** What the requests of a route count under. */
export interface RouteRules {
  /** Without a valid credential; on a public route, all requests. */
  anonymous: readonly Rule[]
  person: readonly Rule[]
  key: readonly Rule[]
  /** Counted once the body is valid. */
  account: readonly Rule[]
}

const NONE: RouteRules = { anonymous: [], person: [], key: [], account: [] }

/** The largest figure that a header can carry (RFC 9651). */
const MOST = 999_999_999_999_999

/** A figure multiplied by RATE_LIMIT_FACTOR: never none where there was one. */
export function scaled(max: number, factor: number): number {
  return max === 0 ? 0 : Math.min(MOST, Math.max(1, Math.round(max * factor)))
}

/** Whether requests of a route are counted: probes, metrics, documents and pages for this machine alone are not. */
export function isLimited({ reach }: Pick<RegisteredRoute, 'reach'>): boolean {
  return reach === 'public'
}

/** The names of the policies that requests of a route may be counted under. */
export function policiesOf(route: RegisteredRoute): string[] {
  if (!isLimited(route)) return []
  const own = route.rateLimits.flatMap((name) =>
    name === NAMED_AUTH && hasEmail(route) ? [name, 'auth_account'] : [name],
  )
  // Whoever runs the installation is held to nothing that their own tenant is held to.
  if (operatorRolesOf(route.access) !== null) return ['user', 'key', ...own]
  if (route.access !== 'public') return ['user', 'key', 'tenant', ...own]
  return own.some(isNamedDefault) ? own : ['public', ...own]
}

/** The rules of a route; none where RATE_LIMIT_FACTOR is 0. */
export function rulesOf(route: RegisteredRoute, { rateLimits }: Registry, factor: number): RouteRules {
  if (factor === 0 || !isLimited(route)) return NONE
  const rules = policiesOf(route).map((name) => ruleOf(rateLimits.get(name)!, factor)) // the registry refused unknown ones
  const account = rules.filter(({ per }) => per === 'account')
  const before = rules.filter(({ per }) => per !== 'account')
  const unproven = ruleOf(rateLimits.get('public')!, factor) // a default
  if (route.access === 'public') return { anonymous: before, person: before, key: before, account }
  return {
    anonymous: [unproven],
    person: before.filter(({ per }) => per !== 'key'),
    key: before.filter(({ policy }) => policy !== 'user'),
    account,
  }
}

function ruleOf({ name, per, max, windowSeconds }: RatePolicy, factor: number): Rule {
  return {
    policy: name,
    per,
    max: typeof max === 'number' ? scaled(max, factor) : null,
    limit: typeof max === 'number' ? null : max.limit,
    windowMs: windowSeconds * 1_000,
  }
}

/** Whether the body of a route names an account. */
export function hasEmail({ body }: Pick<RegisteredRoute, 'body'>): boolean {
  const { properties } = (body ?? {}) as { properties?: object } // a keyword of JSON Schema
  return properties !== undefined && Object.hasOwn(properties, 'email')
}
