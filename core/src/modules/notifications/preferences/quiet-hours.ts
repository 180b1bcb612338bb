import { HOURS, MINUTES, momentAt } from '#kernel'
import type { QuietHours } from '../table.ts'

/** When digests go out, by the reader's clock. */
export const DIGEST_AT = '08:00'

const DAY_MINUTES = 24 * 60
/** Clocks are changed by less at a time. */
const MOST_SHIFT_MS = 3 * HOURS

/**
 * The moment at which quiet hours that run now are over; null: none run. What counts is the clock on the reader's wall: of an
 * hour that comes twice both are quiet, and one that is left out takes nothing away.
 */
export function quietUntil(ms: number, timezone: string, { from, to }: QuietHours): string | null {
  const [start, end] = [minuteOf(from), minuteOf(to)]
  const isQuiet = (minute: number) =>
    start < end ? minute >= start && minute < end : start !== end && (minute >= start || minute < end)
  if (!isQuiet(wallMinute(ms, timezone))) return null
  return momentAt(firstMinute(ms, timezone, end, (minute) => !isQuiet(minute)))
}

/** The next moment at which the reader's clock shows a time of the day. */
export function nextAt(ms: number, timezone: string, time: string): string {
  const target = minuteOf(time)
  const shift = DAY_MINUTES / 2
  // Within half a day after it, so that a time that the clock skips is found too.
  return momentAt(firstMinute(ms, timezone, target, (minute) => (minute - target + DAY_MINUTES) % DAY_MINUTES < shift))
}

/** Looks for the first minute that fits around the one at which the clock would show `target` if it were never changed. */
function firstMinute(ms: number, timezone: string, target: number, fits: (minute: number) => boolean): number {
  const now = Math.floor(ms / MINUTES) * MINUTES
  const away = (target - wallMinute(ms, timezone) + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES
  const guess = now + away * MINUTES
  for (let at = Math.max(now + MINUTES, guess - MOST_SHIFT_MS); at <= guess + MOST_SHIFT_MS; at += MINUTES)
    if (fits(wallMinute(at, timezone))) return at
  return guess
}

const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** Readers choose their zones, so there may be any number. */
const MOST_CLOCKS = 500
const clocks = new Map<string, Intl.DateTimeFormat>()

/** The minute of the day that a clock on the wall shows there. */
function wallMinute(ms: number, timezone: string): number {
  const parts = clockOf(timezone).formatToParts(ms)
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value)
  return part('hour') * 60 + part('minute')
}

function clockOf(timezone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timezone)
  if (!clock) {
    clock = makeClock(timezone)
    if (clocks.size >= MOST_CLOCKS) clocks.clear()
    clocks.set(timezone, clock)
  }
  return clock
}

function makeClock(timeZone: string): Intl.DateTimeFormat {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  try {
    return new Intl.DateTimeFormat('en', { ...options, timeZone })
  } catch {
    // A zone that this Node does not know must not keep anybody from being told.
    return new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' })
  }
}
