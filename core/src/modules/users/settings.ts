import { isDeepStrictEqual } from 'node:util'
import { applySettings, type Ctx, notFound, presentSettings, type StoredSettings } from '#kernel'
import { userSettingsUpdated } from './events.ts'
import { findMemberSettings, findUserSettings, lockUser, upsertUserSettings } from './queries.ts'
import type { UserSettings } from './schema.ts'

/** The settings of the signed-in person, of all modules. */
export async function readUserSettings(ctx: Ctx): Promise<UserSettings> {
  const row = await findUserSettings(ctx.tx, ctx.userId)
  return present(ctx, row?.settings ?? {}, row?.updated_at ?? null)
}

/** The signed-in person changes their own; absent ones stay. Throws what the rules of the settings throw. */
export async function changeUserSettings(ctx: Ctx, given: Record<string, unknown>): Promise<UserSettings> {
  const user = await lockUser(ctx.tx, ctx.userId)
  const row = await findUserSettings(ctx.tx, user.id)
  const stored = row?.settings ?? {}
  const before = present(ctx, stored, row?.updated_at ?? null)
  const settings = await applySettings(ctx, 'user', { stored, given })
  if (isDeepStrictEqual(before, present(ctx, settings, before.updated_at))) return before
  const now = ctx.clock.now()
  const saved = { user_id: user.id, settings, created_at: row?.created_at ?? now, updated_at: now }
  await upsertUserSettings(ctx.tx, saved)
  const after = present(ctx, settings, now)
  await ctx.emit(userSettingsUpdated, { id: user.id, label: user.name, storeId: null, before, after })
  return after
}

function present(ctx: Ctx, stored: StoredSettings, updated_at: string | null): UserSettings {
  return { user_id: ctx.userId, updated_at, ...presentSettings(ctx, 'user', stored) }
}

/**
 * The settings of a person. Within a tenant, of the caller or a member; it throws 404 for anybody else. Without a
 * tenant, only the system and super admins may read those of others.
 */
export async function readStoredSettings(ctx: Ctx, userId: string): Promise<StoredSettings> {
  const { tx, tenant, principal, actor } = ctx
  if (principal?.userId === userId || (tenant === null && (actor.type === 'system' || ctx.superAdmin)))
    return (await findUserSettings(tx, userId))?.settings ?? {}
  const found = tenant === null ? undefined : await findMemberSettings(tx, tenant, userId)
  if (!found) throw notFound({ detail: 'There is no such person here' })
  return found.settings ?? {}
}
