import type { FileLine } from '../content/manifest.ts'
import { partsOf } from '../reading/lines.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import { PART, type Restore } from './steps.ts'

/** The parts of a table from a line on; of one without rows an empty part, since rows that it does not have may be here. */
export async function* partsIn({ archive }: Pick<Restore, 'archive'>, table: TableToRead, from: number) {
  // Of the line before it is known where the first part begins.
  let before: string | null = null
  if (from > 0)
    for await (const { lines } of partsOf(await archive.read(table.told.entry), {
      from: from - 1,
      bytes: 1,
      most: 1,
    })) {
      before = lines[0] ?? null
      break
    }
  if (from >= table.told.rows && from > 0) return
  if (table.told.rows === 0) yield { part: { from: 0, lines: [], bytes: 0 }, before, isLast: true }
  for await (const part of partsOf(await archive.read(table.told.entry), { from, ...PART })) {
    yield { part, before, isLast: part.from + part.lines.length >= table.told.rows }
    before = part.lines.at(-1) ?? before
  }
}

/** The next lines of the list of files, by their ids. */
export async function fileLinesOf(
  files: AsyncGenerator<FileLine, undefined> | null,
  count: number,
): Promise<ReadonlyMap<string, FileLine>> {
  const lines = new Map<string, FileLine>()
  for (let read = 0; files && read < count; read++) {
    const { value } = await files.next()
    if (value) lines.set(value.id, value)
  }
  return lines
}
