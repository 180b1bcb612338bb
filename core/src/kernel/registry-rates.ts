import type { LimitSpec } from './access/specs.ts'
import { isDefault, isNamedDefault, type RatePolicy, type RateSubject, REQUESTS_PER_MINUTE } from './rates/define.ts'
import { RATE_LIMIT_NAME } from './rates/headers.ts'
import { hasEmail, isLimited } from './rates/rules.ts'
import type { RegisteredRoute } from './registry.ts'

const SUBJECTS: readonly RateSubject[] = ['address', 'account', 'person', 'key', 'tenant']
const MINUTE_SECONDS = 60
const LONGEST_SECONDS = 24 * 60 * 60
const MOST = 1_000_000_000

/** Problems with the declaration of a rate limit: types prevent some, not in plain JavaScript. */
export function problemsOfRateLimit(
  { name, module, per, max, windowSeconds, description }: RatePolicy,
  limits: ReadonlyMap<string, LimitSpec>,
): string[] {
  const problems: string[] = []
  if (!RATE_LIMIT_NAME.test(name)) problems.push('has a name that is no snake_case word')
  if (!SUBJECTS.includes(per)) problems.push(`counts per ${per}, which is none of ${SUBJECTS.join(', ')}`)
  if (typeof description !== 'string' || description.trim() === '') problems.push('has no description')
  if (!isWhole(windowSeconds, LONGEST_SECONDS))
    problems.push(`has a windowSeconds that is no whole number from 1 to ${LONGEST_SECONDS}`)
  if (typeof max !== 'object' || max === null) {
    if (!isWhole(max, MOST)) problems.push(`has a max that is neither a whole number from 1 to ${MOST} nor a limit`)
  } else {
    // The kernel's own is unlimited where no module has plans.
    if (!isDefault(name) && limits.get(max.limit)?.per !== 'minute')
      problems.push(`takes its max from ${max.limit}, which is no limit per minute`)
    if (windowSeconds !== MINUTE_SECONDS)
      problems.push(`takes its max from a limit per minute, so its windowSeconds must be ${MINUTE_SECONDS}`)
  }
  return problems.map((problem) => `rate limit ${name} (${module}) ${problem}`)
}

const isWhole = (value: unknown, most: number) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most

/** Problems with the rate limits that a route names. */
export function problemsOfRouteRates(route: RegisteredRoute, known: ReadonlyMap<string, RatePolicy>): string[] {
  const { rateLimits, access, callers } = route
  if (rateLimits.length > 0 && !isLimited(route)) return ['names a rate limit, but stands where nothing is counted']
  const twice = rateLimits.filter((name, index) => rateLimits.indexOf(name) !== index)
  return [
    ...twice.map((name) => `names the rate limit ${name} twice`),
    ...rateLimits.flatMap((name) => {
      const policy = known.get(name)
      if (!policy) return [`names the unknown rate limit ${name}`]
      if (isDefault(name) && !isNamedDefault(name)) return [`names the rate limit ${name}, which applies by itself`]
      if (isNamedDefault(name) && access !== 'public')
        return [`names the rate limit ${name}, which is for public routes`]
      if (access === 'public' && policy.per !== 'address' && policy.per !== 'account')
        return [`is public, but names the rate limit ${name}, which counts per ${policy.per}`]
      if (policy.per === 'key' && callers !== 'all')
        return [`is for people, but names the rate limit ${name}, which counts per key`]
      if (policy.per === 'account' && !hasEmail(route))
        return [`names the rate limit ${name}, which counts per account, but has no email in its body`]
      return []
    }),
  ]
}

/** Problems with a module's limit of the name that the kernel asks plans for. */
export function problemsOfRequestsPerMinute(limits: ReadonlyMap<string, LimitSpec>): string[] {
  const spec = limits.get(REQUESTS_PER_MINUTE)
  return spec && spec.per !== 'minute' ? [`limit ${REQUESTS_PER_MINUTE} must be one per minute`] : []
}
