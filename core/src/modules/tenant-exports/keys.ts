import type { ExportRow } from './table.ts'

/** The folder of all that a tenant's exports have in a storage. */
export const folderOf = (tenantId: string): string => `exports/${tenantId}`

/** Where an attempt to write an export keeps its file. */
export const keyOf = ({ tenant_id, id }: Pick<ExportRow, 'tenant_id' | 'id'>, attempt: number): string =>
  `${folderOf(tenant_id)}/${id}-${attempt}.zip`
