import { randomInt } from 'node:crypto'
import { isUuid } from '#kernel'

const MIN_LENGTH = 3
const MAX_LENGTH = 63
const SUFFIX_LENGTH = 6
// Without vowels and look-alikes: a suffix never spells a word and can be read out on the telephone.
const SUFFIX_LETTERS = 'bcdfghjkmnpqrstvwxz23456789'

// Slugs that the installation may need as host names or paths.
const RESERVED = new Set(
  (
    'about abuse account accounts admin administrator api app apps assets auth autodiscover billing blog cdn console ' +
    'contact dashboard demo dev docs download email files ftp health help host hostmaster imap info internal legal ' +
    'localhost login logout mail me metrics mta-sts news noreply null ns1 ns2 pop postmaster pricing privacy public ' +
    'register root security settings signin signup sitemap smtp sso staging static status store stores support ' +
    'system tenant tenantry tenants terms test undefined user users webhooks webmaster well-known wpad www'
  ).split(' '),
)

export function isReserved(slug: string): boolean {
  return RESERVED.has(slug)
}

/** Whether a slug could be taken for the id of a tenant, by whoever names one by either. */
export const isLikeId = (slug: string): boolean => isUuid(slug)

/** A slug made from a name; undefined when it would be too short, reserved or an id, or the name is in another script. */
export function slugFromName(name: string): string | undefined {
  const slug = asciiWords(name).slice(0, MAX_LENGTH).replace(/-$/, '')
  return slug.length < MIN_LENGTH || isReserved(slug) || isLikeId(slug) ? undefined : slug
}

/** The same with a random suffix, for when the plain slug is not available. Always a valid slug. */
export function slugWithSuffix(name: string): string {
  const words = asciiWords(name)
    .slice(0, MAX_LENGTH - SUFFIX_LENGTH - 1)
    .replace(/-$/, '')
  return `${words || 'tenant'}-${randomSuffix(SUFFIX_LENGTH)}`
}

const LETTERS: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', þ: 'th', ı: 'i' }

/** The letters and digits of a text as lower-case ASCII words joined by hyphens: `Café Zürich!` → `cafe-zurich`. */
export function asciiWords(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{ASCII}]/gu, (letter) => LETTERS[letter] ?? ' ')
    .replace(/['`]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** Random lower-case letters and digits that cannot be confused with each other. */
export function randomSuffix(length: number): string {
  return Array.from({ length }, () => SUFFIX_LETTERS.charAt(randomInt(SUFFIX_LETTERS.length))).join('')
}
