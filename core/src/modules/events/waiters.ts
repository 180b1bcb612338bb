import { type Core, type Ctx, concerns, defineResource, type Principal, rateLimited, unavailable } from '#kernel'
import { listHeads } from './queries.ts'

/** Requests of one person or key that wait in one process. */
const MOST_OF_A_CALLER = 10
/** And all together. */
const MOST = 10_000
const COME_BACK_SECONDS = '5'
/** How often it is looked whether another process has published something, while somebody waits. */
const LOOK_MS = 250
/** What a 429 for too many names. */
const WAITING_POLICY = 'waiting_for_events'

/** What somebody waits for. */
export interface Wait {
  tenantId: string
  /** Events behind this position. */
  after: number
  /** For how long at most, and for how long at least whatever comes. */
  mostMs: number
  leastMs: number
  /** Who waits: woken too when what they may do has changed. */
  principal: Principal | null
  /** Aborted when nobody waits for the answer any more. */
  unawaited: AbortSignal
}

/** `come`: there are events behind the position, or whoever asked may see others by now. `over`: its time is. `end`: whoever asked has gone, or the server stops. */
export type WaitEnd = 'come' | 'over' | 'end'

/** Those who wait in this process. */
export interface EventWaiters {
  /** Takes a place for a caller; returns how to give it back. Throws 429 and 503 when there is none. */
  enter(caller: string): () => void
  wait(what: Wait): Promise<WaitEnd>
  /** Something was published in a tenant, and is committed. */
  published(tenantId: string): void
  readonly size: number
  close(): void
}

export const eventWaiters = defineResource<EventWaiters>({
  name: 'events.waiters',
  create: (core) => createWaiters(core),
  close: (waiters) => waiters.close(),
})

/** Tells those who wait in this process, once this transaction is committed. */
export function wakeWaiters(ctx: Ctx): void {
  const { tenantId } = ctx
  ctx.afterCommit(() => ctx.use(eventWaiters).published(tenantId))
}

interface Waiter {
  readonly after: number
  readonly principal: Principal | null
  wake(): void
}

function createWaiters(core: Core): EventWaiters {
  const tenants = new Map<string, Set<Waiter>>()
  const callers = new Map<string, number>()
  let size = 0
  let lookout: NodeJS.Timeout | undefined
  let isLooking = false
  let isFailing = false

  const stopWatching = core.standings.watch((what) => {
    // All at once, as after a lost connection, would all ask the database: their time is over soon.
    if (what === null) return
    for (const waiters of tenants.values())
      for (const waiter of waiters) if (concerns(what, waiter.principal)) waiter.wake()
  })

  async function look(): Promise<void> {
    if (isLooking || tenants.size === 0) return
    isLooking = true
    try {
      const heads = await core.run(({ tx }) => listHeads(tx, [...tenants.keys()]), SEES_ALL)
      isFailing = false
      for (const { tenant_id, position } of heads)
        for (const waiter of tenants.get(tenant_id) ?? []) if (position > waiter.after) waiter.wake()
    } catch (error) {
      if (!isFailing) core.log.warn({ err: error }, 'whether others have published events could not be looked at')
      isFailing = true
    } finally {
      isLooking = false
    }
  }

  function add(tenantId: string, waiter: Waiter): void {
    tenants.set(tenantId, (tenants.get(tenantId) ?? new Set()).add(waiter))
    // Nobody's transaction: it goes on when the request that began it is answered.
    lookout ??= core.db.aside(() => setInterval(() => void look(), LOOK_MS).unref())
  }

  function remove(tenantId: string, waiter: Waiter): void {
    const own = tenants.get(tenantId)
    own?.delete(waiter)
    if (own?.size === 0) tenants.delete(tenantId)
    if (tenants.size > 0) return
    clearInterval(lookout)
    lookout = undefined
  }

  return {
    enter(caller) {
      const own = callers.get(caller) ?? 0
      requirePlace(own, size)
      callers.set(caller, own + 1)
      size++
      return () => {
        const left = (callers.get(caller) ?? 1) - 1
        if (left === 0) callers.delete(caller)
        else callers.set(caller, left)
        size--
      }
    },
    wait: ({ tenantId, after, mostMs, leastMs, principal, unawaited }) =>
      new Promise((resolve) => {
        const begun = performance.now()
        const waiter: Waiter = {
          after,
          principal,
          wake() {
            const left = leastMs - (performance.now() - begun)
            if (left <= 0) return done('come')
            early ??= setTimeout(() => done('come'), left)
          },
        }
        const gone = () => done('end')
        const late = setTimeout(() => done('over'), mostMs)
        let early: NodeJS.Timeout | undefined
        const signals = [unawaited, core.stopping]
        function done(end: WaitEnd): void {
          clearTimeout(late)
          clearTimeout(early)
          for (const signal of signals) signal.removeEventListener('abort', gone)
          remove(tenantId, waiter)
          resolve(end)
        }
        if (signals.some(({ aborted }) => aborted)) return done('end')
        for (const signal of signals) signal.addEventListener('abort', gone)
        add(tenantId, waiter)
      }),
    published(tenantId) {
      for (const waiter of tenants.get(tenantId) ?? []) waiter.wake()
    },
    get size() {
      return size
    },
    close: stopWatching,
  }
}

const SEES_ALL = { role: 'system', tenantId: null, readOnly: true } as const // the word is the type

function requirePlace(own: number, all: number): void {
  const headers = { 'retry-after': COME_BACK_SECONDS }
  if (own >= MOST_OF_A_CALLER)
    throw rateLimited({
      detail: `You have ${MOST_OF_A_CALLER} requests waiting for events already`,
      members: { violated_policies: [WAITING_POLICY] },
      headers,
    })
  if (all >= MOST) throw unavailable({ detail: 'Too many wait for events here: come back, or do not wait', headers })
}
