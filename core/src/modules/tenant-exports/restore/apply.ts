import { type Ctx, sqlState } from '#kernel'
import type { FileLine } from '../content/manifest.ts'
import { scanFiles, writeFile } from '../import/import-files.ts'
import type { Row } from '../reading/json.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { Archive } from '../reading/open-archive.ts'
import type { RestoreCounts } from '../table.ts'
import { type Compared, columnsToRestore } from './compare.ts'
import { insertMissing, updateChanged } from './restore-queries.ts'
import { inTenant, rowsHere } from './steps.ts'

/** Writes rows of a part, in the transaction of `ctx`; counts what came back. Throws what the database throws. */
export async function apply(
  ctx: Ctx,
  table: TableToRead,
  { missing, changed, unrestorable }: Compared,
): Promise<RestoreCounts> {
  const { tx, tenantId } = ctx
  const columns = Object.keys(missing[0] ?? {})
  const added = missing.length > 0 ? await insertMissing(tx, rowsHere(table, tenantId, { columns, rows: missing })) : 0
  const [first] = changed
  if (first)
    await updateChanged(tx, rowsHere(table, tenantId, { columns: columnsToRestore(ctx, table, first), rows: changed }))
  if (table.name === 'files') await scanFiles(ctx, missing)
  // What stayed out has something else in its place: a name that was taken since, say.
  return { missing: added, changed: changed.length, extra: 0, unrestorable: unrestorable + missing.length - added }
}

/** The same, row by row: one that the database refuses stays out alone. `ctx` has no transaction. */
export async function applyEach(
  ctx: Ctx,
  table: TableToRead,
  tenantId: string,
  compared: Compared,
): Promise<RestoreCounts> {
  const sum: RestoreCounts = { missing: 0, changed: 0, extra: 0, unrestorable: compared.unrestorable }
  const nothing = { missing: [], changed: [], unrestorable: 0 }
  const each: Compared[] = [
    ...compared.missing.map((row) => ({ ...nothing, missing: [row] })),
    ...compared.changed.map((row) => ({ ...nothing, changed: [row] })),
  ]
  for (const one of each)
    try {
      const done = await ctx.transaction((ctx) => apply(ctx, table, one), inTenant(tenantId))
      sum.missing += done.missing
      sum.changed += done.changed
      sum.unrestorable += done.unrestorable
    } catch (error) {
      if (!isRefusal(error)) throw error
      sum.unrestorable++
    }
  return sum
}

/** Whether the database refuses rows for what they say, or for what refers to them. */
export const isRefusal = (error: unknown): boolean => /^(?:22|23)/.test(sqlState(error) ?? '')

/** The bytes of missing files, which come back with them. One whose bytes the export does not have stays out. */
export async function fetchFiles(
  ctx: Ctx,
  { archive, lines, tenantId }: { archive: Archive; lines: ReadonlyMap<string, FileLine>; tenantId: string },
  compared: Compared,
): Promise<Compared> {
  const missing: Row[] = []
  for (const row of compared.missing) {
    const line = lines.get(String(row.id))
    if (line?.state !== 'whole') continue
    missing.push(await writeFile(ctx, { archive, tenantId, line, passed: () => {} }, row))
  }
  return { ...compared, missing, unrestorable: compared.unrestorable + compared.missing.length - missing.length }
}
