/**
 * What requests are counted for.
 * - `address`: the client's address, an IPv6 one by its /64. Unknown addresses share one count.
 * - `account`: the `email` of the body together with that address, so that nobody uses up a person's requests from
 *   elsewhere. Counted once the body is valid.
 * - `person`: whoever is signed in. An API key counts for itself.
 * - `key`: the API key. Requests of people are not counted.
 * - `tenant`: all requests in a tenant together. People who are in none count for themselves.
 */
export type RateSubject = 'address' | 'account' | 'person' | 'key' | 'tenant'

/** How many requests may be sent in a time. Its name is a policy of the `RateLimit` headers. */
export interface RateLimitSpec {
  per: RateSubject
  /**
   * Most requests in a window; or the plan's figure of a limit `per: 'minute'`, for a window of 60 seconds. Multiplied
   * by RATE_LIMIT_FACTOR.
   */
  max: number | { readonly limit: string }
  /** The length of a window, which begins with its first request. Up to a day. */
  windowSeconds: number
  /** For the API document and people who operate: what it protects, in one sentence. */
  description: string
}

/** A declared rate limit, with its name and the module that brought it. */
export interface RatePolicy extends RateLimitSpec {
  readonly name: string
  readonly module: string
}

/** The limit whose figure in a plan is how many requests a tenant may send in a minute. */
export const REQUESTS_PER_MINUTE = 'requests_per_minute'

const MINUTE_SECONDS = 60

/** What every core limits by, without being told. */
export const DEFAULT_RATE_LIMITS = {
  public: {
    per: 'address',
    max: 60,
    windowSeconds: MINUTE_SECONDS,
    description: 'Requests without a credential, and those whose credential is not valid',
  },
  auth: {
    per: 'address',
    max: 10,
    windowSeconds: MINUTE_SECONDS,
    description: 'Signing in, registering, and links of mails',
  },
  auth_account: {
    per: 'account',
    max: 5,
    windowSeconds: MINUTE_SECONDS,
    description: 'The same at one account from one address',
  },
  media: {
    per: 'address',
    max: 600,
    windowSeconds: MINUTE_SECONDS,
    description: 'Pictures, which a page shows by the dozen',
  },
  inbound: {
    per: 'address',
    max: 600,
    windowSeconds: MINUTE_SECONDS,
    description: 'Webhooks of other servers, which come in bursts',
  },
  user: { per: 'person', max: 600, windowSeconds: MINUTE_SECONDS, description: 'Requests of one person' },
  key: {
    per: 'key',
    max: 600,
    windowSeconds: MINUTE_SECONDS,
    description: 'Requests with one API key, unless it has a figure of its own',
  },
  tenant: {
    per: 'tenant',
    max: { limit: REQUESTS_PER_MINUTE },
    windowSeconds: MINUTE_SECONDS,
    description: 'Requests in one tenant, as its plan allows',
  },
} as const satisfies Record<string, RateLimitSpec>

export type DefaultRateLimit = keyof typeof DEFAULT_RATE_LIMITS

/** The default for whatever proves who somebody is: it brings `auth_account` along. */
export const NAMED_AUTH = 'auth' satisfies DefaultRateLimit

/** The only defaults that routes name, public ones: each stands in place of `public`. */
export function isNamedDefault(name: string): boolean {
  return IN_PLACE_OF_PUBLIC.includes(name)
}

const IN_PLACE_OF_PUBLIC: readonly string[] = [NAMED_AUTH, 'media', 'inbound'] satisfies DefaultRateLimit[]

export function isDefault(name: string): name is DefaultRateLimit {
  return Object.hasOwn(DEFAULT_RATE_LIMITS, name)
}
