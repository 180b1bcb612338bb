import type { Core } from '../kernel/core.ts'
import { type Restored, type RestoreOptions, restoreTenant } from '../modules/tenant-exports/index.ts'
import { type Command, say } from './command.ts'
import { UsageError } from './failures.ts'
import { withCore } from './own-command.ts'
import { contextOf, reading } from './tenant-import.ts'

export const tenantRestore: Command = {
  summary: 'bring rows of a tenant back from an export of it',
  help: (
    cli,
  ) => `Usage: ${cli} tenant restore --tenant <slug|id> --from <file.zip> [--tables <a,b>] [--replace] [--dry-run]

Brings back what is missing of a tenant, and what says something else since, from an export that this very installation made of it. The tenant and
all others go on working. Rows keep their ids; people come back who still have their accounts. What is added and never changed (the audit log) is left
alone, and so are rows that came since, unless --replace is given. What cannot come back is counted. May be interrupted at any moment: run it
again in the same way to go on. Exit code 1 when the export is refused, with the reason.

  --tenant      a slug or an id
  --from        the export
  --tables      these alone, by their names in the export
  --replace     remove rows that the export does not have, of tables where that can be
  --dry-run     only count what would be done`,
  options: {
    tenant: { type: 'string' },
    from: { type: 'string' },
    tables: { type: 'string' },
    replace: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  operands: 0,
  run(values, options) {
    const { tenant, from, tables } = values
    if (typeof tenant !== 'string') throw new UsageError('--tenant is required: a slug or an id')
    if (typeof from !== 'string') throw new UsageError('--from is required: the file of an export')
    const interrupt = new AbortController()
    const wanted = {
      ...{ tenant, path: from, tables: typeof tables === 'string' ? namesIn(tables) : null },
      ...{ replaces: values.replace === true, isDry: values['dry-run'] === true, stopping: interrupt.signal },
    }
    return withCore(options, (core) => restoreOne(core, wanted), interrupt)
  },
}

function namesIn(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.some((name) => name === '')) throw new UsageError('--tables takes names with commas between them')
  return names
}

function restoreOne(core: Core, wanted: Omit<RestoreOptions, 'progress'>): Promise<number> {
  const ctx = contextOf(core)
  return reading(wanted.stopping, async (progress) => {
    const restored = await restoreTenant(ctx, { ...wanted, progress })
    progress.end()
    return tell(restored, wanted)
  })
}

const HEAD = ['table', 'missing', 'changed', 'extra', 'not restorable']

function tell(
  { tenant, exportedAt, counts, isRest }: Restored,
  { isDry, replaces }: Pick<RestoreOptions, 'isDry' | 'replaces'>,
): number {
  const lines = [
    HEAD,
    ...Object.entries(counts).map(([name, all]) => [name, all.missing, all.changed, all.extra, all.unrestorable]),
  ]
  const width = Math.max(...lines.map(([name]) => String(name).length))
  for (const [name, ...rest] of lines)
    say(`${String(name).padEnd(width)}${rest.map((each) => String(each).padStart(15)).join('')}`)
  const what = `${tenant.slug} (${tenant.id}) as of ${exportedAt}`
  if (isDry) return say(`Nothing was written. This is how it differs from ${what}.`)
  const extra = replaces ? '' : ' Rows that came since have stayed.'
  return say(`Brought back: ${what}.${extra}${isRest ? ' It went on where it had stopped.' : ''}`)
}
