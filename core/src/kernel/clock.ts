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

export const systemClock: Clock = {
  ms: () => Date.now(),
  now: () => new Date().toISOString(),
}

/** The moment `ms` milliseconds after (before, when negative) the clock's now, as on the wire. */
export function fromNow(clock: Clock, ms: number): string {
  return new Date(clock.ms() + ms).toISOString()
}

/** A clock that stands still until told otherwise; for tests. */
export interface MovableClock extends Clock {
  advance(ms: number): void
}

/** Runs `offset` away from the real time, moved by `advance`. */
export function movableClock(): MovableClock {
  let offset = 0
  const ms = () => Date.now() + offset
  return {
    ms,
    now: () => new Date(ms()).toISOString(),
    advance: (by) => {
      offset += by
    },
  }
}
