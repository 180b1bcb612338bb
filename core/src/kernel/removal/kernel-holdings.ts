import { sql } from 'kysely'
import { QUEUE_SCHEMA } from '../db/migrate.ts'
import type { Tx } from '../db/tables.ts'
import type { Holding } from './define.ts'

/** What the kernel holds of a tenant. */
export const KERNEL_HOLDINGS: readonly Holding[] = [
  { table: 'system_jobs', columns: [], remove: deleteJobsNaming },
  { table: 'runs', columns: ['position'], remove: updateRunsForgetting },
  { table: 'resting_tenants', columns: ['tenant_id'], remove: deleteResting, isLast: true },
]

/** Jobs that belong to no tenant and are told which one they are about. */
async function deleteJobsNaming(tx: Tx, tenantId: string, most: number): Promise<number> {
  const named = sql<boolean>`(payload::text like ${`%${tenantId}%`} or origin::text like ${`%${tenantId}%`})`
  const some = tx.selectFrom('system_jobs').select('id').where(named).limit(most)
  const { numDeletedRows } = await tx.deleteFrom('system_jobs').where('id', 'in', some).executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

/** Where a sweep that was interrupted would go on: it begins anew. */
async function updateRunsForgetting(tx: Tx, tenantId: string): Promise<number> {
  const { rows } = await sql`update runs set position = null where position = ${tenantId} returning 1`.execute(tx)
  return rows.length
}

async function deleteResting(tx: Tx, tenantId: string): Promise<number> {
  const gone = await tx.deleteFrom('resting_tenants').where('tenant_id', '=', tenantId).executeTakeFirstOrThrow()
  return Number(gone.numDeletedRows)
}

/** Takes the wakes of a tenant out of the queue: hints that somebody should look for its jobs. */
export async function deleteWakes(tx: Tx, tenantId: string): Promise<number> {
  const table = sql.raw(`${QUEUE_SCHEMA}._private_jobs`)
  const { rows } =
    await sql`delete from ${table} where payload::jsonb ->> 'tenant_id' = ${tenantId} returning 1`.execute(tx)
  return rows.length
}
