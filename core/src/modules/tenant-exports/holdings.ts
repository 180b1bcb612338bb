import type { Holding } from '#kernel'
import { deleteImportPeople, deleteImportRow } from './import/import-queries.ts'

/** What is known of an import that has begun. One of a tenant that is there ends before it can be deleted. */
export const importHoldings: readonly Holding[] = [
  { table: 'tenant_import_people', columns: ['tenant_id'], remove: deleteImportPeople },
  { table: 'tenant_imports', columns: ['tenant_id'], remove: deleteImportRow },
]
