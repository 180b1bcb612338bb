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

/** What the value of a setting may hang on beside what is stored. */
export interface SettingMoment {
  readonly clock: Clock
  readonly config: Config
}

/** A change of one setting that its module has a say in. */
export interface SettingChange<T> {
  /** What is in force. */
  before: T
  /** What was asked for, as its schema has it; of an object with `over`, the fields that were given. */
  given: T
  stored: StoredSettings
}

export interface SettingSpec<S extends TSchema> {
  level: SettingLevel
  /** The value on the wire, in requests and answers. Whoever may see the settings sees it, so it cannot be a secret. */
  schema: S
  /** In force where nothing is set: a new default reaches everybody who has set nothing. */
  default: Static<S>
  /** Needed, beside the permission of the route, by whoever gives it another value. Not for settings of persons. */
  permission?: string
  /**
   * For an object that is given field by field: what a PUT leaves out stays, and these are the values of the fields that
   * nobody has set. Default: a PUT replaces the whole value.
   */
  over?: object
  /** Shown beside the others, and changed by nobody's PUT. */
  readOnly?: boolean
  /** What `change` may throw. */
  errors?: readonly ErrorKind[]
  /** Where the value hangs on more than its own name in what is stored. */
  read?(stored: StoredSettings, at: SettingMoment): Static<S>
  /**
   * Has a say in each PUT that names the setting, also when the value is the same: throws where it must not be, and
   * returns what is to be stored, by the names of settings. Default: the value as it was given.
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
    errors: [],
    read: undefined,
    change: undefined,
    ...spec,
  })
}

/** What is in force of one setting, given all that is stored beside it. */
export function settingIn<T>(setting: Setting<T>, stored: StoredSettings, at: SettingMoment): T {
  if (setting.read) return setting.read(stored, at)
  const value = storedOf(stored, setting)
  if (value === undefined) return setting.default
  return (setting.over && isObject(value) ? { ...setting.over, ...value } : value) as T // fitted its schema when it was set
}

/** What is stored of one setting; nothing that every object has anyway. */
export function storedOf(stored: StoredSettings, { name }: Pick<Setting, 'name'>): unknown {
  return Object.hasOwn(stored, name) ? stored[name] : undefined
}

/** *What has a tenant, store or person set?* Answered by the module that has the row, in one query. */
export type SettingsKeeper = (ctx: Ctx, id: string) => Promise<StoredSettings>
