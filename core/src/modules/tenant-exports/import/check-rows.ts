import type { Ctx } from '#kernel'
import type { Row } from '../reading/json.ts'
import { partsOf } from '../reading/lines.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import { nameOf, readRow } from '../reading/read-row.ts'
import { ImportRefused } from '../reading/refused.ts'
import { readFileLines } from '../reading/verify.ts'
import { withoutStrangers } from './identities.ts'
import { findLacking } from './import-queries.ts'
import { type Import, toolsOf } from './steps.ts'

const PART = { bytes: 1024 * 1024, most: 2_000 }

/**
 * Reads every row as it would be written: that it has the columns and values of its table, refers to nobody whom the export does not tell of and to
 * nothing of the installation (a plan, say) that is not here. Throws `ImportRefused`, naming the first that does not.
 */
export async function checkRows(
  ctx: Ctx,
  all: Pick<Import, 'archive' | 'tables' | 'people' | 'options'>,
): Promise<void> {
  for (const table of all.tables) {
    if (table.rule.never !== undefined) continue
    const files = table.name === 'files' ? readFileLines(all.archive) : null
    let last = ''
    for await (const { lines, bytes } of partsOf(await all.archive.read(table.told.entry), PART)) {
      all.options.stopping.throwIfAborted()
      const rows: Row[] = []
      for (const line of lines) {
        const row = readRow(table, line)
        if (files) await requireSame(files, row)
        if (row === null) continue
        const known = withoutStrangers(table, row, all.people)
        last = requireOrder(table, known, last)
        const problem = table.rule.problem?.(
          toolsOf(ctx, () => true),
          known,
        )
        if (problem) throw new ImportRefused(`${nameOf(table, row)} of the table ${table.name} cannot be: ${problem}`)
        rows.push(known)
      }
      await requireReferences(ctx, table, rows)
      all.options.progress.passed(bytes)
    }
    if (files && !(await files.next()).done)
      throw new ImportRefused('files.ndjson tells of a file that the table files does not have')
  }
}

/** Rows are written in the order of their ids, so that one that is there twice shows. */
function requireOrder({ name, here }: TableToRead, row: Row, last: string): string {
  const [key, ...rest] = here.key
  if (key?.type !== 'uuid' || rest.length > 0) return last
  const id = String(row[key.name])
  if (id <= last) throw new ImportRefused(`the table ${name} has ${id} twice, or not in its order`)
  return id
}

async function requireSame(files: AsyncGenerator<{ id: string }, undefined>, row: Row | null): Promise<void> {
  const { value } = await files.next()
  if (!value || value.id !== row?.id)
    throw new ImportRefused(`files.ndjson does not tell of the file ${String(row?.id)} of the table files`)
}

async function requireReferences(ctx: Ctx, { name, here }: TableToRead, rows: readonly Row[]): Promise<void> {
  for (const reference of here.globals) {
    const values = new Set(rows.flatMap((row) => row[reference.column] ?? []).map(String))
    if (values.size === 0) continue
    const lacking = await ctx.transaction(({ tx }) => findLacking(tx, reference, [...values]), {
      role: 'system',
      tenantId: null,
    })
    if (lacking !== undefined)
      throw new ImportRefused(`${name}.${reference.column} refers to ${reference.table} ${lacking}, which is not here`)
  }
}
