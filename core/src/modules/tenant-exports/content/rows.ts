import type { RowPage, RowText } from './content-queries.ts'

/** Of rows a part is in memory: about so many bytes, unless a single row is larger. */
const PART_BYTES = 1024 * 1024
const FIRST = 50
const MOST = 1000

/** Rows as lines of JSON, a part of them at a time, as large as the rows before let expect. `read` gives them in order. */
export async function* readLines(
  read: (page: RowPage) => Promise<RowText[]>,
  counted: (rows: number) => void = () => {},
): AsyncGenerator<Buffer> {
  let after: string[] | null = null
  for (let limit = FIRST; ; ) {
    const rows: RowText[] = await read({ after, limit })
    // A line break between the parts of a value of the type json means nothing; within a text it is written as \n.
    const part = Buffer.from(rows.map(({ row }) => `${row.replaceAll(/[\r\n]/g, ' ')}\n`).join(''))
    if (rows.length > 0) yield part
    counted(rows.length)
    after = rows.at(-1)?.place ?? null
    // A table with one row for a tenant has nothing else in its key.
    if (after === null || after.length === 0 || rows.length < limit) return
    limit = Math.max(1, Math.min(MOST, Math.floor((limit * PART_BYTES) / Math.max(1, part.byteLength))))
  }
}
