import { type Ctx, hashToken } from '#kernel'
import { networkOf } from './networks.ts'

/** What a device is recognised by: the program, and the network that it calls from. */
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

/** What a person may recognise their device by: `Firefox on Linux`. */
export function deviceName(userAgent: string | null): string {
  if (!userAgent) return 'Unknown device'
  const program = nameIn(userAgent, PROGRAMS)
  const system = nameIn(userAgent, SYSTEMS)
  if (program && system) return `${program} on ${system}`
  return program ?? system ?? (/^[\w .-]+/.exec(userAgent)?.[0].trim().slice(0, MAX_NAME) || 'Unknown device')
}

function nameIn(userAgent: string, names: [RegExp, string][]): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1]
}
