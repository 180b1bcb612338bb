import { isDeepStrictEqual } from 'node:util'
import { type Ctx, conflict, consume, page } from '#kernel'
import { hasEnded } from './access/ends.ts'
import { holdsFrozen, type Limits, rightsOf } from './access/rights.ts'
import { isWithin, lockMaker, requireHeld, requireWish } from './access/wishes.ts'
import { apiKeyCreated, apiKeyRevoked, apiKeyUpdated } from './events.ts'
import { countedUntil, recountSuccessor } from './life/places.ts'
import { addKey, remindedAlready } from './new-keys.ts'
import { presentKey } from './present.ts'
import { listKeys, lockKey, updateKey } from './queries.ts'
import type { ApiKey, ApiKeyFilter, ApiKeyPatch, ApiKeyWithSecret, NewApiKey } from './schema.ts'
import type { ApiKeyRow } from './table.ts'

/** The tenant's keys, newest first, those included that have ended. */
export async function pageKeys(ctx: Ctx, filter: ApiKeyFilter) {
  const { data, next_cursor } = await page(ctx, listKeys(ctx.tx, ctx.tenantId, filter, ctx.clock.now()))
  return { data: data.map(presentKey), next_cursor }
}

/**
 * Makes a key; its secret is in this answer and nowhere else. Throws 400 for scopes, stores, networks or an end that can't
 * be, 403 for a scope that the caller does not hold in each of the key's places.
 */
export async function createKey(ctx: Ctx, input: NewApiKey): Promise<ApiKeyWithSecret> {
  const wish = await requireWish(ctx, input)
  requireHeld(await lockMaker(ctx, 'api_key.create'), wish)
  const { name, rate_limit_per_minute = null } = input
  const { row, key } = await addKey(ctx, { ...wish, name, rate_limit_per_minute })
  const shown = presentKey(row)
  await ctx.emit(apiKeyCreated, { after: shown })
  return { ...shown, key }
}

/**
 * Changes a key; absent fields stay, null clears. Nobody widens one beyond their own rights in the stores concerned. Throws
 * 404, 400 and 403 as `createKey`, 409 for a key that was revoked or replaced, 402 where an expired one would count again.
 */
export async function changeKey(ctx: Ctx, id: string, patch: ApiKeyPatch): Promise<ApiKey> {
  const holds = await lockMaker(ctx, 'api_key.update')
  const before = await lockKey(ctx.tx, ctx.tenantId, id)
  if (before.revoked_at !== null) throw conflict({ detail: 'The key was revoked' })
  if (before.overlap_ends_at !== null) throw conflict({ detail: 'The key was replaced: change the one in its place' })
  const wish = await requireWish(ctx, patch, { before })
  requireHeld(holds, wish, before)
  const { name = before.name, rate_limit_per_minute = before.rate_limit_per_minute } = patch
  const change = { ...before, ...wish, name, rate_limit_per_minute }
  if (isDeepStrictEqual(change, before)) return presentKey(before)
  const after = await updateKey(ctx.tx, before, { ...(await stored(ctx, before, change)), updated_at: ctx.clock.now() })
  if (hasEnded(ctx, before) && !hasEnded(ctx, after)) await consume(ctx, 'api_keys')
  const shown = presentKey(after)
  await ctx.emit(apiKeyUpdated, { before: presentKey(before), after: shown })
  await ctx.forget({ apiKeyId: id })
  return shown
}

/** Revokes a key: it is refused from its next request on, in every process. Once is enough. Throws 404. */
export async function revokeKey(ctx: Ctx, id: string): Promise<undefined> {
  const before = await lockKey(ctx.tx, ctx.tenantId, id)
  if (before.revoked_at === null) await endKey(ctx, before, (after) => ctx.emit(apiKeyRevoked, after))
}

/** Ends a locked key for good, and says so by `say`. It stays to be read, and counts towards the plan for no time of its own. */
export async function endKey(
  ctx: Ctx,
  before: ApiKeyRow,
  say: (content: { before: ApiKey; after: ApiKey }) => Promise<void>,
): Promise<ApiKey> {
  const now = ctx.clock.now()
  const counted_until = await countedUntil(ctx, { ...before, revoked_at: now })
  const after = presentKey(await updateKey(ctx.tx, before, { revoked_at: now, counted_until, updated_at: now }))
  await recountSuccessor(ctx, before)
  await say({ before: presentKey(before), after })
  await ctx.forget({ apiKeyId: before.id })
  return after
}

/** The columns of a change, with those that follow from it. */
async function stored(ctx: Ctx, before: ApiKeyRow, after: ApiKeyRow) {
  const { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at } = after
  const isMoved = expires_at !== before.expires_at
  return {
    ...{ name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute, expires_at },
    ...(isMoved && { counted_until: await countedUntil(ctx, after), reminded_days: remindedAlready(ctx, after) }),
    ...(before.frozen_rights && { frozen_rights: thawed(ctx, before, after) }),
  }
}

/** What a key holds whose maker has left: what it held, as far as that is still asked for, and what a person has added. */
function thawed(ctx: Ctx, before: ApiKeyRow, after: Limits) {
  const held = holdsFrozen(before.frozen_rights ?? [])
  return rightsOf(ctx, after, (code, place) => {
    const isAdded = !before.scopes.includes(code) || !isWithin(before, place)
    return isAdded || held(code, place)
  })
}
