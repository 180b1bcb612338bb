import type { Insertable, Tx } from '#kernel'
import type { CertificateRow, TenantRemovalCertificateTable } from './table.ts'

// For the system role.

export const insertCertificate = (tx: Tx, row: Insertable<TenantRemovalCertificateTable>): Promise<unknown> =>
  tx.insertInto('tenant_removal_certificates').values(row).execute()

/** Of its ends, the newest first: whoever imports an export of it brings it back under its id. */
export const listCertificatesOf = (tx: Tx, tenantId: string): Promise<CertificateRow[]> =>
  tx
    .selectFrom('tenant_removal_certificates')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('purged_at', 'desc')
    .execute()

/** Those of tenants that had this slug at their end, the newest first. */
export const listCertificatesOfSlug = (tx: Tx, slugHash: Buffer): Promise<CertificateRow[]> =>
  tx
    .selectFrom('tenant_removal_certificates')
    .selectAll()
    .where('slug_hash', '=', slugHash)
    .orderBy('purged_at', 'desc')
    .execute()
