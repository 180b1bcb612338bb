import type { Ctx } from '../kernel/context.ts'
import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import {
  abandonImport,
  type Imported,
  type ImportOptions,
  ImportRefused,
  importTenant,
  printable,
  type ReadingProgress,
} from '../modules/tenant-exports/index.ts'
import { type Command, say, type Values } from './command.ts'
import { UsageError } from './failures.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'
import { type Progress, showProgress } from './progress.ts'

export const tenantImport: Command = {
  summary: 'read an exported tenant into this installation',
  help: (
    cli,
  ) => `Usage: ${cli} tenant import <file.zip> [--slug <slug>] [--owner <e-mail>] [--plan <code>] [--invite-all] [--dry-run]
       ${cli} tenant import --abandon <slug|id>

Reads what an owner has exported from another installation, also from one of an older version. Everything is checked before anything is
written, and nothing in the file is believed: whoever is in it is found by their address, or added without a password, and is invited. The
tenant keeps its id; until all is there it is suspended. May be interrupted at any moment: run it again in the same way to go on. Run it where
DATA_DIR is. Exit code 1 when the export is refused, with the reason.

  --slug        another slug than the one that the tenant had
  --owner       who owns it here: at once, where the address is confirmed. Default: who owned it, once they accept their invitation
  --plan        the plan that it gets. Default: what a new tenant gets
  --invite-all  mail everybody their invitation at the end. Default: the owner alone, who sends the others
  --dry-run     only check, and say what would come
  --abandon     take away what came of an import that is not complete`,
  options: {
    slug: { type: 'string' },
    owner: { type: 'string' },
    plan: { type: 'string' },
    'invite-all': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    abandon: { type: 'string' },
  },
  operands: 1,
  run(values, options, [path]) {
    const { abandon } = values
    const interrupt = new AbortController()
    if (typeof abandon === 'string') {
      if (path !== undefined) throw new UsageError('--abandon takes the tenant, and no file')
      return withCore(options, (core) => abandonOne(core, abandon))
    }
    if (path === undefined) throw new UsageError('the file is missing: tenant import <file.zip>')
    const wanted = { path, ...readWanted(values), stopping: interrupt.signal }
    return withCore(options, (core) => importOne(core, wanted), interrupt)
  },
}

type Wanted = Omit<ImportOptions, 'progress'>

function readWanted(values: Values): Omit<Wanted, 'path' | 'stopping'> {
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : null)
  return {
    ...{ slug: text('slug'), owner: text('owner'), plan: text('plan') },
    ...{ invitesAll: values['invite-all'] === true, isDry: values['dry-run'] === true },
  }
}

/** A context of the system, outside of tenants and transactions. */
export function contextOf(core: Core): Ctx {
  if (!core.registry.modules.some(({ name }) => name === 'tenant-exports'))
    throw new UsageError('this application reads no exports: the module tenant-exports is not among its modules')
  return createContext(core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
}

/** Shows how far the reading of an export is. */
export function showReading(): ReadingProgress & { end(): void } {
  let bar: Progress | undefined
  return {
    begins(what, bytes) {
      bar?.end()
      say(what === 'check' ? 'Checking …' : 'Writing …')
      bar = showProgress({ things: undefined, bytes })
    },
    passed: (bytes) => bar?.passed(bytes),
    note: (text) => (bar ? bar.note(printable(text)) : void say(printable(text))),
    end: () => bar?.end(),
  }
}

/** Runs what reads an export; says so where somebody interrupts it. */
export async function reading(
  stopping: AbortSignal,
  work: (progress: ReadingProgress & { end(): void }) => Promise<number>,
): Promise<number> {
  const progress = showReading()
  try {
    return await work(progress)
  } catch (error) {
    progress.end()
    if (!stopping.aborted || error instanceof ImportRefused) throw error
    say('Interrupted. Nothing is lost: run it again to go on.')
    return 1
  } finally {
    progress.end()
  }
}

const importOne = (core: Core, wanted: Wanted): Promise<number> => {
  const ctx = contextOf(core)
  return reading(wanted.stopping, async (progress) => {
    const imported = await importTenant(ctx, { ...wanted, progress })
    progress.end()
    return tell(imported, wanted)
  })
}

async function abandonOne(core: Core, name: string): Promise<number> {
  const { tenantId, files, people } = await abandonImport(contextOf(core), name)
  return say(
    `What came of the import of ${tenantId} is gone, with ${counted(files, 'file')} and ${counted(people, 'account')}.`,
  )
}

function tell(
  { tenantId, name, slug, people, owner, said, isRest, ...all }: Imported,
  { isDry, plan }: Wanted,
): number {
  const what = `${counted(all.rows, 'row')} of ${counted(all.tables, 'table')}, ${counted(all.files, 'file')}`
  const title = `${printable(name)} (${tenantId})`
  say(isDry ? `${title} can be imported as ${slug}: ${what}.` : `${title} is here as ${slug}: ${what}.`)
  say(`People: ${people.linked} have an account, ${people.added} get one without a password. All are invited.`)
  if (people.none > 0)
    say(`Left outside: ${people.none} whose account here has an address that is not confirmed. Invite them once it is.`)
  say(
    `Owner: ${printable(owner.email)}${owner.isActive ? '' : ', once they accept the invitation that is mailed to them'}.`,
  )
  const told = `It was ${said.status}${said.plan === null ? '' : `, with the plan ${said.plan}`} where it comes from`
  say(`${printable(told)}; here it is active, with ${plan === null ? 'the plan of a new tenant' : `the plan ${plan}`}.`)
  if (isRest) say('It went on where it had stopped.')
  if (isDry) say('Nothing was written.')
  return 0
}
