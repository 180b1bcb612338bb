// Writes docs/configuration.md and .env.example from the table of settings; with --check, only says whether they are current.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ConfigurationEntry } from '../core/src/kernel/config/declared.ts'
import { type Setting, type SettingGroup, settings } from '../core/src/kernel/config/env.ts'
import { builtinModules } from '../core/src/modules/index.ts'

const GROUPS: SettingGroup[] = [
  'Server',
  'Database',
  'Secrets',
  'Mail',
  'Pages',
  'Sign-in',
  'Limits',
  'Files',
  'Operation',
]

/** A setting as both files show it: of the kernel, or of a built-in module. */
type Shown = Pick<Setting, 'kind' | 'description' | 'default' | 'example'> & { readonly secret?: boolean }

/** What built-in modules declare themselves, under the names of the modules. */
const ofModules = builtinModules.flatMap(({ name, configuration }) =>
  configuration
    ? [{ title: `Module ${name}`, entries: Object.entries<ConfigurationEntry>(configuration.entries) }]
    : [],
)

/** Every setting that stands in both files, by its name. */
export const allSettings = (): [string, Shown][] => [
  ...Object.entries<Setting>(settings),
  ...ofModules.flatMap(({ entries }) => entries),
]

/** The files that the table is the source of, with what they ought to hold. */
export function renderConfiguration(): { path: string; content: string }[] {
  return [
    { path: pathTo('docs/configuration.md'), content: renderDocs() },
    { path: pathTo('.env.example'), content: renderExample() },
  ]
}

/** The paths of those files that differ from the table. */
export function findStale(): string[] {
  return renderConfiguration()
    .filter(({ path, content }) => readIfThere(path) !== content)
    .map(({ path }) => path)
}

function renderDocs(): string {
  const sections = allGroups().map(({ title, entries }) =>
    [`## ${title}`, '', ...entries.map(renderSetting)].join('\n'),
  )
  return `${[INTRODUCTION, ...sections].join('\n\n').trimEnd()}\n`
}

const INTRODUCTION = `# Configuration

Everything is set through the environment; a \`.env\` file in the working directory is read too, and what the environment
says wins over it. All settings are checked together at the start: every problem is named at once, and a feature that is
half set is refused. An empty value counts as unset. Unknown names are ignored, but one that is a slip of the pen away
from a setting that is not given is refused, and so is a setting of what is not built yet. \`tenantry doctor\` shows what is wrong and what to do about it.

Settings marked *secret* never appear in a log, an error or an answer.

This page and \`.env.example\` are written by \`node scripts/configuration.ts\` from \`core/src/kernel/config/env.ts\` and what
built-in modules declare as their \`configuration\`.`

function renderSetting([name, setting]: [string, Shown]): string {
  const marks = [
    setting.kind.accepts,
    ...(setting.default ? [`default \`${setting.default.replaceAll(',', ', ')}\``] : []),
    ...(setting.secret ? ['*secret*'] : []),
  ]
  return `- **\`${name}\`** (${marks.join('; ')})  \n  ${setting.description}`
}

function renderExample(): string {
  const head = '# Copy to .env and set what you need; docs/configuration.md explains every setting.\n'
  const groups = allGroups().map(({ title, entries }) => `# --- ${title} ---\n${entries.map(renderLine).join('\n')}\n`)
  return [head, ...groups].join('\n')
}

function renderLine([name, setting]: [string, Shown]): string {
  const value = setting.default || setting.example || ''
  return `# ${firstSentence(setting.description)}\n# ${name}=${/\s/.test(value) ? `"${value}"` : value}`
}

function firstSentence(description: string): string {
  return (/^.*?[.](?=\s|$)/.exec(description)?.[0] ?? description).replaceAll('`', '')
}

function inGroup(group: SettingGroup): [string, Setting][] {
  return Object.entries<Setting>(settings).filter(([, setting]) => setting.group === group)
}

const allGroups = () => [...GROUPS.map((group) => ({ title: group, entries: inGroup(group) })), ...ofModules]

function pathTo(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url))
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const stale = findStale()
  if (process.argv.includes('--check')) {
    for (const path of stale) process.stderr.write(`${path} is not current: run node scripts/configuration.ts\n`)
    process.exitCode = stale.length > 0 ? 1 : 0
  } else {
    for (const { path, content } of renderConfiguration()) writeFileSync(path, content)
    process.stdout.write(stale.length > 0 ? `Wrote ${stale.join(', ')}\n` : 'All current\n')
  }
}
