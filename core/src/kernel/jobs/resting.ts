import { sql } from 'kysely'
import type { Ctx } from '../context.ts'
import type { Core } from '../core.ts'
import { coreOf } from '../core-of.ts'
import type { Tx } from '../db/tables.ts'

/**
 * Puts the tenant of the context to rest, in a transaction of the system role: from its commit on no job of it begins in any process, and
 * no sweep works on it; what has begun ends. Jobs that say so (`whileResting`) go on.
 */
export async function putToRest(ctx: Ctx): Promise<void> {
  const row = { tenant_id: ctx.tenantId, since: ctx.clock.now() }
  await ctx.tx
    .insertInto('resting_tenants')
    .values(row)
    .onConflict((same) => same.column('tenant_id').doNothing())
    .execute()
}

/** Has everything go on that has waited, as soon as the transaction is committed. */
export async function wakeFromRest(ctx: Ctx): Promise<void> {
  const { tenantId } = ctx
  await ctx.tx.deleteFrom('resting_tenants').where('tenant_id', '=', tenantId).execute()
  ctx.afterCommit(() => {
    for (const outbound of [false, true]) coreOf(ctx).wake(tenantId, ctx.clock.now(), outbound)
  })
}

/** Which of these tenants are at rest. */
export async function listResting(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('resting_tenants')
    .select('tenant_id')
    .where(sql<boolean>`tenant_id = any(${ids}::uuid[])`)
    .execute()
  return new Set(rows.map(({ tenant_id }) => tenant_id))
}

/** The tasks of a tenant that may begin now; null: all. */
export async function tasksNow(core: Core, tenantId: string | null): Promise<readonly string[] | null> {
  if (tenantId === null) return null
  const [resting] = await core.db.systemQuery('select 1 from resting_tenants where tenant_id = $1', [tenantId])
  return resting ? tasksWhileResting(core) : null
}

/** The tasks that go on while their tenant is at rest. */
export const tasksWhileResting = ({ registry }: Pick<Core, 'registry'>): readonly string[] =>
  registry.modules.flatMap(({ jobs }) => jobs.filter(({ whileResting }) => whileResting).map(({ name }) => name))
