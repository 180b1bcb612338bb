import { isDeepStrictEqual } from 'node:util'
import { applySettings, type Ctx, defineSetting, Nullable, presentSettings, TimeZone, Type } from '#kernel'
import { Currency, Extra } from '../tenants/index.ts'
import { storeSettingsUpdated } from './events.ts'
import { lockSettings, updateSettings } from './queries.ts'
import { OpeningHours, type StoreSettings } from './schema.ts'
import type { StoreSettingsRow } from './table.ts'

/** Null: the tenant's. */
export const storeTimeZone = defineSetting('timezone', { level: 'store', schema: Nullable(TimeZone), default: null })
/** Null: the tenant's. */
export const storeCurrency = defineSetting('currency', { level: 'store', schema: Nullable(Currency), default: null })

const CLOSED: OpeningHours = {
  monday: [],
  tuesday: [],
  wednesday: [],
  thursday: [],
  friday: [],
  saturday: [],
  sunday: [],
}

/** Null: not known. */
export const openingHours = defineSetting('opening_hours', {
  level: 'store',
  schema: Nullable(OpeningHours),
  default: null,
  over: CLOSED,
})

const receiptText = (where: string) =>
  Nullable(
    Type.String({
      maxLength: 2000,
      description: `Text ${where} every receipt, with line breaks`,
      examples: ['Thank you for your visit'],
    }),
  )

export const receiptHeader = defineSetting('receipt_header', {
  level: 'store',
  schema: receiptText('above'),
  default: null,
})
export const receiptFooter = defineSetting('receipt_footer', {
  level: 'store',
  schema: receiptText('below'),
  default: null,
})
export const storeExtra = defineSetting('extra', { level: 'store', schema: Extra, default: {} })

/** All that this module declares. */
export const storeSettings = [storeTimeZone, storeCurrency, receiptHeader, receiptFooter, storeExtra, openingHours]

/** The settings of a store. Its time zone is a column and appears both in the store and in its settings. */
export function storedSettings({ settings, timezone }: StoreSettingsRow) {
  return { ...settings, timezone }
}

/** The settings of all modules, as they stand on the wire. */
export function presentStoreSettings(ctx: Ctx, row: StoreSettingsRow): StoreSettings {
  const { tenant_id, id, created_at, updated_at } = row
  return { tenant_id, id, ...presentSettings(ctx, 'store', storedSettings(row)), created_at, updated_at }
}

/** Changes settings; absent ones stay. Throws 404, and what the rules of the settings throw. */
export async function changeSettings(ctx: Ctx, id: string, given: Record<string, unknown>): Promise<StoreSettings> {
  const row = await lockSettings(ctx.tx, ctx.tenantId, id)
  const before = presentStoreSettings(ctx, row)
  const next = await applySettings(ctx, 'store', { stored: storedSettings(row), given, storeId: id })
  const { timezone, ...settings } = next as { timezone: string | null } // what came in, or was checked by its schema
  const changed = { ...row, timezone, settings }
  if (isDeepStrictEqual(before, presentStoreSettings(ctx, changed))) return before
  const saved = await updateSettings(ctx.tx, { ...changed, updated_at: ctx.clock.now() })
  const after = presentStoreSettings(ctx, saved)
  await ctx.emit(storeSettingsUpdated, { before, after, label: row.name, storeId: id })
  return after
}
