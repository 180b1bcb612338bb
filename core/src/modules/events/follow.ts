import { type Ctx, SECONDS } from '#kernel'
import { presentEvent } from './present.ts'
import { cursorAt, type Look, lookAt, readStart, type Start, wishOf } from './read-page.ts'
import type { EventPage, EventQuery } from './schema.ts'
import { eventWaiters } from './waiters.ts'

/** Between two looks of a request when what came was not what it asks for. */
const IN_VAIN_MS = 250

/** Events of the tenant in the order of commits, behind a place; where there are none, those that come within `wait` seconds. */
export async function followEvents(ctx: Ctx, query: EventQuery): Promise<EventPage> {
  const { tenantId } = ctx
  const wish = wishOf(ctx, query)
  const lookFrom = (asker: Ctx, start: Start) =>
    asker.transaction((within) => lookAt(within, wish, start), { readOnly: true })
  const first = await lookFrom(ctx, readStart(ctx, query))
  const look = mayWait(first, query) ? await waitFor(ctx, query, { first, lookFrom }) : first
  return {
    data: look.events.map((row) => presentEvent({ ...row, tenant_id: tenantId })),
    next_cursor: cursorAt(ctx, query, look.next),
  }
}

const mayWait = ({ events, isAtHead }: Look, { wait = 0 }: EventQuery) => wait > 0 && isAtHead && events.length === 0

interface Waiting {
  first: Look
  lookFrom(asker: Ctx, start: Start): Promise<Look>
}

/** Holds neither a transaction nor a connection while nothing comes. */
async function waitFor(ctx: Ctx, { wait = 0 }: EventQuery, { first, lookFrom }: Waiting): Promise<Look> {
  const { tenantId, unawaited } = ctx
  if (unawaited.aborted) return first
  const waiters = ctx.use(eventWaiters)
  const leave = waiters.enter(callerOf(ctx))
  try {
    const until = performance.now() + timeMs(ctx, wait)
    let asker = ctx
    let look = first
    let leastMs = 0
    for (;;) {
      const mostMs = Math.max(0, until - performance.now())
      const { principal } = asker
      const end = await waiters.wait({ tenantId, after: look.next, mostMs, leastMs, principal, unawaited })
      if (end === 'end') return look
      // What it rests on may have ended meanwhile.
      asker = await asker.proveAgain()
      look = await lookFrom(asker, look.next)
      if (end === 'over' || look.events.length > 0 || !look.isAtHead) return look
      leastMs = IN_VAIN_MS
    }
  } finally {
    leave()
  }
}

/** No longer than its credential is good for. */
function timeMs({ principal, clock }: Ctx, wait: number): number {
  const endsAtMs = principal?.endsAtMs ?? null
  return endsAtMs === null ? wait * SECONDS : Math.max(0, Math.min(wait * SECONDS, endsAtMs - clock.ms()))
}

/** A person, in whatever sessions and as whomever, or a key. */
const callerOf = ({ actor, principal }: Ctx): string =>
  actor.impersonatorId ?? principal?.userId ?? principal?.apiKeyId ?? `${actor.id}`
