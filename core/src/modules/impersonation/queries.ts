import type { Insertable, Tx } from '#kernel'
import type { ImpersonationRow, ImpersonationTable } from './table.ts'

export const insertImpersonation = (tx: Tx, row: Insertable<ImpersonationTable>): Promise<ImpersonationRow> =>
  tx.insertInto('impersonations').values(row).returningAll().executeTakeFirstOrThrow()

/** Undefined when its end is recorded already. */
export const deleteImpersonation = (tx: Tx, tenantId: string, id: string): Promise<ImpersonationRow | undefined> =>
  tx
    .deleteFrom('impersonations')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()

export const findImpersonation = (tx: Tx, tenantId: string, id: string): Promise<ImpersonationRow | undefined> =>
  tx.selectFrom('impersonations').selectAll().where('tenant_id', '=', tenantId).where('id', '=', id).executeTakeFirst()
