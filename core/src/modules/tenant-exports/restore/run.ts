import { type Ctx, constraintOf, outsideTenants, stamp } from '#kernel'
import type { FileLine } from '../content/manifest.ts'
import { tenantRestored, tenantRestoredByOperator } from '../events.ts'
import type { Part } from '../reading/lines.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import { ImportRefused } from '../reading/refused.ts'
import { readFileLines } from '../reading/verify.ts'
import type { RestoreCounts, RestoreRow } from '../table.ts'
import { apply, applyEach, fetchFiles, isRefusal } from './apply.ts'
import type { RestoredTenant } from './choose.ts'
import { compare } from './compare.ts'
import { rangeOf, removeExtra } from './extra.ts'
import { fileLinesOf, partsIn } from './parts.ts'
import { deleteRestore, findRestore, insertRestore, lockRestore, updateRestoreStep } from './restore-queries.ts'
import { type Counts, inTenant, noCounts, type Restore, ruleOf } from './steps.ts'

const COMPLETION = ' completion'
const removalOf = (name: string) => `-${name}`

interface Begun {
  tenant: RestoredTenant
  /** SHA-256 of the manifest. */
  sum: string
}

/** What differs from an export, without changing anything. */
export async function countDifferences(ctx: Ctx, { archive, manifest, tables, options }: Restore): Promise<Counts> {
  const tenantId = manifest.tenant.id
  const counts: Counts = {}
  for (const table of tables) {
    const count = noCounts()
    counts[table.name] = count
    for await (const { part, before, isLast } of partsIn({ archive }, table, 0)) {
      options.stopping.throwIfAborted()
      const found = await ctx.transaction((ctx) => compare(ctx, table, part.lines), inTenant(tenantId))
      count.missing += found.missing.length
      count.changed += found.changed.length
      count.unrestorable += found.unrestorable
      const range = rangeOf(table, part.lines, { before, isLast })
      if (table.here.key.length > 0)
        count.extra += await removeExtra(ctx, table, { tenantId, lines: part.lines, range, isDry: true })
      options.progress.passed(part.bytes)
    }
  }
  return counts
}

/** Does all steps that are not done: what is to go goes first, from the tables that refer to others on; then rows come back. */
export async function writeRestore(ctx: Ctx, all: Restore, begun: Begun): Promise<{ counts: Counts; isRest: boolean }> {
  const { tables, options } = all
  const removed = options.replaces
    ? tables.filter((table) => !ruleOf(ctx, table).keepsExtra && table.here.key.length > 0)
    : []
  const removals = removed.map((table) => ({ step: removalOf(table.name), table, isRemoval: true })).reverse()
  const steps = [...removals, ...tables.map((table) => ({ step: table.name, table, isRemoval: false }))]
  const { row: start, isRest } = await begin(ctx, all, { ...begun, first: steps[0]?.step ?? COMPLETION })
  const from = steps.findIndex(({ step }) => step === start.step)
  let at = start
  for (const [place, { table, isRemoval }] of from === -1 ? [] : [...steps.entries()].slice(from)) {
    at = await doStep(ctx, all, { at, table, isRemoval })
    at = await goOn(ctx, at, { step: steps[place + 1]?.step ?? COMPLETION, lines_done: 0, counts: at.counts })
  }
  await finish(ctx, all, begun)
  return { counts: at.counts, isRest }
}

/** Begins, or goes on as it began. Throws `ImportRefused` where a restore of another export, or of something else, has not ended. */
async function begin(ctx: Ctx, { tables, options }: Restore, { tenant, sum, first }: Begun & { first: string }) {
  const names = tables.map(({ name }) => name).sort()
  const work = async (ctx: Ctx) => {
    const rest = await findRestore(ctx.tx, tenant.id)
    if (rest) {
      const isSame =
        rest.manifest_sha256 === sum && rest.replaces === options.replaces && rest.tables.join() === names.join()
      if (!isSame)
        throw new ImportRefused(
          `a restore of ${tenant.slug} was interrupted: go on with it as it began (${asBegun(rest)})`,
        )
      return { row: rest, isRest: true }
    }
    const wanted = { manifest_sha256: sum, tables: names, replaces: options.replaces }
    const counts = Object.fromEntries(names.map((name) => [name, noCounts()]))
    const row: RestoreRow = { ...stamp(ctx), ...wanted, step: first, lines_done: 0, counts }
    await insertRestore(ctx.tx, row)
    return { row, isRest: false }
  }
  return ctx.transaction(work, inTenant(tenant.id)).catch((error: unknown) => {
    throw constraintOf(error) === 'tenant_restores_tenant_key' ? elsewhere() : error
  })
}

const asBegun = ({ tables, replaces, manifest_sha256: sum }: RestoreRow) =>
  `--tables ${tables.join()}${replaces ? ' --replace' : ''}, of the export whose manifest has the SHA-256 ${sum}`

const elsewhere = () => new ImportRefused('another process restores this tenant')

/** Each part is done once, whoever else is at it. */
async function goOn(
  ctx: Ctx,
  at: RestoreRow,
  to: { step: string; lines_done: number; counts: Counts },
): Promise<RestoreRow> {
  const change = { ...to, updated_at: ctx.clock.now() }
  const isMine = await ctx.transaction(({ tx }) => updateRestoreStep(tx, at, change), inTenant(at.tenant_id))
  if (!isMine) throw elsewhere()
  return { ...at, ...change }
}

interface Step {
  at: RestoreRow
  table: TableToRead
  isRemoval: boolean
}

async function doStep(
  ctx: Ctx,
  { archive, options }: Restore,
  { at: start, table, isRemoval }: Step,
): Promise<RestoreRow> {
  const tenantId = start.tenant_id
  let at = start
  const files = table.name === 'files' && !isRemoval ? readFileLines(archive, at.lines_done) : null
  for await (const { part, before, isLast } of partsIn({ archive }, table, at.lines_done)) {
    options.stopping.throwIfAborted()
    const lines = await fileLinesOf(files, part.lines.length)
    const done = isRemoval
      ? {
          ...noCounts(),
          extra: await removeExtra(ctx, table, {
            tenantId,
            lines: part.lines,
            range: rangeOf(table, part.lines, { before, isLast }),
            isDry: false,
          }),
        }
      : await bringBack(ctx, table, { tenantId, part, archive, lines })
    const counts = { ...at.counts, [table.name]: sumOf(at.counts[table.name] ?? noCounts(), done) }
    at = await goOn(ctx, at, { step: at.step, lines_done: part.from + part.lines.length, counts })
    options.progress.passed(part.bytes)
  }
  return at
}

interface PartToRestore {
  tenantId: string
  part: Part
  archive: Restore['archive']
  lines: ReadonlyMap<string, FileLine>
}

async function bringBack(
  ctx: Ctx,
  table: TableToRead,
  { tenantId, part, archive, lines }: PartToRestore,
): Promise<RestoreCounts> {
  let compared = await ctx.transaction((ctx) => compare(ctx, table, part.lines), inTenant(tenantId))
  if (table.name === 'files') compared = await fetchFiles(ctx, { archive, lines, tenantId }, compared)
  const { unrestorable } = compared
  if (compared.missing.length + compared.changed.length === 0) return { ...noCounts(), unrestorable }
  try {
    return await ctx.transaction((ctx) => apply(ctx, table, compared), inTenant(tenantId))
  } catch (error) {
    if (!isRefusal(error)) throw error
    return applyEach(ctx, table, tenantId, compared)
  }
}

const sumOf = (one: RestoreCounts, other: RestoreCounts): RestoreCounts => ({
  missing: one.missing + other.missing,
  changed: one.changed + other.changed,
  extra: one.extra + other.extra,
  unrestorable: one.unrestorable + other.unrestorable,
})

/** Directories and counts follow, and both logs say what was done. */
async function finish(ctx: Ctx, { manifest }: Restore, { tenant }: Begun): Promise<void> {
  await ctx.transaction(async (ctx) => {
    const rest = await lockRestore(ctx.tx, tenant.id)
    if (!rest) throw elsewhere()
    for (const rule of ctx.registry.exported.values())
      if (typeof rule === 'object' && 'restored' in rule) await rule.restored?.completed?.(ctx)
    await deleteRestore(ctx.tx, tenant.id)
    const tables = rest.tables.map((name) => ({ name, ...(rest.counts[name] ?? noCounts()) }))
    const after = { ...tenant, exported_at: manifest.exported_at, replaces: rest.replaces, tables }
    await ctx.emit(tenantRestored, { after })
    await outsideTenants(ctx).emit(tenantRestoredByOperator, { after })
    await ctx.forget({ tenantId: tenant.id })
  }, inTenant(tenant.id))
}
