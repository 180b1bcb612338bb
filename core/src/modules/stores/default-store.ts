import { type Ctx, conflict } from '#kernel'
import { lockTenant } from '../tenants/index.ts'
import { storeUpdated } from './events.ts'
import { updateFormerDefault } from './queries.ts'
import type { StoreRow } from './table.ts'

/**
 * Serialises changes of a tenant's default store; without it two could deadlock at the unique index. Call it before
 * locking any store's row, so that all transactions lock in the same order.
 */
export async function lockDefault(ctx: Ctx): Promise<void> {
  await lockTenant(ctx.tx, ctx.tenantId)
}

/**
 * Takes the default flag from the current default store, if any, so that a store with this status can get it. The
 * default concerns the whole tenant: a caller with rights in one store cannot take it from another. Throws 403, or 409
 * for an inactive store.
 */
export async function moveDefault(ctx: Ctx, status: StoreRow['status'] = 'active'): Promise<void> {
  requireActive(status)
  const former = await updateFormerDefault(ctx.tx, ctx.tenantId, ctx.clock.now())
  if (!former) return
  ctx.require('store.update')
  await ctx.emit(storeUpdated, { before: { ...former, is_default: true }, after: former, storeId: former.id })
}

/** Throws 409 `conflict` when a change would close the default store or clear its flag: there is always exactly one. */
export function requireStillDefault({ is_default, status }: StoreRow): void {
  if (!is_default) throw conflict({ detail: 'Make another store the default one instead' })
  requireActive(status)
}

function requireActive(status: StoreRow['status']): void {
  if (status === 'inactive') throw conflict({ detail: 'The default store is always active' })
}
