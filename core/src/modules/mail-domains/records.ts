import type { TxtAnswer } from '#kernel'
import { registeredDomain } from './names.ts'
import type { DomainRow, Slot } from './table.ts'

/** The records that are looked up. */
export type RecordKey = 'verification' | 'dkim_1' | 'dkim_2' | 'dmarc' | 'spf'

/** What the last look-up of a record found; `different`: something else than what is to be copied. */
export type RecordState = 'found' | 'missing' | 'different' | 'unreachable'

export type Seen = { readonly [key in RecordKey]?: RecordState }

/** A TXT record, and how one sees that it is right. */
export interface WantedRecord {
  readonly key: RecordKey
  readonly name: string
  readonly value: string
  /** Other names where it may stand as well. */
  readonly elsewhere: readonly string[]
  /** Whether a text is meant to be this record at all. */
  isOne(text: string): boolean
  fits(text: string): boolean
  /** Whether a second record of its kind makes both void. */
  readonly isAlone: boolean
}

type Named = Pick<DomainRow, 'domain' | 'challenge' | 'selector' | 'public_1' | 'public_2'>

/** Where the proof stands that a domain is the tenant's. */
const VERIFICATION_LABEL = '_mail-domain'
const VERIFICATION_PREFIX = 'mail-domain-verification='

export const selectorOf = ({ selector }: Pick<DomainRow, 'selector'>, slot: Slot): string => `${selector}-${slot}`
export const otherSlot = (slot: Slot): Slot => (slot === 1 ? 2 : 1)
export const challengeText = (challenge: string): string => `${VERIFICATION_PREFIX}${challenge}`

/** All records of a domain. `spfInclude`: what the installation's mail provider wants in SPF. */
export function wantedRecords(row: Named, spfInclude: string | null): WantedRecord[] {
  return [
    verification(row),
    dkim(row, 1),
    dkim(row, 2),
    dmarc(row),
    ...(spfInclude === null ? [] : [spf(row, spfInclude)]),
  ]
}

function verification({ domain, challenge }: Named): WantedRecord {
  const value = challengeText(challenge)
  return {
    key: 'verification',
    name: `${VERIFICATION_LABEL}.${domain}`,
    value,
    elsewhere: [],
    // Those of others stand beside it: a domain may be used in several installations.
    isOne: (text) => text.trim().startsWith(VERIFICATION_PREFIX),
    fits: (text) => text.trim() === value,
    isAlone: false,
  }
}

function dkim(row: Named, slot: Slot): WantedRecord {
  const key = row[`public_${slot}`]
  return {
    key: `dkim_${slot}`,
    name: `${selectorOf(row, slot)}._domainkey.${row.domain}`,
    value: `v=DKIM1; k=rsa; p=${key}`,
    elsewhere: [],
    isOne: () => true,
    fits: (text) => isKey(tagsOf(text), key),
    isAlone: true,
  }
}

/** A receiver takes the record for this key, for mail, and not as a trial (RFC 6376, 3.6.1). */
function isKey(tags: ReadonlyMap<string, string>, key: string): boolean {
  const lists = (tag: string, word: string) => (tags.get(tag) ?? word).split(':').some((one) => one.trim() === word)
  const services = (tags.get('s') ?? '*').split(':').map((one) => one.trim())
  return (
    (tags.get('v') ?? 'DKIM1') === 'DKIM1' &&
    (tags.get('k') ?? 'rsa') === 'rsa' &&
    lists('h', 'sha256') &&
    services.some((service) => service === '*' || service === 'email') &&
    !(tags.get('t') ?? '').split(':').some((flag) => flag.trim() === 'y') &&
    (tags.get('p') ?? '').replace(/\s+/g, '') === key
  )
}

function dmarc({ domain }: Named): WantedRecord {
  const registered = registeredDomain(domain)
  return {
    key: 'dmarc',
    name: `_dmarc.${domain}`,
    value: 'v=DMARC1; p=none',
    elsewhere: registered === domain ? [] : [`_dmarc.${registered}`],
    isOne: (text) => /^v\s*=\s*DMARC1\s*(;|$)/.test(text.trim()),
    fits: (text) => /^(none|quarantine|reject)$/i.test(tagsOf(text).get('p') ?? ''),
    isAlone: true,
  }
}

function spf({ domain }: Named, include: string): WantedRecord {
  const term = `include:${include}`
  return {
    key: 'spf',
    name: domain,
    value: `v=spf1 ${term} ~all`,
    elsewhere: [],
    isOne: (text) => /^v=spf1(\s|$)/i.test(text.trim()),
    fits: (text) =>
      text
        .toLowerCase()
        .split(/\s+/)
        .some((word) => word.replace(/^[+]/, '') === term),
    isAlone: true,
  }
}

function tagsOf(text: string): Map<string, string> {
  return new Map(
    text.split(';').flatMap((part): [string, string][] => {
      const at = part.indexOf('=')
      return at < 0 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).trim()]]
    }),
  )
}

/** What the answers for the names of a record, in their order, say of it. */
export function stateOf(record: WantedRecord, answers: readonly TxtAnswer[]): RecordState {
  for (const answer of answers) {
    if (!answer.isKnown) return 'unreachable'
    const own = answer.texts.filter((text) => record.isOne(text))
    if (own.length === 0) continue
    const isSingle = own.length === 1 || !record.isAlone
    return isSingle && own.some((text) => record.fits(text)) ? 'found' : 'different'
  }
  return 'missing'
}
