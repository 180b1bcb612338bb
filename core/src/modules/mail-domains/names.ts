import { parse } from 'tldts'
import { type Config, normalizeDomain } from '#kernel'

/** Long enough for any name, and leaves room for those of the records. */
export const MAX_DOMAIN_LENGTH = 200

type Place = Pick<Config, 'http' | 'mail'>

/**
 * The domain in its canonical form, or what is wrong with it as a text. Whose it is only DNS says; refused here is what can be
 * nobody's, or is the installation's own.
 */
export function readDomain(text: string, config: Place): { domain: string } | { problem: string } {
  // As name servers write it, and pages of DNS have it to be copied.
  const domain = normalizeDomain(text.trim().replace(/\.$/, ''))
  if (domain === null) return { problem: 'must be a domain name such as example.com' }
  if (domain.length > MAX_DOMAIN_LENGTH) return { problem: `must have at most ${MAX_DOMAIN_LENGTH} characters` }
  const { isIcann, isPrivate, domain: registered } = lookAt(domain)
  if (!isIcann && !isPrivate) return { problem: 'must be a domain of the public internet' }
  if (registered === null) return { problem: 'must be a domain of your own: under this one anybody may have one' }
  if (ownNames(config).some((own) => lookAt(own).domain === registered))
    return { problem: 'must not be a domain of this installation' }
  return { domain }
}

/** The domain that somebody registered, which the given one is or stands under. */
export const registeredDomain = (domain: string): string => lookAt(domain).domain ?? domain

const lookAt = (domain: string) => parse(domain, { allowPrivateDomains: true, extractHostname: false })

function ownNames({ http, mail }: Place): string[] {
  const from = mail.from?.address ?? ''
  return [new URL(http.publicUrl).hostname, from.slice(from.lastIndexOf('@') + 1)].flatMap(
    (name) => normalizeDomain(name) ?? [],
  )
}
