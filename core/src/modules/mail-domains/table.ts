import type { Selectable, TenantRow } from '#kernel'
import type { Seen } from './records.ts'

/** One of the two keys of a domain. */
export type Slot = 1 | 2

/** Why mails do not come from a domain. */
export const PROBLEMS = ['not_proven', 'key_missing', 'taken', 'unreachable'] as const // the words are a type

/** The domain that the mails of a tenant come from. */
export interface MailDomainTable extends TenantRow {
  domain: string
  from_address: string
  challenge: string
  selector: string
  signing: Slot
  public_1: string
  public_2: string
  private_1: string
  private_2: string
  rotation_asked_at: string | null
  retires_at: string | null
  status: 'pending' | 'verified' | 'failing'
  /** Why it is not verified. */
  problem: (typeof PROBLEMS)[number] | null
  seen: Seen
  checked_at: string | null
  next_check_at: string | null
  verified_at: string | null
  unreachable_since: string | null
}

/** The tenant whose challenge the DNS of a domain shows. */
export interface MailDomainClaimTable {
  domain: string
  tenant_id: string
  challenge_hash: string
  claimed_at: string
}

declare module '#kernel' {
  interface Tables {
    mail_domains: MailDomainTable
    mail_domain_claims: MailDomainClaimTable
  }
}

export type DomainRow = Selectable<MailDomainTable>
