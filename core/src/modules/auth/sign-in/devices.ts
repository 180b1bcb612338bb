import { type Ctx, hashToken, networkOf } from '#kernel'
import type { Account } from '../queries.ts'

/** Identifies a device: its program and the network it calls from. */
export function fingerprintOf({ origin }: Ctx): string {
  const network = networkOf(origin.ipAddress, { v4: 24, v6: 48 })
  return hashToken(JSON.stringify([origin.userAgent, network])).toString('base64url')
}

// Order matters: every browser claims to be several others.
const PROGRAMS: [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const SYSTEMS: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\b(?:Macintosh|Mac OS X)\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]
const MAX_NAME = 60
export const UNKNOWN_DEVICE = 'Unknown device'

/** A device as texts name it, each in its own words. */
export interface DeviceWords {
  named: 'both' | 'program' | 'unknown'
  program: string
  system: string
}

/** The name by which a person recognises a device: `Firefox on Linux`. */
export function deviceName(userAgent: string | null): string {
  const { named, program, system } = deviceWords(userAgent)
  if (named === 'unknown') return UNKNOWN_DEVICE
  return named === 'both' ? `${program} on ${system}` : program
}

/** The parts of that name, for texts in other languages. */
export function deviceWords(userAgent: string | null): DeviceWords {
  const program = userAgent ? nameIn(userAgent, PROGRAMS) : undefined
  const system = userAgent ? nameIn(userAgent, SYSTEMS) : undefined
  if (program && system) return { named: 'both', program, system }
  const only =
    program ??
    system ??
    /^[\w .-]+/
      .exec(userAgent ?? '')?.[0]
      .trim()
      .slice(0, MAX_NAME) ??
    ''
  return { named: only === '' ? 'unknown' : 'program', program: only, system: '' }
}

function nameIn(userAgent: string, names: [RegExp, string][]): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1]
}

/** Whether an account that is being looked up has signed in from the device of the look-up. */
export const knowsDevice = async (found: Promise<Account | undefined>): Promise<boolean> =>
  ((await found)?.deviceSeenAt ?? null) !== null
