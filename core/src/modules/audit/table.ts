import type { Selectable, TenantRow } from '#kernel'

/** The end of a tenant's chain of seals; one row for a tenant that has a sealed record. */
export interface AuditChainTable extends TenantRow {
  /** Blocks so far. */
  height: number
  /** Records sealed so far: the first has the position 1, the newest this one. */
  position: number
  /** The last block's. */
  hash: Buffer
  /** The greatest id sealed so far. */
  sealed_to: string
  /** Every committed record with an id below is sealed. */
  complete_to: string
  candidate_to: string | null
  candidate_xmax: string | null
  candidate_at: string | null
  /** Retention has removed, or is about to remove, records with ids below; the block of `removal_height` says so. */
  removed_to: string | null
  removal_height: number | null
}

export type BlockKind = 'records' | 'removal'

/** A sealed stretch of the record, or what retention takes out of it. */
export interface AuditBlockTable {
  tenant_id: string
  id: string
  height: number
  kind: BlockKind
  /** The position of its first record; of a removal: of the next one. */
  first_position: number
  record_count: number
  /** The least and the greatest id among the entries. */
  first_id: string | null
  last_id: string | null
  /** 48 bytes for each record in sealed order: 16 of its id, 32 of its hash. */
  entries: Buffer
  complete_to: string
  removed_to: string | null
  /** Of a removal: blocks of lesser heights hold nothing but what is removed, and may go too. */
  kept_from: number | null
  previous_hash: Buffer
  hash: Buffer
  key_id: string
  signature: Buffer
  created_at: string
}

/** What a name is found at: the id of an actor or a resource, the type of one without an id, an action itself. */
export type NameKind = 'actor' | 'actor_type' | 'resource' | 'resource_type' | 'action'

/** A name that sealed records hold. The id is a hash of kind, ref and label. */
export interface AuditNameTable {
  tenant_id: string
  id: string
  kind: NameKind
  ref: string
  label: string
  /** The least and the greatest id among the records that hold it. */
  first_id: string
  last_id: string
}

/** The check of a tenant's chain that runs, and what the last one found. */
export interface AuditVerificationTable extends TenantRow {
  /** Who checks, and until when it is taken for alive. */
  locked_by: string | null
  locked_until: string | null
  /** Sealed. */
  verdict: string | null
}

/** A word that a name is found by, with what follows it. */
export interface AuditTermTable {
  tenant_id: string
  term: string
  name_id: string
}

declare module '#kernel' {
  interface Tables {
    audit_chains: AuditChainTable
    audit_blocks: AuditBlockTable
    audit_names: AuditNameTable
    audit_terms: AuditTermTable
    audit_verifications: AuditVerificationTable
  }
}

export type ChainRow = Selectable<AuditChainTable>
export type BlockRow = Selectable<AuditBlockTable>
export type NameRow = Selectable<AuditNameTable>
