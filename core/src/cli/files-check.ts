import type { Core } from '../kernel/core.ts'
import { createContext, noOrigin, systemActor } from '../kernel/create-context.ts'
import { hasFound, LookFailed, listTenantsToSweep, type SweepReport, sweepTenant } from '../modules/files/index.ts'
import { type Command, say } from './command.ts'
import { explain, UsageError } from './failures.ts'
import { readTenant } from './files-move.ts'
import { counted } from './migrate.ts'
import { withCore } from './own-command.ts'
import { size } from './progress.ts'

const PAGE = 500

export const filesCheck: Command = {
  summary: 'compare the file storages with the rows of files',
  help: (cli) => `Usage: ${cli} files check [--tenant <id>] [--mend]

Compares every storage that the settings describe with the rows of files, tenant by tenant, and says what does not fit
together. Changes nothing; every night a worker does the same and mends what it finds. Exit code 0 when all is well or
mended, 1 otherwise. Run it where DATA_DIR is.

  --tenant      only this tenant
  --mend        mend what was found, also so much of it that a worker would rather touch nothing, and what a worker leaves
                for a week: objects that belong to nothing are removed, files that are elsewhere are found again, those that are nowhere are noted`,
  options: { tenant: { type: 'string' }, mend: { type: 'boolean' } },
  run(values, options) {
    const tenantId = readTenant(values)
    const interrupt = new AbortController()
    const mends = values.mend === true
    return withCore(options, (core) => checkAll(core, { tenantId, mends, stopping: interrupt.signal }), interrupt)
  },
}

interface Wanted {
  tenantId: string | null
  mends: boolean
  stopping: AbortSignal
}

async function checkAll(core: Core, { tenantId, mends, stopping }: Wanted): Promise<number> {
  if (!core.registry.modules.some(({ name }) => name === 'files'))
    throw new UsageError('this application has no files: the module files is not among its modules')
  let [tenants, wrong] = [0, 0]
  for await (const tenant of tenantId === null ? allTenants(core) : [tenantId]) {
    if (stopping.aborted) break
    tenants++
    if (!(await checkOne(core, tenant, { mends, stopping }))) wrong++
  }
  if (stopping.aborted) return say('Interrupted.') + 1
  if (wrong === 0) say(`All is well (${counted(tenants, 'tenant')}).`)
  else say(`Something is wrong with ${wrong} of ${counted(tenants, 'tenant')}.`)
  return wrong === 0 ? 0 : 1
}

/** Says what was found of a tenant; false when there is anything. */
async function checkOne(core: Core, tenant: string, { mends, stopping }: Omit<Wanted, 'tenantId'>): Promise<boolean> {
  const ctx = createContext(core, { tenant, storeId: null, actor: systemActor, origin: noOrigin })
  try {
    const report = await sweepTenant(ctx, { mends, trusts: true, stopping })
    if (!hasFound(report)) return true
    say(`Tenant ${tenant}:`)
    for (const line of describe(report)) say(`  ${line}`)
    return mends && staysWrong(report) === 0
  } catch (error) {
    if (stopping.aborted) return true
    const isUntouched = !mends || error instanceof LookFailed
    const why = explain(error instanceof LookFailed ? error.cause : error)
    say(
      `Tenant ${tenant}:\n  ${why} ${isUntouched ? 'Nothing was touched.' : 'Some of it may be mended: run it again.'}`,
    )
  }
  return false
}

/** What nobody can mend. */
const staysWrong = ({ missing, elsewhere, unknown, unreachable, failed }: SweepReport): number =>
  missing - elsewhere + unknown + unreachable + failed

async function* allTenants(core: Core): AsyncGenerator<string> {
  for (let after: string | null = null; ; ) {
    const page = { after, limit: PAGE }
    const rows: { tenant_id: string }[] = await core.run(({ tx }) => listTenantsToSweep(tx, page), {
      role: 'system',
      tenantId: null,
      readOnly: true,
    })
    for (const { tenant_id } of rows) yield tenant_id
    after = rows.at(-1)?.tenant_id ?? null
    if (rows.length < PAGE) return
  }
}

function describe(found: SweepReport): string[] {
  const lost = found.missing - found.elsewhere
  const lines: [number, string][] = [
    [found.orphans, `${counted(found.orphans, 'object')} without a file`],
    [found.pieces, `${counted(found.pieces, 'piece')} of uploads that are gone`],
    [found.orphanBytes, `these have ${size(found.orphanBytes)}`],
    [found.copies, `${found.copies} second ${found.copies === 1 ? 'copy' : 'copies'} of files that are elsewhere now`],
    [
      lost,
      `${counted(lost, 'file')} that ${lost === 1 ? 'is' : 'are'} missing, or of another size${namesOf(found.lost)}`,
    ],
    [found.elsewhere, `${counted(found.elsewhere, 'file')} in another storage than the row says`],
    [
      found.found,
      `${counted(found.found, 'file')} that ${found.found === 1 ? 'was' : 'were'} missing and ${found.found === 1 ? 'is' : 'are'} there again`,
    ],
    [found.unknown, `${counted(found.unknown, 'object')} under names that nothing here makes; they stay`],
    [found.unreachable, `${counted(found.unreachable, 'file')} in a storage that the settings do not describe`],
    [found.failed, `${counted(found.failed, 'thing')} that could not be mended; the log says why`],
    [found.drift, `the quota is counted ${found.drift > 0 ? 'too high' : 'too low'} by ${size(Math.abs(found.drift))}`],
  ]
  const doubts = found.doubtful.map(
    (what) =>
      `So many ${what} that this may be the wrong storage, or the wrong database: a worker does not touch them.`,
  )
  return [...lines.flatMap(([count, line]) => (count === 0 ? [] : [line])), ...doubts]
}

/** Nobody reads more of them at once. */
const namesOf = (ids: readonly string[]): string =>
  ids.length === 0 ? '' : `: ${ids.slice(0, MOST_NAMED).join(', ')}${ids.length > MOST_NAMED ? ' …' : ''}`
const MOST_NAMED = 10
