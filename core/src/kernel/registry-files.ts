import type { FileRule } from './attachments/define.ts'
import type { Module } from './module.ts'

const MEDIA_TYPE = /^[a-z]+\/(?:\*|[a-z\d][a-z\d.+-]{0,100})$/

/** The rules for files, by entity type. */
export function collectFileRules(
  modules: readonly Module[],
  permissions: ReadonlyMap<string, unknown>,
  problems: string[],
): ReadonlyMap<string, FileRule & { module: string }> {
  const rules = new Map<string, FileRule & { module: string }>()
  for (const module of modules)
    for (const rule of module.files) {
      const { entityType } = rule
      const other = rules.get(entityType)
      if (other) problems.push(`two modules declare files of ${entityType}: ${other.module} and ${module.name}`)
      problems.push(...problemsOf(rule, permissions).map((each) => `files of ${entityType} (${module.name}) ${each}`))
      rules.set(entityType, { ...rule, module: module.name })
    }
  return rules
}

function problemsOf(
  { entityType, view, change, find, ...rule }: FileRule,
  permissions: ReadonlyMap<string, unknown>,
): string[] {
  const problems: string[] = []
  if (!/^[a-z][a-z0-9_.]{0,62}$/.test(entityType)) problems.push('have a name that is no snake_case word')
  for (const permission of [view, change])
    if (!permissions.has(permission)) problems.push(`ask for the unknown permission ${permission}`)
  // Types prevent it; applications in plain JavaScript need this check.
  if (typeof find !== 'function') problems.push('do not say how the thing is found (find)')
  for (const [name, value] of [
    ['maxBytes', rule.maxBytes],
    ['maxFiles', rule.maxFiles],
  ] as const) // pairs, as they are
    if (value !== null && !(Number.isSafeInteger(value) && value > 0))
      problems.push(`have a ${name} that is no whole number from 1`)
  if (rule.types?.length === 0) problems.push('accept no media type')
  for (const type of rule.types ?? [])
    if (!MEDIA_TYPE.test(type)) problems.push(`accept ${type}, which is no media type`)
  return problems
}
