import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import type { Tx } from '../db/tables.ts'
import { REQUESTS_PER_MINUTE } from '../rates/define.ts'
import type { Throttle } from './slots.ts'

/** Looked up again so often: that notifications arrive is not known here. */
const KEPT_MS = 10 * SECONDS
const MOST_KEPT = 10_000

/** What holds a tenant at the moment; null: nothing does. */
export async function findThrottle({ registry, clock }: Core, tx: Tx, tenantId: string): Promise<Throttle | null> {
  const throttle = (await registry.throttles?.(tx, tenantId)) ?? null
  return throttle !== null && (throttle.until === null || throttle.until > clock.now()) ? throttle : null
}

/** The figures of a plan, of which the requests of a minute are no more than the throttle lets through. */
export function throttled(figures: ReadonlyMap<string, number | null>, { requestsPerMinute }: Throttle) {
  const planned = figures.get(REQUESTS_PER_MINUTE) ?? Number.POSITIVE_INFINITY
  return new Map([...figures, [REQUESTS_PER_MINUTE, Math.min(planned, requestsPerMinute)]])
}

/** Which tenants are throttled, for whoever asks before each piece of work. */
export interface ThrottledTenants {
  has(tenantId: string): Promise<boolean>
}

interface Known {
  throttle: Throttle | null
  /** By a clock that is never set. */
  until: number
}

/** Remembers for seconds, and forgets what processes tell each other to forget. */
export function createThrottledTenants(core: Core): ThrottledTenants {
  if (!core.registry.throttles) return { has: async () => false }
  const known = new Map<string, Known>()
  /** What was read before a change must not be remembered after it. */
  let changes = 0
  core.standings.watch((what) => {
    if (what !== null && what.tenantId === undefined) return
    changes++
    if (what?.tenantId === undefined) known.clear()
    else known.delete(what.tenantId)
  })

  async function look(tenantId: string): Promise<Throttle | null> {
    const before = changes
    const throttle = await core.db.transaction({ tenantId, role: 'app', readOnly: true }, (tx) =>
      findThrottle(core, tx, tenantId),
    )
    if (before !== changes) return throttle
    if (known.size >= MOST_KEPT) known.clear()
    known.set(tenantId, { throttle, until: performance.now() + KEPT_MS })
    return throttle
  }

  return {
    async has(tenantId) {
      const found = known.get(tenantId)
      const throttle = found && found.until > performance.now() ? found.throttle : await look(tenantId)
      return throttle !== null && (throttle.until === null || throttle.until > core.clock.now())
    },
  }
}
