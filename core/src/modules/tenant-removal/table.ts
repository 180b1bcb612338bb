import type { Actor, Backend, Generated, Selectable } from '#kernel'

/** How much was removed of what is in one storage. */
export interface StorageTally {
  objects: number
  bytes: number
}

/** How far the removal of a tenant has come. What is absent is not done yet, or was nothing. */
export interface Progress {
  /** Rows by table: of the tenant's own tables, and of others that named it. */
  rows?: Record<string, number>
  /** What storages had, counted before it went. */
  storages?: Partial<Record<Backend, StorageTally>>
  /** Accounts that went with it. */
  accounts?: number
  /** Its people are written down. */
  has_people?: true
  /** What its storages have is counted, and may be gone. */
  is_measured?: true
}

/** A tenant that is to be removed for good. */
export interface TenantRemovalTable {
  tenant_id: string
  /** By the clock of the database. */
  marked_at: Generated<string>
  requested_at: string
  requested_by_type: Actor['type']
  requested_by_id: string | null
  requested_by_label: string
  reason: string | null
  purge_at: string
  reminded_days: number | null
  mail_ids: Generated<string[]>
  begun_at: string | null
  claimed_by: string | null
  claimed_until: string | null
  progress: Generated<Progress>
  problem: string | null
  retry_at: string | null
}

/** Somebody who was in a tenant that is being removed. */
export interface TenantRemovalPersonTable {
  tenant_id: string
  user_id: string
}

/** What was removed of a tenant, signed. */
export interface TenantRemovalCertificateTable {
  tenant_id: string
  purged_at: string
  slug_hash: Buffer
  content: string
  hash: Buffer
  key_id: string
  public_key: string
  signature: Buffer
}

declare module '#kernel' {
  interface Tables {
    tenant_removals: TenantRemovalTable
    tenant_removal_people: TenantRemovalPersonTable
    tenant_removal_certificates: TenantRemovalCertificateTable
  }
}

export type RemovalRow = Selectable<TenantRemovalTable>
export type CertificateRow = Selectable<TenantRemovalCertificateTable>
