import { type Ctx, conflict, fromNow, HOURS } from '#kernel'
import { hasEnded } from '../access/ends.ts'
import { lockMaker, requireHeld } from '../access/wishes.ts'
import { apiKeyCreated, apiKeyRotated } from '../events.ts'
import { addKey } from '../new-keys.ts'
import { presentKey } from '../present.ts'
import { lockKey, updateKey } from '../queries.ts'
import { type ApiKeyWithSecret, DEFAULT_OVERLAP_HOURS } from '../schema.ts'
import { findLivingPredecessor } from './places.ts'

/**
 * Makes a new key with the settings of another, which goes on for some hours beside it. The new one takes the other's place
 * in the plan, so that a rotation always fits, and only two of them go on at a time: else a plan's place would be worth any
 * number of keys. Whoever rotates gets to see the new secret: they are its maker, and hold all of its scopes. Throws 404,
 * 403, 409 for a key that has ended, was replaced already, or whose own predecessor goes on.
 */
export async function rotateKey(
  ctx: Ctx,
  id: string,
  { overlap_hours = DEFAULT_OVERLAP_HOURS }: { overlap_hours?: number },
): Promise<ApiKeyWithSecret> {
  const holds = await lockMaker(ctx, 'api_key.update')
  const before = await lockKey(ctx.tx, ctx.tenantId, id)
  if (before.overlap_ends_at !== null) throw conflict({ detail: 'The key was replaced already' })
  if (hasEnded(ctx, before)) throw conflict({ detail: 'The key was revoked or has expired: make a new one' })
  if (await findLivingPredecessor(ctx, before))
    throw conflict({ detail: 'The key that this one replaced goes on still: wait for its end, or revoke it' })
  requireHeld(holds, before)
  const { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at } = before
  const content = { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at }
  const { row, key } = await addKey(ctx, content, id)
  const after = await updateKey(ctx.tx, before, {
    overlap_ends_at: fromNow(ctx.clock, overlap_hours * HOURS),
    counted_until: before.created_at,
    updated_at: ctx.clock.now(),
  })
  const shown = presentKey(row)
  await ctx.emit(apiKeyRotated, { before: presentKey(before), after: presentKey(after) })
  await ctx.emit(apiKeyCreated, { after: shown })
  await ctx.forget({ apiKeyId: id })
  return { ...shown, key }
}
