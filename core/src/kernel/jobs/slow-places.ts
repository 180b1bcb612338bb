import { MINUTES, SECONDS } from '../clock.ts'
import type { Tenant } from './outbound-places.ts'

/** Of a process. Who waits in one costs memory and a connection to a receiver: neither time nor a connection of the database. */
const COUNT = 64
/** A receiver that kept a job for so long is taken for slow for a while, whatever else is quick: a job may find nothing to send. */
const SLOW_MS = 2 * SECONDS
export const KNOWN_MS = 10 * MINUTES
/** Receivers are known of so many tenants, and so many of each; of more, those that were slow most recently. */
const MOST_TENANTS = 1_000
export const MOST_OF_TENANT = 200

/**
 * Places beside those for outbound jobs, for jobs that wait for a slow receiver. A receiver is known by the payload of its
 * jobs, as JSON.
 */
export interface SlowPlaces {
  /** Takes a place; false: the tenant is told of by `leave` when it may try again. */
  enter(tenant: Tenant): boolean
  /** Gives a place back. Returns tenants that had to wait for it. */
  leave(tenant: Tenant): Tenant[]
  /** A receiver's job took so many milliseconds. */
  note(tenant: Tenant, receiver: string, tookMs: number): void
  isKnown(tenant: Tenant, receiver: string): boolean
  /** The tenant's receivers that are known to be slow. */
  listKnown(tenant: Tenant): string[]
}

/** `now`: milliseconds by a clock that is never set. */
export function createSlowPlaces(now = () => performance.now()): SlowPlaces {
  const busy = new Map<Tenant, number>()
  const waiting = new Set<Tenant>()
  /** Until when they are known; the last one to be noted is the last. */
  const known = new Map<Tenant, Map<string, number>>()
  let free = COUNT

  // No more than are left: the first gets half of all, the next half of the rest, and there is always one for the next.
  const mayEnter = (tenant: Tenant) => (busy.get(tenant) ?? 0) < free
  return {
    enter(tenant) {
      if (!mayEnter(tenant)) {
        waiting.add(tenant)
        return false
      }
      free--
      busy.set(tenant, (busy.get(tenant) ?? 0) + 1)
      return true
    },
    leave(tenant) {
      const left = (busy.get(tenant) ?? 1) - 1
      if (left > 0) busy.set(tenant, left)
      else busy.delete(tenant)
      free++
      const next = [...waiting].filter(mayEnter).slice(0, free)
      for (const each of next) waiting.delete(each)
      return next
    },
    note(tenant, receiver, tookMs) {
      if (tookMs < SLOW_MS) return
      const receivers = known.get(tenant) ?? new Map<string, number>()
      putLast(receivers, receiver, now() + KNOWN_MS, MOST_OF_TENANT)
      putLast(known, tenant, receivers, MOST_TENANTS)
    },
    isKnown: (tenant, receiver) => (known.get(tenant)?.get(receiver) ?? 0) > now(),
    listKnown(tenant) {
      const receivers = known.get(tenant)
      if (!receivers) return []
      for (const [receiver, until] of receivers) {
        if (until > now()) break
        receivers.delete(receiver)
      }
      if (receivers.size === 0) known.delete(tenant)
      return [...receivers.keys()]
    },
  }
}

/** Puts one last, and lets go of the first when there are more. */
function putLast<K, V>(to: Map<K, V>, key: K, value: V, most: number): void {
  to.delete(key)
  to.set(key, value)
  for (const first of to.keys()) {
    if (to.size <= most) return
    to.delete(first)
  }
}
