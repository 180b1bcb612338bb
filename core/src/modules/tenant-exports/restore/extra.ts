import type { Ctx } from '#kernel'
import type { TableToRead } from '../reading/match-tables.ts'
import { readRow } from '../reading/read-row.ts'
import { isRefusal } from './apply.ts'
import { deleteExtra, listExtra, type Range } from './restore-queries.ts'
import { inTenant, keyOf, rowsHere } from './steps.ts'

const AT_ONCE = 500

export interface ExtraIn {
  tenantId: string
  /** The rows of the export between these places. */
  lines: readonly string[]
  range: Range
  /** Only counts them. */
  isDry: boolean
}

/** Where a part of an export begins and ends, in the order of keys. */
export function rangeOf(
  table: TableToRead,
  lines: readonly string[],
  { before, isLast }: { before: string | null; isLast: boolean },
): Range {
  const place = (line: string | null | undefined) => {
    const row = line == null ? null : readRow(table, line, { isOurs: true })
    return row && keyOf(table, row)
  }
  return { after: place(before), upTo: isLast ? null : place(lines.at(-1)) }
}

/** Removes rows that the export does not have, so many in each transaction; says how many. What others refer to stays. */
export async function removeExtra(
  ctx: Ctx,
  table: TableToRead,
  { tenantId, lines, range, isDry }: ExtraIn,
): Promise<number> {
  const rows = lines.map((line) => readRow(table, line, { isOurs: true })).filter((row) => row !== null)
  const here = rowsHere(table, tenantId, { columns: [], rows })
  let count = 0
  for (let { after } = range; ; ) {
    const page = { after, upTo: range.upTo, limit: AT_ONCE }
    const keys = await ctx.transaction(({ tx }) => listExtra(tx, here, page), inTenant(tenantId))
    const remove = (keys: string[][]) => ctx.transaction(({ tx }) => deleteExtra(tx, here, keys), inTenant(tenantId))
    if (isDry) count += keys.length
    else if (keys.length > 0) count += await removeAll(keys, remove)
    after = keys.at(-1) ?? after
    if (keys.length < AT_ONCE) return count
  }
}

async function removeAll(keys: string[][], remove: (keys: string[][]) => Promise<unknown>): Promise<number> {
  try {
    await remove(keys)
    return keys.length
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (keys.length === 1) return 0
    let count = 0
    for (const key of keys) count += await removeAll([key], remove)
    return count
  }
}
