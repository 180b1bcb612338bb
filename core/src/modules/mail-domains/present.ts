import { type Ctx, pickFields } from '#kernel'
import { mailDomainConfiguration } from './configuration.ts'
import { selectorOf, type WantedRecord, wantedRecords } from './records.ts'
import { MailDomain, MailDomainChange, type MailDomainRecord } from './schema.ts'
import type { DomainRow } from './table.ts'

const WORDS: Record<NonNullable<DomainRow['problem']>, string> = {
  not_proven: 'DNS does not show that the domain is yours: the verification record is not there.',
  key_missing: 'DNS does not show the key that mails are signed with.',
  taken: 'Another company here has proven that the domain is theirs, and its record still stands in DNS.',
  unreachable: 'The name servers of the domain do not answer.',
}

/** A domain as it stands on the wire. */
export function presentDomain(ctx: Pick<Ctx, 'config'>, row: DomainRow): MailDomain {
  const { MAIL_SPF_INCLUDE } = ctx.config.of(mailDomainConfiguration)
  return pickFields(MailDomain, {
    ...row,
    records: wantedRecords(row, MAIL_SPF_INCLUDE).map((record) => presentRecord(row, record)),
    rotation: rotationOf(row),
    previous_key_until: row.retires_at,
    error: errorOf(row),
    last_checked_at: row.checked_at,
  })
}

/** A domain as audit records keep it. */
export function recordDomain(row: DomainRow): MailDomainChange {
  return pickFields(MailDomainChange, {
    ...row,
    signing_selector: selectorOf(row, row.signing),
    rotation: rotationOf(row),
  })
}

function presentRecord(row: DomainRow, { key, name, value }: WantedRecord): MailDomainRecord {
  const purpose = purposeOf(row, key)
  const required = purpose === 'verification' || purpose === 'dkim_current'
  return { purpose, type: 'TXT', name, value, required, state: row.seen[key] ?? 'unknown' }
}

function purposeOf({ signing, retires_at }: DomainRow, key: WantedRecord['key']): MailDomainRecord['purpose'] {
  if (key !== 'dkim_1' && key !== 'dkim_2') return key
  if (key === `dkim_${signing}`) return 'dkim_current'
  return retires_at === null ? 'dkim_next' : 'dkim_previous'
}

function rotationOf({ rotation_asked_at, retires_at }: DomainRow): MailDomain['rotation'] {
  if (retires_at !== null) return 'overlap'
  return rotation_asked_at === null ? 'none' : 'waiting'
}

const errorOf = ({ problem }: DomainRow): string | null => (problem === null ? null : WORDS[problem])
