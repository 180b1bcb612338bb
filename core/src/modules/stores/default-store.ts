import { type Ctx, conflict } from '#kernel'
import { lockTenant } from '../tenants/index.ts'
import { storeUpdated } from './events.ts'
import { updateFormerDefault } from './queries.ts'
import type { StoreRow } from './table.ts'

/**
 * Puts those in line who move the default of one tenant; without it, two would wait for each other at the unique index.
 * To be called before any store's row is locked, so that everybody locks in the same order.
 */
export async function lockDefault(ctx: Ctx): Promise<void> {
  await lockTenant(ctx.tx, ctx.tenantId)
}

/**
 * Takes the default from the store that has it, if any, so that one with this status can get it. The default is the
 * tenant's affair: whoever answers for one store alone cannot take it from another. Throws 403, or 409 for an inactive
 * store.
 */
export async function moveDefault(ctx: Ctx, status: StoreRow['status'] = 'active'): Promise<void> {
  requireActive(status)
  const former = await updateFormerDefault(ctx.tx, ctx.tenantId, ctx.clock.now())
  if (!former) return
  ctx.require('store.update')
  await ctx.emit(storeUpdated, { before: { ...former, is_default: true }, after: former, storeId: former.id })
}

/** The default store cannot be closed, nor stop being it by itself: there is always one. Throws 409 `conflict`. */
export function requireStillDefault({ is_default, status }: StoreRow): void {
  if (!is_default) throw conflict({ detail: 'Make another store the default one instead' })
  requireActive(status)
}

function requireActive(status: StoreRow['status']): void {
  if (status === 'inactive') throw conflict({ detail: 'The default store is always active' })
}
