import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import { isUuid } from '../kernel/ids.ts'
import { type Imported, importTenant } from '../modules/tenant-exports/index.ts'
import { type Command, say } from './command.ts'
import { UsageError } from './failures.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'
import { type Progress, showProgress } from './progress.ts'

export const tenantImport: Command = {
  summary: 'read an exported tenant into this installation',
  help: (cli) => `Usage: ${cli} tenant import <file.zip> [--slug <slug>] [--dry-run]

Reads what an owner has exported from another installation, also from one of an older version. Everything is checked before anything is
written: format, versions, checksums, sizes. The tenant keeps its id; until all is there it is suspended. People are found by their addresses,
and added where they are not here: without a password, which they set by a link in a mail. May be interrupted at any moment; run it again
with the same file to go on. Run it where DATA_DIR is. Exit code 1 when the export is refused, with the reason.

  --slug        another slug than the one that the tenant had
  --dry-run     only check`,
  options: { slug: { type: 'string' }, 'dry-run': { type: 'boolean' } },
  operands: 1,
  run(values, options, [path]) {
    if (path === undefined) throw new UsageError('the file is missing: tenant import <file.zip>')
    const slug = readSlug(values.slug)
    const interrupt = new AbortController()
    const wanted: Wanted = { path, slug, isDry: values['dry-run'] === true, stopping: interrupt.signal }
    return withCore(options, (core) => importOne(core, wanted), interrupt)
  },
}

interface Wanted {
  path: string
  slug: string | null
  isDry: boolean
  stopping: AbortSignal
}

function readSlug(slug: unknown): string | null {
  if (slug === undefined) return null
  if (typeof slug === 'string' && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(slug) && !isUuid(slug)) return slug
  throw new UsageError('--slug takes lower-case letters, digits and hyphens, and no UUID')
}

async function importOne(core: Core, wanted: Wanted): Promise<number> {
  if (!core.registry.modules.some(({ name }) => name === 'tenant-exports'))
    throw new UsageError('this application imports no tenants: the module tenant-exports is not among its modules')
  const ctx = createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  let bar: Progress | undefined
  const progress = {
    begins(what: 'check' | 'write', bytes: number) {
      bar?.end()
      say(what === 'check' ? 'Checking …' : 'Writing …')
      bar = showProgress({ things: 1, bytes })
    },
    passed: (bytes: number) => bar?.passed(bytes),
    note: (text: string) => (bar ? bar.note(text) : void say(text)),
  }
  try {
    const imported = await importTenant(ctx, { ...wanted, progress })
    bar?.end()
    return tell(imported, wanted)
  } catch (error) {
    bar?.end()
    if (!wanted.stopping.aborted) throw error
    say('Interrupted. Nothing is lost: run it again to go on.')
    return 1
  }
}

function tell({ tenantId, name, slug, isRest, ...all }: Imported, { isDry }: Wanted): number {
  const what = `${counted(all.rows, 'row')} of ${counted(all.tables, 'table')}, ${counted(all.files, 'file')}, ${all.people} people`
  if (isDry) return say(`${name} (${tenantId}) can be imported as ${slug}: ${what}. Nothing was written.`)
  return say(`${name} (${tenantId}) is here as ${slug}: ${what}${isRest ? '. It went on where it had stopped' : ''}.`)
}
