import type { Count, Counter, RateStore, Taken } from './store.ts'

/** Most counts of one policy. More come from a flood of addresses; the oldest windows are then dropped. */
const MAX_COUNTS = 50_000

interface Window {
  used: number
  endsAt: number
}

/** Counts in memory. A policy's counts are apart from those of others, so that a flood in one drops nothing of another. */
export interface MemoryRates extends RateStore {
  take(counters: readonly Counter[]): Taken
  readonly size: number
}

/**
 * Counts in this process alone. Times come from a clock that only runs forward, whatever happens to the system's.
 * `now`: milliseconds of such a clock.
 */
export function createMemoryRates({ maxCounts = MAX_COUNTS, now = () => performance.now() } = {}): MemoryRates {
  const policies = new Map<string, Map<string, Window>>()

  function windowsOf(policy: string): Map<string, Window> {
    let windows = policies.get(policy)
    if (!windows) {
      windows = new Map()
      policies.set(policy, windows)
    }
    return windows
  }

  function find({ policy, subject }: Counter, at: number): Window | undefined {
    const found = policies.get(policy)?.get(subject)
    return found && found.endsAt > at ? found : undefined
  }

  function raise(counter: Counter, found: Window | undefined, at: number): Count {
    if (found) {
      found.used++
      return { used: found.used, leftMs: found.endsAt - at }
    }
    const windows = windowsOf(counter.policy)
    // Anew at the end: windows of a policy are equally long, so the map stays in the order in which they end.
    windows.delete(counter.subject)
    makeRoom(windows, at, maxCounts)
    windows.set(counter.subject, { used: 1, endsAt: at + counter.windowMs })
    return { used: 1, leftMs: counter.windowMs }
  }

  return {
    take(counters) {
      const at = now()
      const found = counters.map((counter) => find(counter, at))
      const isAllowed = counters.every(({ max }, index) => (found[index]?.used ?? 0) < max)
      const counts = counters.map((counter, index) =>
        isAllowed ? raise(counter, found[index], at) : stateOf(counter, found[index], at),
      )
      return { isAllowed, counts }
    },
    get size() {
      return [...policies.values()].reduce((sum, { size }) => sum + size, 0)
    },
  }
}

function stateOf({ windowMs }: Counter, found: Window | undefined, at: number): Count {
  return found ? { used: found.used, leftMs: found.endsAt - at } : { used: 0, leftMs: windowMs }
}

/** Removes up to two windows that have ended, and the oldest when there is no room: more is never added than removed. */
function makeRoom(windows: Map<string, Window>, at: number, most: number): void {
  let looked = 0
  for (const [subject, { endsAt }] of windows) {
    if (endsAt > at && windows.size < most) return
    windows.delete(subject)
    if (++looked === 2) return
  }
}
