import { SECONDS } from '../clock.ts'

/** Places for outbound jobs of a process, for each place of other jobs: they wait far more than they work. */
const PLACES_FOR_EACH = 5
/** Places that one tenant's outbound jobs may use. */
const OF_A_TENANT = 4
/** Of all places, the share that tenants may use together whose jobs took long when they last ran. */
const SHARE_OF_SLOW = 0.75
const SLOW_MS = 5 * SECONDS

export type Tenant = string | null

/** The places of a process for outbound jobs: who waits for a silent server takes none from those whose servers answer. */
export interface OutboundPlaces {
  readonly count: number
  /** Takes a place; false: the tenant has to wait, and is told of by `leave` when it may try again. */
  enter(tenant: Tenant): boolean
  /** Gives a place back after so many milliseconds. Returns the tenants that had to wait for it. */
  leave(tenant: Tenant, tookMs: number): Tenant[]
}

export function createOutboundPlaces(concurrency: number): OutboundPlaces {
  const count = concurrency * PLACES_FOR_EACH
  const placesOfSlow = Math.floor(count * SHARE_OF_SLOW)
  const busy = new Map<Tenant, number>()
  const slow = new Set<Tenant>()
  /** Who waits for a place of its own, and who for one of the slow, in their order. */
  const passedOver = new Set<Tenant>()
  const waiting = new Set<Tenant>()

  // Who turns slow or quick has all its places counted as such at once, so there is no second count to keep.
  const busySlow = () => [...busy].reduce((sum, [tenant, places]) => sum + (slow.has(tenant) ? places : 0), 0)

  return {
    count,
    enter(tenant) {
      const places = busy.get(tenant) ?? 0
      if (places >= OF_A_TENANT) {
        passedOver.add(tenant)
        return false
      }
      if (slow.has(tenant) && busySlow() >= placesOfSlow) {
        waiting.add(tenant)
        return false
      }
      busy.set(tenant, places + 1)
      return true
    },
    leave(tenant, tookMs) {
      const left = (busy.get(tenant) ?? 1) - 1
      if (left > 0) busy.set(tenant, left)
      else busy.delete(tenant)
      if (tookMs >= SLOW_MS) slow.add(tenant)
      else slow.delete(tenant)
      const next = [...waiting].slice(0, Math.max(0, placesOfSlow - busySlow()))
      for (const each of next) waiting.delete(each)
      return passedOver.delete(tenant) ? [...next, tenant] : next
    },
  }
}
