import { isDeepStrictEqual } from 'node:util'
import { requireOwnHand } from '../access/own-hand.ts'
import type { Ctx } from '../context.ts'
import type { EventRecord } from '../events/define.ts'
import { isObject } from '../fields.ts'
import { type Setting, type SettingLevel, type StoredSettings, settingIn, storedOf } from './define.ts'

/** The value of one setting, of the context's own tenant, store or person unless another one is named. One query. */
export async function readSetting<T>(ctx: Ctx, setting: Setting<T>, id: string = ownIdOf(ctx, setting)): Promise<T> {
  const { settings, settingsKeepers } = ctx.registry
  const keep = settingsKeepers[setting.level]
  if (!keep || settings[setting.level].get(setting.name) !== setting)
    throw new Error(`The setting ${setting.name} belongs to no module of this core`)
  return settingIn(setting, await keep(ctx, id), ctx)
}

function ownIdOf(ctx: Ctx, { level, name }: Pick<Setting, 'level' | 'name'>): string {
  if (level === 'tenant') return ctx.tenantId
  if (level === 'user') return ctx.userId
  if (ctx.storeId === null) throw new Error(`Say of which store ${name} is asked for: this request names none`)
  return ctx.storeId
}

/** All settings of a level by their names, as they stand on the wire. For the module that keeps them. */
export function presentSettings(ctx: Ctx, level: SettingLevel, stored: StoredSettings): Record<string, unknown> {
  const all = ctx.registry.settings[level]
  return Object.fromEntries([...all].map(([name, setting]) => [name, settingIn(setting, stored, ctx)]))
}

/** A PUT of settings. */
export interface SettingsPut {
  stored: StoredSettings
  given: Readonly<Record<string, unknown>>
  /** The store whose settings they are. */
  storeId?: string
}

/**
 * The settings to store after a PUT; the row must be locked. Throws 403 `permission_denied` for a setting with a
 * permission that the caller lacks, and what the settings' own rules throw. For the module that stores them.
 */
export async function applySettings(
  ctx: Ctx,
  level: SettingLevel,
  { stored, given, storeId }: SettingsPut,
): Promise<StoredSettings> {
  let next = stored
  for (const [name, value] of Object.entries(given)) {
    const setting = ctx.registry.settings[level].get(name)
    if (!setting || setting.readOnly) throw new Error(`There is no setting ${name} that could be changed`)
    next = { ...next, ...(await changed(ctx, setting, { stored: next, value, storeId })) }
  }
  return next
}

async function changed(
  ctx: Ctx,
  setting: Setting,
  { stored, value, storeId }: { stored: StoredSettings; value: unknown; storeId: string | undefined },
): Promise<StoredSettings> {
  const before = settingIn(setting, stored, ctx)
  const kept = storedOf(stored, setting)
  const isMerged = setting.over !== undefined && isObject(value)
  const own = { [setting.name]: isMerged ? { ...(isObject(kept) ? kept : {}), ...value } : value }
  const isSame = isDeepStrictEqual(before, settingIn({ ...setting, read: undefined }, own, ctx))
  if (setting.ownOnly && !isSame) requireOwnHand(ctx)
  if (setting.permission && !isSame) ctx.require(setting.permission, storeId)
  if (setting.change) return setting.change(ctx, { before, given: value, stored })
  return isSame ? {} : own
}

/** How an event changed a setting; null when it did not. */
export function changeOf<T>({ before, after }: EventRecord, setting: Setting<T>): { before: T; after: T } | null {
  const [was, is] = [before, after].map((values) => (isObject(values) ? storedOf(values, setting) : undefined))
  if (was === undefined || is === undefined || isDeepStrictEqual(was, is)) return null
  return { before: was as T, after: is as T } // both were presented by the setting
}
