import { isDeepStrictEqual } from 'node:util'
import type { Ctx } from '#kernel'
import { storeSettingsUpdated } from './events.ts'
import { CLOSED, presentSettings } from './present.ts'
import { lockSettings, updateSettings } from './queries.ts'
import type { OpeningHours, StoreSettings, StoreSettingsPatch } from './schema.ts'
import type { StoreSettingsRow } from './table.ts'

/** Changes settings; absent fields stay, null clears, `opening_hours` is merged day by day, `extra` replaced. Throws 404. */
export async function changeSettings(ctx: Ctx, id: string, patch: StoreSettingsPatch): Promise<StoreSettings> {
  const row = await lockSettings(ctx.tx, ctx.tenantId, id)
  const changed = applied(row, patch)
  const before = presentSettings(row)
  if (isDeepStrictEqual(before, presentSettings(changed))) return before
  const after = presentSettings(await updateSettings(ctx.tx, { ...changed, updated_at: ctx.clock.now() }))
  await ctx.emit(storeSettingsUpdated, { before, after, label: row.name, storeId: id })
  return after
}

function applied(row: StoreSettingsRow, { timezone, opening_hours, ...rest }: StoreSettingsPatch): StoreSettingsRow {
  const hours = row.settings.opening_hours ?? null
  return {
    ...row,
    timezone: timezone === undefined ? row.timezone : timezone,
    settings: { ...row.settings, ...rest, opening_hours: mergedHours(hours, opening_hours) },
  }
}

function mergedHours(
  before: OpeningHours | null,
  patch: Partial<OpeningHours> | null | undefined,
): OpeningHours | null {
  if (patch === undefined) return before
  return patch && { ...CLOSED, ...before, ...patch }
}
