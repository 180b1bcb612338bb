import { domainToASCII } from 'node:url'

const MAX_EMAIL = 254
const MAX_LOCAL = 64
const MAX_DOMAIN = 253

// RFC 5322 dot-atom in ASCII: a local part in another script is a look-alike far more often than an address.
const LOCAL = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
// Characters that a host name cannot have, checked before the conversion, which would remove or decode them.
const UNSAFE_IN_DOMAIN = /[\p{Cc}\p{Cf}\p{Z}!-,/:-@[-`{-~]/u

/**
 * The canonical form of an e-mail address, or null when it is invalid. It is normalised (NFKC) before any check, so
 * that no look-alike of `@`, `.` or a letter passes the checks and becomes one later. It is lower-case; an
 * international domain is in ASCII.
 */
export function normalizeEmail(text: string): string | null {
  if (text.length > MAX_EMAIL) return null
  const email = text.normalize('NFKC').trim().toLowerCase()
  const at = email.lastIndexOf('@')
  const local = email.slice(0, Math.max(at, 0))
  if (local.length > MAX_LOCAL || !LOCAL.test(local)) return null
  const domain = asciiDomain(email.slice(at + 1))
  if (domain === null) return null
  const normalized = `${local}@${domain}`
  return normalized.length <= MAX_EMAIL ? normalized : null
}

/**
 * The canonical form of a domain name, or null when it is none: normalised before any check, lower-case, in ASCII, of two
 * labels at least, and no address.
 */
export function normalizeDomain(text: string): string | null {
  return text.length > MAX_DOMAIN ? null : asciiDomain(text.normalize('NFKC').trim().toLowerCase())
}

function asciiDomain(text: string): string | null {
  if (UNSAFE_IN_DOMAIN.test(text)) return null
  const domain = domainToASCII(text)
  const labels = domain.split('.')
  const last = labels.at(-1)
  // At least two labels, and not a number at the end: an IPv4 address in any of its notations.
  if (labels.length < 2 || last === undefined || /^(?:\d+|0x[\da-f]*)$/.test(last)) return null
  return domain.length <= MAX_DOMAIN && labels.every((label) => LABEL.test(label)) ? domain : null
}
