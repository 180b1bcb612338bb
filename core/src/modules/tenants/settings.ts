import { isDeepStrictEqual } from 'node:util'
import { applySettings, type Ctx, defineSetting, Locale, OneOf, presentSettings, TimeZone } from '#kernel'
import { tenantSettingsUpdated } from './events.ts'
import { Currency, Extra } from './formats.ts'
import { lockSettings, type SettingsRow, updateSettings } from './queries.ts'
import { Invoicing, type TenantSettings } from './schema.ts'

export const tenantTimeZone = defineSetting('timezone', { level: 'tenant', schema: TimeZone, default: 'UTC' })
export const tenantLocale = defineSetting('locale', { level: 'tenant', schema: Locale, default: 'en' })
export const tenantCurrency = defineSetting('currency', { level: 'tenant', schema: Currency, default: 'USD' })

export const tenantDateFormat = defineSetting('date_format', {
  level: 'tenant',
  schema: OneOf(['YYYY-MM-DD', 'YYYY/MM/DD', 'DD.MM.YYYY', 'DD/MM/YYYY', 'DD-MM-YYYY', 'MM/DD/YYYY'], {
    description: 'How dates are shown to people',
  }),
  default: 'YYYY-MM-DD',
})

const NO_INVOICING: Invoicing = {
  prefix: 'INV',
  rounding: 'line',
  tax_id: null,
  legal_name: null,
  address: null,
  footer: null,
}

/** How the tenant appears on invoices, for applications that bill in its name. */
export const tenantInvoicing = defineSetting('invoice', {
  level: 'tenant',
  schema: Invoicing,
  default: NO_INVOICING,
  over: NO_INVOICING,
})

export const tenantExtra = defineSetting('extra', { level: 'tenant', schema: Extra, default: {} })

/** All that this module declares. */
export const tenantSettings = [
  tenantTimeZone,
  tenantLocale,
  tenantCurrency,
  tenantDateFormat,
  tenantInvoicing,
  tenantExtra,
]

/** The settings of all modules, as they stand on the wire. */
export function presentTenantSettings(ctx: Ctx, { id, settings, created_at, updated_at }: SettingsRow): TenantSettings {
  return { id, tenant_id: id, ...presentSettings(ctx, 'tenant', settings), created_at, updated_at }
}

/** Changes settings; absent ones stay. Throws what the rules of the settings throw: 403, 400 and 409 among them. */
export async function changeSettings(ctx: Ctx, given: Record<string, unknown>): Promise<TenantSettings> {
  const row = await lockSettings(ctx.tx, ctx.tenantId)
  const before = presentTenantSettings(ctx, row)
  const settings = await applySettings(ctx, 'tenant', { stored: row.settings, given })
  if (isDeepStrictEqual(before, presentTenantSettings(ctx, { ...row, settings }))) return before
  const saved = await updateSettings(ctx.tx, { ...row, settings, updated_at: ctx.clock.now() })
  const after = presentTenantSettings(ctx, saved)
  await ctx.emit(tenantSettingsUpdated, { before, after })
  // Some settings decide whether a session is still valid.
  await ctx.forget({ tenantId: ctx.tenantId })
  return after
}
