/** The time as the application sees it. Injected everywhere, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  ms(): number
  /** ISO 8601 UTC with milliseconds, as it stands on the wire. */
  now(): string
}

export const SECONDS = 1_000
export const MINUTES = 60 * SECONDS
export const HOURS = 60 * MINUTES
export const DAYS = 24 * HOURS

let [lastMs, lastNow] = [0, '']

export const systemClock: Clock = {
  ms: () => Date.now(),
  now() {
    const ms = Date.now()
    // One request asks several times within a millisecond, and writing a time out is most of the work.
    if (ms !== lastMs) [lastMs, lastNow] = [ms, new Date(ms).toISOString()]
    return lastNow
  },
}

/** The moment of so many milliseconds since the Unix epoch, as on the wire. */
export function momentAt(ms: number): string {
  return new Date(ms).toISOString()
}

/** The moment `ms` milliseconds after (before, when negative) the clock's now, as on the wire. */
export function fromNow(clock: Clock, ms: number): string {
  return momentAt(clock.ms() + ms)
}

/** The moment `ms` milliseconds after (before, when negative) another one, as on the wire. */
export function momentAfter(moment: string, ms: number): string {
  return momentAt(Date.parse(moment) + ms)
}

/** Clocks of one installation differ by less. */
const SKEW_MS = 5 * MINUTES

/** Whether a creation time is in the future: a wrong clock wrote it, and times derived from it would last too long. */
export function isAhead(clock: Clock, madeAt: string): boolean {
  return Date.parse(madeAt) > clock.ms() + SKEW_MS
}

/** The real time, moved; for tests. */
export interface MovableClock extends Clock {
  /** Advances the time, whether it runs or is stopped. */
  advance(ms: number): void
  /** Stops the time except for `advance`: for tests that need an exact millisecond on a slow machine. */
  stop(): void
  /** Lets the time run again; does nothing when it runs. */
  start(): void
}

/** Runs with the real time until it is moved or stopped. */
export function movableClock(): MovableClock {
  let offset = 0
  let standsAt: number | null = null
  const ms = () => standsAt ?? Date.now() + offset
  return {
    ms,
    now: () => momentAt(ms()),
    advance: (by) => {
      if (standsAt === null) offset += by
      else standsAt += by
    },
    stop: () => {
      standsAt = ms()
    },
    start: () => {
      if (standsAt !== null) offset = standsAt - Date.now()
      standsAt = null
    },
  }
}
