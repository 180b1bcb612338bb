import type { Count, Counter } from './store.ts'

/** A policy as it counted a request. */
export interface Counted {
  counter: Counter
  count: Count
}

/** The names of all headers about rate limits; a page of another origin may read them, no route may set them. */
export const RATE_HEADERS = [
  'RateLimit-Policy',
  'RateLimit',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
] as const

/** What each of them says, for the API document. */
export const RATE_HEADER_MEANINGS: Readonly<Record<(typeof RATE_HEADERS)[number], string>> = {
  'RateLimit-Policy':
    'The rate limits of the request, a list of strings (RFC 9651): `q` requests in `w` seconds. Absent where rate limits are switched off',
  RateLimit: 'Where they stand: `r` requests are left, and `t` seconds until all are there again',
  'X-RateLimit-Limit': 'Of the rate limit with the fewest requests left: how many there are in its window',
  'X-RateLimit-Remaining': 'How many of these are left',
  'X-RateLimit-Reset': 'Seconds until all are there again',
}

/** Texts of policies, which are few: only the figures of plans and keys make more than one of a policy. */
const policyTexts = new Map<string, string>()
const MAX_TEXTS = 1_000

/**
 * The headers of a request's rate limits. This is the one place that writes them: the draft
 * (draft-ietf-httpapi-ratelimit-headers) may still rename its parameters.
 */
export function rateHeaders(counted: readonly Counted[]): Record<string, string> {
  let policies = ''
  let states = ''
  let nearest = counted[0]!
  for (const each of counted) {
    const comma = policies === '' ? '' : ', '
    policies += comma + policyText(each.counter)
    states += `${comma}"${each.counter.policy}";r=${leftOf(each)};t=${secondsLeft(each.count)}`
    if (leftOf(each) < leftOf(nearest)) nearest = each
  }
  return {
    'ratelimit-policy': policies,
    ratelimit: states,
    'x-ratelimit-limit': String(nearest.counter.max),
    'x-ratelimit-remaining': String(leftOf(nearest)),
    'x-ratelimit-reset': String(secondsLeft(nearest.count)),
  }
}

/** The names of policies are words of letters, digits and underscores: nothing in them needs to be escaped. */
export const RATE_LIMIT_NAME = /^[a-z][a-z0-9_]{0,62}$/

function policyText({ policy, max, windowMs }: Counter): string {
  const key = `${policy}:${max}:${windowMs}`
  let text = policyTexts.get(key)
  if (text === undefined) {
    text = `"${policy}";q=${max};w=${windowMs / 1_000}`
    if (policyTexts.size >= MAX_TEXTS) policyTexts.clear()
    policyTexts.set(key, text)
  }
  return text
}

/** How many requests are left. */
function leftOf({ counter, count }: Counted): number {
  return Math.max(0, counter.max - count.used)
}

/** Whole seconds until the window ends, never too few. */
export function secondsLeft({ leftMs }: Count): number {
  return Math.max(1, Math.ceil(leftMs / 1_000))
}
