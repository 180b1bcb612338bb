import type { Core } from '../core.ts'
import type { OutboundPlaces, Tenant } from './outbound-places.ts'
import type { ClaimedJob } from './queries.ts'
import type { SlowPlaces } from './slow-places.ts'

/** A receiver that keeps a job for longer gives the job's place to others. */
const PATIENCE_MS = 500

/**
 * A turn in one of the places for outbound jobs. Once a receiver keeps one of its jobs waiting it leaves for a slow place, if
 * there is one, and ends with that job. A job whose receiver is known to be slow runs in a slow place from the start.
 */
export interface Visit {
  /** Before a claim: the payloads (JSON) of jobs that are left to others, since there is no slow place for them. */
  passOver(): readonly string[]
  /** After it. */
  hasClaimed(job: ClaimedJob | null): void
  /** Before a job runs. What it returns is called when the job has ended. */
  begin(job: ClaimedJob): () => void
  /** Whether it has left its place. */
  hasLeft(): boolean
  /** Resolves when it leaves its place before its end. */
  readonly leaving: Promise<void>
  /** Gives its place back and wakes who may enter now; with `more`, which may wait, the tenant itself. */
  end(more: boolean): void
}

export interface Places {
  readonly quick: OutboundPlaces
  readonly slow: SlowPlaces
}

/** A visit of a tenant that has entered one of the quick places. */
export function createVisit(core: Core, { quick, slow }: Places, tenant: Tenant): Visit {
  const enteredAt = performance.now()
  const { promise: leaving, resolve: tellLeaving } = Promise.withResolvers<void>()
  let isInside = true
  let hasSlow = false

  const wake = (tenants: Iterable<Tenant>) => {
    for (const each of tenants) core.wake(each, core.clock.now(), true)
  }
  const takeSlow = () => (hasSlow ||= slow.enter(tenant))
  // Both return who may enter now.
  const giveSlow = () => {
    if (!hasSlow) return []
    hasSlow = false
    return slow.leave(tenant)
  }
  const leave = () => {
    if (!isInside) return []
    isInside = false
    return quick.leave(tenant, performance.now() - enteredAt)
  }
  const leaveEarly = () => {
    if (!isInside || !takeSlow()) return
    // Two wakes for the tenant, so that its jobs spread over all lanes; equal ones are merged.
    wake([...leave(), tenant, tenant])
    tellLeaving()
  }
  return {
    passOver() {
      const known = slow.listKnown(tenant)
      // Taken before it is known what is claimed, so that no two who claim count on the same place.
      return known.length === 0 || takeSlow() ? [] : known
    },
    hasClaimed(job) {
      const receiver = job && receiverOf(core, job)
      if (isInside && (receiver === null || !slow.isKnown(tenant, receiver))) wake(giveSlow())
    },
    begin(job) {
      const receiver = receiverOf(core, job)
      if (receiver === null) return () => {}
      const begunAt = performance.now()
      if (hasSlow) leaveEarly()
      const timer = setInterval(leaveEarly, PATIENCE_MS)
      return () => {
        clearInterval(timer)
        slow.note(tenant, receiver, performance.now() - begunAt)
      }
    },
    hasLeft: () => !isInside,
    leaving,
    end(more) {
      wake(new Set([...leave(), ...giveSlow(), ...(more ? [tenant] : [])]))
    },
  }
}

/** By what the receiver of a job is known; null: it has none of its own. */
function receiverOf({ registry }: Core, { task, payload }: ClaimedJob): string | null {
  return registry.findJob(task)?.outbound === 'receiver' ? JSON.stringify(payload) : null
}
