import type { Static, TSchema } from 'typebox'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import type { Ctx } from '../context.ts'
import type { ErrorKind } from '../errors.ts'
import { isObject } from '../fields.ts'

/** Whose a setting is: a tenant's, a store's, or a person's across tenants. */
export type SettingLevel = 'tenant' | 'store' | 'user'

export const SETTING_LEVELS: readonly SettingLevel[] = ['tenant', 'store', 'user']

/** What somebody has set, by the settings' names; what is not there has its default. */
export type StoredSettings = Readonly<Record<string, unknown>>

/** What a setting's value may depend on besides what is stored. */
export interface SettingMoment {
  readonly clock: Clock
  readonly config: Config
}

/** A change of a setting, as its module's `change` gets it. */
export interface SettingChange<T> {
  /** The current value. */
  before: T
  /** The requested value; for an object with `over`, the given fields. */
  given: T
  stored: StoredSettings
}

export interface SettingSpec<S extends TSchema> {
  level: SettingLevel
  /** The value on the wire, in requests and answers. Whoever may see the settings sees it, so it cannot be a secret. */
  schema: S
  /** The value where nothing is set; a new default applies to everybody without a value. */
  default: Static<S>
  /** A permission needed in addition to that of the route to change the value. Not for settings of persons. */
  permission?: string
  /**
   * For an object that is changed field by field: a PUT keeps fields that it omits, and these are the values of fields
   * that nobody has set. Default: a PUT replaces the whole value.
   */
  over?: object
  /** Shown with the others; no PUT can change it. */
  readOnly?: boolean
  /** Nobody changes it as somebody else: it is about who gets in, or about what is known of those who were in. */
  ownOnly?: boolean
  /** What `change` may throw. */
  errors?: readonly ErrorKind[]
  /** Computes a value that depends on more than its own stored name. */
  read?(stored: StoredSettings, at: SettingMoment): Static<S>
  /**
   * Called for each PUT that names the setting, also with the same value: it may throw, and returns what to store, by
   * names of settings. Default: the given value.
   */
  change?(ctx: Ctx, change: SettingChange<Static<S>>): StoredSettings | Promise<StoredSettings>
}

/** A setting that a module declares, read with `ctx.setting`. */
export interface Setting<T = unknown> {
  /** As it stands on the wire: `audit_retention_days`. */
  readonly name: string
  readonly level: SettingLevel
  readonly schema: TSchema
  readonly default: T
  readonly permission: string | undefined
  readonly over: object | undefined
  readonly readOnly: boolean
  readonly ownOnly: boolean
  readonly errors: readonly ErrorKind[]
  readonly read: ((stored: StoredSettings, at: SettingMoment) => T) | undefined
  readonly change: ((ctx: Ctx, change: SettingChange<T>) => StoredSettings | Promise<StoredSettings>) | undefined
}

/**
 * Declares a setting; list it in the module's `settings`. It then stands among the settings of its level on the wire,
 * validated, recorded and told to whoever follows their change.
 */
export function defineSetting<S extends TSchema>(name: string, spec: SettingSpec<S>): Setting<Static<S>> {
  return Object.freeze({
    name,
    permission: undefined,
    over: undefined,
    readOnly: false,
    ownOnly: false,
    errors: [],
    read: undefined,
    change: undefined,
    ...spec,
  })
}

/** The current value of a setting, given the stored settings. */
export function settingIn<T>(setting: Setting<T>, stored: StoredSettings, at: SettingMoment): T {
  if (setting.read) return setting.read(stored, at)
  const value = storedOf(stored, setting)
  if (value === undefined) return setting.default
  return (setting.over && isObject(value) ? { ...setting.over, ...value } : value) as T // fitted its schema when it was set
}

/** The stored value of a setting, ignoring inherited properties. */
export function storedOf(stored: StoredSettings, { name }: Pick<Setting, 'name'>): unknown {
  return Object.hasOwn(stored, name) ? stored[name] : undefined
}

/** *What has a tenant, store or person set?* Answered by the module that has the row, in one query. */
export type SettingsKeeper = (ctx: Ctx, id: string) => Promise<StoredSettings>
