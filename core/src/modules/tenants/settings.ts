import { isDeepStrictEqual } from 'node:util'
import { type Ctx, conflict } from '#kernel'
import { findUser } from '../users/index.ts'
import { tenantSettingsUpdated } from './events.ts'
import { presentAllSettings } from './present.ts'
import { lockSettings, updateSettings } from './queries.ts'
import { changeRetention } from './retention.ts'
import type { TenantSettings, TenantSettingsPatch } from './schema.ts'

/**
 * Changes settings; absent fields stay, `invoice` is merged, `extra` replaced.
 * Throws 403 and 400 as `changeRetention` does, 409 `conflict` when someone without a second factor asks one of everybody.
 */
export async function changeSettings(ctx: Ctx, patch: TenantSettingsPatch): Promise<TenantSettings> {
  const row = await lockSettings(ctx.tx, ctx.tenantId)
  const before = presentAllSettings(ctx, row)
  const { audit_retention_days: days, ...rest } = patch
  const retention = days === undefined ? {} : changeRetention(ctx, before, days)
  const { audit_retention_days, audit_retention_pending } = { ...row.settings, ...retention }
  const settings = {
    ...row.settings,
    ...rest,
    invoice: { ...row.settings.invoice, ...patch.invoice },
    audit_retention_days,
    audit_retention_pending,
  }
  const after = presentAllSettings(ctx, { ...row, settings })
  if (isDeepStrictEqual(before, after)) return before
  if (after.require_two_factor && !before.require_two_factor) await requireOwnTwoFactor(ctx)
  const saved = presentAllSettings(ctx, await updateSettings(ctx.tx, { ...row, settings, updated_at: ctx.clock.now() }))
  await ctx.emit(tenantSettingsUpdated, { before, after: saved })
  // Among them are those that decide whether a session still counts.
  await ctx.forget({ tenantId: ctx.tenantId })
  return saved
}

// Nobody may lock themselves out by asking of all what they don't have; a key has no second factor at all.
async function requireOwnTwoFactor(ctx: Ctx): Promise<void> {
  const userId = ctx.principal?.userId
  const person = userId ? await findUser(ctx.tx, userId) : undefined
  if (!person?.two_factor_enabled) {
    throw conflict({ detail: 'Set up a second factor for yourself before you require it of everybody' })
  }
}
