import type { TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { EventDefinition } from './events/define.ts'
import type { Module } from './module.ts'
import type { RegisteredRoute } from './registry.ts'
import { isOpen } from './registry-routes.ts'
import { problemsOfSchema } from './registry-schemas.ts'
import { SETTING_LEVELS, type Setting, type SettingLevel, type SettingsKeeper } from './settings/define.ts'
import { patchOf, withSettings } from './settings/schemas.ts'

export type SettingsByLevel = Readonly<Record<SettingLevel, ReadonlyMap<string, Setting>>>
export type KeepersByLevel = Readonly<Partial<Record<SettingLevel, SettingsKeeper>>>

/** The settings of each level by name. Adds to `problems` everything wrong with one, alone or together with others. */
export function collectSettings(
  modules: readonly Module[],
  permissions: ReadonlyMap<string, unknown>,
  problems: string[],
): { settings: SettingsByLevel; settingsKeepers: KeepersByLevel } {
  const settings = { tenant: new Map<string, Setting>(), store: new Map(), user: new Map() }
  const settingsKeepers = collectKeepers(modules, problems)
  const owners = new Map<string, string>()
  for (const { name: module, settings: declared } of modules)
    for (const setting of declared) {
      const { name, level } = setting
      const complain = (problem: string) => problems.push(`setting ${name} (${module}) ${problem}`)
      if (!SETTING_LEVELS.includes(level)) {
        complain(`is of the unknown level ${level}`)
        continue
      }
      const other = owners.get(`${level} ${name}`)
      if (other) problems.push(`two settings of a ${level} are named ${name}: in ${other} and ${module}`)
      owners.set(`${level} ${name}`, module)
      for (const problem of problemsOf(setting, permissions)) complain(problem)
      if (!settingsKeepers[level]) complain(`is of a ${level}, whose settings no module keeps`)
      settings[level].set(name, setting)
    }
  return { settings, settingsKeepers }
}

function collectKeepers(modules: readonly Module[], problems: string[]): KeepersByLevel {
  const keepers: Partial<Record<SettingLevel, SettingsKeeper>> = {}
  for (const level of SETTING_LEVELS) {
    const filled = modules.filter(({ settingsOf }) => settingsOf[level])
    if (filled.length > 1)
      problems.push(`the settings of a ${level} are kept twice: by ${filled.map(({ name }) => name).join(' and ')}`)
    const keeper = filled[0]?.settingsOf[level]
    if (keeper) keepers[level] = keeper
  }
  return keepers
}

function problemsOf(setting: Setting, permissions: ReadonlyMap<string, unknown>): string[] {
  const { name, level, schema, permission, over, default: fallback } = setting
  const problems = [...new Set(problemsOfSchema(schema))]
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) problems.push('has a name that is no snake_case word')
  else if (name in Object.prototype) problems.push('has a name that every object has')
  if (!Value.Check(schema, fallback)) problems.push('has a default that does not fit its schema')
  if (over && !Value.Check(schema, over)) problems.push('lies over values that do not fit its schema')
  if (isOpen({ type: 'object', properties: { it: schema }, additionalProperties: false } as TSchema))
    // a JSON Schema
    problems.push('accepts unknown fields (additionalProperties is missing)')
  if (isSecret(schema)) problems.push('is a secret, which whoever may see the settings would read')
  if (permission !== undefined && level === 'user')
    problems.push('asks for a permission, which nobody holds outside of a tenant')
  if (permission !== undefined && !permissions.has(permission))
    problems.push(`asks for the unknown permission ${permission}`)
  return problems
}

function isSecret(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return ('secret' in schema && schema.secret === true) || Object.values(schema).some(isSecret)
}

/** The routes with the settings of their level added to body and answer; without any settings a route is omitted. */
export function completeRoutes(
  routes: readonly RegisteredRoute[],
  settings: SettingsByLevel,
  problems: string[],
): RegisteredRoute[] {
  return routes.flatMap((route) => {
    if (route.settings === undefined) return [route]
    const all = [...settings[route.settings].values()]
    if (all.length === 0) return []
    const response = Object.fromEntries(
      Object.entries(route.response).map(([status, schema]) => [status, schema && complete(schema, all)]),
    )
    const body = route.body && patchOf(route.body, all)
    const errors = body ? [...new Set([...route.errors, ...all.flatMap((setting) => setting.errors)])] : route.errors
    for (const name of takenIn(Object.values(route.response), all))
      problems.push(`setting ${name} has the name of a field that route ${route.method} ${route.url} answers with`)
    return [{ ...route, response, body, errors }]
  })
}

/** The events with the settings of their level added to their data; without any settings an event is omitted. */
export function completeEvents(
  events: ReadonlyMap<string, EventDefinition>,
  settings: SettingsByLevel,
): Map<string, EventDefinition> {
  const completed = [...events].flatMap(([name, event]): [string, EventDefinition][] => {
    if (event.settings === undefined) return [[name, event]]
    const all = [...settings[event.settings].values()]
    return all.length === 0 ? [] : [[name, { ...event, data: withSettings(event.data, all) }]]
  })
  return new Map(completed)
}

const complete = (schema: TSchema, all: readonly Setting[]) => withSettings(schema as TObject, all) // settings are an object

function takenIn(answers: readonly (TSchema | null)[], all: readonly Setting[]): string[] {
  const fields = answers.flatMap((schema) => Object.keys((schema as TObject | null)?.properties ?? {})) // as above
  return all.flatMap(({ name }) => (fields.includes(name) ? [name] : []))
}
