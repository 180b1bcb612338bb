// Offsets such as `+02:00` are no zones: they know no daylight saving.
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/

/** True for a name of the IANA time zone database. */
export function isTimezone(name: string): boolean {
  if (!ZONE_NAME.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The longest language tag that is kept: what RFC 5646 asks implementations to bear at least. */
const MAX_LOCALE = 35

/** The canonical form of a BCP 47 language tag (`DE-ch` → `de-CH`), or null when it is none or too long. */
export function canonicalLocale(tag: string): string | null {
  try {
    // Measured in this form, which may be the longer one: `sh` becomes `sr-Latn`.
    const canonical = Intl.getCanonicalLocales(tag)[0]
    return canonical !== undefined && canonical.length <= MAX_LOCALE ? canonical : null
  } catch {
    return null
  }
}
