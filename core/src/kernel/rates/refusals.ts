import type { FastifyRequest } from 'fastify'
import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import type { Counted } from './headers.ts'

/** A flood of refusals must not become one of lines. */
const QUIET_MS = 10 * SECONDS

/**
 * Measures every refused request and logs at most one of a policy in ten seconds, with how many there were since the
 * line before. A line names policies and the route; of whoever called only the tenant.
 */
export function createRefusalLog(core: Core, now = () => performance.now()) {
  const policies = new Map<string, { quietUntil: number; refused: number }>()
  return {
    note(request: FastifyRequest, violated: readonly Counted[]): void {
      for (const { counter } of violated) core.rateLimited?.(counter.policy)
      const first = violated[0]?.counter.policy ?? ''
      const seen = policies.get(first) ?? { quietUntil: 0, refused: 0 }
      policies.set(first, seen)
      seen.refused++
      if (now() < seen.quietUntil) return
      request.log.warn(
        {
          request_id: request.id,
          method: request.method,
          route: request.routeOptions.url,
          tenant_id: request.identity?.principal.tenantId ?? undefined,
          policies: violated.map(({ counter }) => counter.policy),
          refused: seen.refused,
          ...adviceFor(core, request),
        },
        'requests are refused: there are too many',
      )
      seen.refused = 0
      seen.quietUntil = now() + QUIET_MS
    },
  }
}

/** Without its proxy's name an installation takes all of its clients for one. */
function adviceFor({ config }: Core, { headers, identity }: FastifyRequest): { advice?: string } {
  if (identity || headers['x-forwarded-for'] === undefined || config.http.trustedProxies.length > 0) return {}
  return {
    advice:
      'The request carries X-Forwarded-For, and TRUSTED_PROXIES is not set: if a proxy stands before this server, all of its clients are counted as one.',
  }
}
