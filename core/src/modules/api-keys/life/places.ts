import { type Ctx, greatest } from '#kernel'
import { endOf, hasEnded } from '../access/ends.ts'
import { findKey, lockSuccessor, updateKey } from '../queries.ts'
import type { ApiKeyRow } from '../table.ts'

type Placed = Pick<ApiKeyRow, 'tenant_id' | 'created_at' | 'expires_at' | 'revoked_at' | 'replaces_id'>

/** The key that a key has replaced, while it goes on beside it. */
export async function findLivingPredecessor(
  ctx: Ctx,
  { tenant_id, replaces_id }: Pick<ApiKeyRow, 'tenant_id' | 'replaces_id'>,
): Promise<ApiKeyRow | undefined> {
  const key = replaces_id === null ? undefined : await findKey(ctx.tx, tenant_id, replaces_id)
  return key && !hasEnded(ctx, key) ? key : undefined
}

/**
 * Until when a key that was not replaced counts towards the plan; null: for good. It has one place together with the key
 * that it replaced, and keeps that as long as either goes on.
 */
export async function countedUntil(ctx: Ctx, key: Placed): Promise<string | null> {
  const own = key.revoked_at === null ? key.expires_at : key.created_at
  const before = own === null ? undefined : await findLivingPredecessor(ctx, key)
  return before ? greatest(own, endOf(before)) : own
}

/** Counts the successor of a key that has just been revoked anew: it may have had its place for that key alone. */
export async function recountSuccessor(ctx: Ctx, { tenant_id, id }: ApiKeyRow): Promise<void> {
  const key = await lockSuccessor(ctx.tx, tenant_id, id)
  if (key && key.overlap_ends_at === null) await updateKey(ctx.tx, key, { counted_until: await countedUntil(ctx, key) })
}
