import type { ImpersonationRecord } from './schema.ts'
import type { ImpersonationRow } from './table.ts'

/** What both logs keep of it. */
export const recordOf = (row: ImpersonationRow, tenantName: string): ImpersonationRecord => ({
  id: row.id,
  tenant_id: row.tenant_id,
  tenant_name: tenantName,
  user_id: row.user_id,
  user_name: row.user_name,
  operator_id: row.operator_id,
  operator_name: row.operator_name,
  reason: row.reason,
  read_only: row.read_only,
  expires_at: row.expires_at,
  end: null,
})
