import { type ExportRule, KERNEL_EXPORTS } from './exports/define.ts'
import type { Module } from './module.ts'

/** What is exported of which table, by its name. Adds to `problems` everything wrong with what modules say. */
export function collectExports(modules: readonly Module[], problems: string[]): ReadonlyMap<string, ExportRule> {
  const rules = new Map<string, ExportRule>()
  const whose = new Map<string, string>()
  const told = [{ name: 'kernel', exported: KERNEL_EXPORTS }, ...modules]
  for (const { name: module, exported } of told)
    for (const [table, rule] of Object.entries(exported)) {
      const other = whose.get(table)
      if (other !== undefined) problems.push(`two modules say what is exported of ${table}: ${other} and ${module}`)
      const problem = problemOf(rule)
      if (problem) problems.push(`what is exported of ${table} (${module}) ${problem}`)
      whose.set(table, module)
      rules.set(table, rule)
    }
  return rules
}

// Types prevent the first; applications in plain JavaScript need it.
function problemOf(rule: ExportRule): string | null {
  if (rule === 'whole') return null
  if (typeof rule !== 'object' || rule === null) return 'is neither whole, without columns, nor never'
  if ('never' in rule) return rule.never ? null : 'is nothing, and it does not say why (never)'
  const { without, imported, restored } = rule
  if (without !== undefined && !(Array.isArray(without) && without.length > 0)) return 'is without no column: say whole'
  return without || imported || restored ? null : 'says nothing: say whole'
}
