import { Value } from 'typebox/value'
import type { Declared } from '../core.ts'
import { isObject } from '../fields.ts'
import type { SettingLevel, StoredSettings } from './define.ts'
import { patchOf, SettingsPatch } from './schemas.ts'

/**
 * Of settings that were stored elsewhere those that a PUT could write here: what nobody here knows, or no PUT writes, is left out. A sentence
 * without its full stop where a value is none that a PUT takes.
 */
export function importableSettings(
  { registry }: Pick<Declared, 'registry'>,
  level: SettingLevel,
  stored: unknown,
): { settings: StoredSettings } | { problem: string } {
  if (!isObject(stored)) return { problem: 'the settings are no object' }
  const settings: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(stored)) {
    const setting = registry.settings[level].get(name)
    if (!setting || setting.readOnly) continue
    if (!Value.Check(patchOf(SettingsPatch(''), [setting]), { [name]: value }))
      return { problem: `the setting ${name} has a value that it does not take` }
    settings[name] = value
  }
  return { settings }
}
