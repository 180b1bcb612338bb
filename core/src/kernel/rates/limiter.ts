import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import { type AppError, rateLimited } from '../errors.ts'
import type { RegisteredRoute } from '../registry.ts'
import { AT_ONCE, createOpenCounts, DOWNLOADS_AT_ONCE, RETRY_MS } from './at-once.ts'
import { type Counted, rateHeaders, secondsLeft } from './headers.ts'
import { createRefusalLog } from './refusals.ts'
import { isLimited, type RouteRules, type Rule, rulesOf, scaled } from './rules.ts'
import type { Counter } from './store.ts'
import { createSubjects } from './subjects.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request was counted under so far; null: nothing. */
    rates: Counted[] | null
    /** The account that the body names, where there were too many requests for it. */
    limitedAccount: string | null
  }
}

/** Counts the requests of one route. Each method throws 429 `rate_limited` when there were too many. */
export interface RouteLimiter {
  /** After the credential was looked at, before the body is read. `request.identity` says who calls. */
  count(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
  /** For a request whose credential was missing or not valid. */
  countUnproven(request: FastifyRequest, reply: FastifyReply): void | Promise<void>
  /** After the body was validated: by the account that it names. Undefined: the route counts by none. */
  readonly countAccount:
    | ((request: FastifyRequest, reply: FastifyReply, body: unknown) => void | Promise<void>)
    | undefined
  /** Before a stream is opened: how many its client has open. Undefined: the route may have any number. */
  readonly holdDownload: ((request: FastifyRequest, reply: FastifyReply) => void) | undefined
}

/** Makes the limiters of a core's routes. */
export function createLimiter(core: Core): (route: RegisteredRoute) => RouteLimiter {
  const { rateLimitFactor: factor } = core.config
  const subjects = createSubjects(core.secrets)
  const refusals = createRefusalLog(core)
  const openCounts = createOpenCounts()

  return (route) => {
    const rules = rulesOf(route, core.registry, factor)
    const count = (chosen: readonly Rule[], request: FastifyRequest, reply: FastifyReply, email = '') => {
      const counters = chosen.flatMap((rule) => counterOf(rule, request, email) ?? [])
      return take(counters, request, reply)
    }
    return {
      count: (request, reply) => count(chosenOf(rules, request), request, reply),
      countUnproven: (request, reply) => count(rules.anonymous, request, reply),
      countAccount:
        rules.account.length === 0
          ? undefined
          : (request, reply, body) => {
              const email = emailOf(body)
              return email === null
                ? undefined
                : countNamed(() => count(rules.account, request, reply, email), request, email)
            },
      holdDownload: route.access === 'public' && isLimited(route) && factor > 0 ? hold : undefined,
    }
  }

  /** Counted by this process alone: what is held is held here. */
  function hold(request: FastifyRequest, reply: FastifyReply): void {
    const counter = {
      policy: AT_ONCE,
      subject: subjects.network(request.address),
      max: scaled(DOWNLOADS_AT_ONCE, factor),
      windowMs: 0,
    }
    if (openCounts.hold(counter, reply)) return
    const count = { used: counter.max, leftMs: RETRY_MS }
    refusals.note(request, [{ counter, count }])
    throw refusal([{ counter, count }], `${counter.max} downloads are under way`)
  }

  /** Undefined where nothing limits. */
  function counterOf(rule: Rule, request: FastifyRequest, email: string): Counter | undefined {
    // However often it is asked about: one request counts once.
    if (request.rates?.some(({ counter }) => counter.policy === rule.policy)) return undefined
    const max = maxOf(rule, request)
    return max === null
      ? undefined
      : { policy: rule.policy, subject: subjectOf(rule, request, email), max, windowMs: rule.windowMs }
  }

  function maxOf({ policy, max, limit }: Rule, { identity }: FastifyRequest): number | null {
    const own = limit === null ? null : (identity?.resolved.perMinute.get(limit) ?? null)
    if (limit !== null) return own === null ? null : scaled(own, factor)
    const ofKey = policy === 'key' ? (identity?.resolved.requestsPerMinute ?? null) : null
    return ofKey === null ? max : scaled(ofKey, factor)
  }

  function subjectOf({ per }: Rule, { identity, address }: FastifyRequest, email: string): string {
    if (per === 'account') return subjects.account(email, address)
    // Rules of the other kinds stand on routes that a caller is known on; without one the address is counted.
    if (per === 'address' || !identity) return subjects.network(address)
    return per === 'tenant' ? subjects.tenant(identity) : subjects.person(identity)
  }

  function take(counters: Counter[], request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
    if (counters.length === 0) return
    const taken = core.rates.take(counters)
    return taken instanceof Promise
      ? taken.then((result) => settle(result, counters, request, reply))
      : settle(taken, counters, request, reply)
  }

  function settle(
    { isAllowed, counts }: Awaited<ReturnType<Core['rates']['take']>>,
    counters: readonly Counter[],
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const now = counters.map((counter, index) => ({ counter, count: counts[index]! })) // one for each
    request.rates = request.rates === null ? now : [...request.rates, ...now]
    reply.headers(rateHeaders(request.rates))
    if (isAllowed) return
    const used = now.filter(({ counter, count }) => count.used >= counter.max)
    // A store of an application may refuse without saying why.
    const violated = used.length > 0 ? used : now
    refusals.note(request, violated)
    throw refusal(violated)
  }
}

/** Counts by the account that a body names, and notes which one it was where there were too many requests. */
function countNamed(counting: () => void | Promise<void>, request: FastifyRequest, email: string) {
  const note = (error: unknown): never => {
    request.limitedAccount = email
    throw error
  }
  try {
    return counting()?.catch(note)
  } catch (error) {
    return note(error)
  }
}

function chosenOf({ anonymous, person, key }: RouteRules, { identity }: FastifyRequest): readonly Rule[] {
  if (!identity) return anonymous
  return identity.principal.apiKeyId === undefined ? person : key
}

function emailOf(body: unknown): string | null {
  const { email } = (body ?? {}) as { email?: unknown } // the body of the route, which was validated
  return typeof email === 'string' ? email : null
}

function refusal(violated: readonly Counted[], what = 'Too many requests'): AppError {
  const seconds = Math.max(...violated.map(({ count }) => secondsLeft(count)))
  return rateLimited({
    detail: `${what}: wait ${seconds} s`,
    members: { violated_policies: violated.map(({ counter }) => counter.policy) },
    headers: { 'retry-after': String(seconds) },
  })
}
