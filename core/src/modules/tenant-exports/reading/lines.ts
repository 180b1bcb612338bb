import { ImportRefused } from './refused.ts'

/** No row is longer: nothing that the core keeps in one comes near it. */
export const MOST_BYTES_OF_LINE = 16 * 1024 * 1024

/** The lines of an entry, so many bytes of them at a time, and where they stand. */
export interface Part {
  /** Lines before them. */
  from: number
  lines: string[]
  bytes: number
}

/** How much of an entry is in memory at a time. */
export interface PartSize {
  bytes: number
  most: number
}

/** The lines of an entry from one of them on. Throws `ImportRefused` for a line that is too long, or is no text. */
export async function* partsOf(
  content: AsyncIterable<Buffer>,
  { from = 0, bytes, most }: PartSize & { from?: number },
): AsyncGenerator<Part> {
  let part: Part = { from, lines: [], bytes: 0 }
  let at = 0
  for await (const line of linesOf(content)) {
    if (at++ < from) continue
    part.lines.push(decode(line))
    part.bytes += line.byteLength + 1
    if (part.bytes < bytes && part.lines.length < most) continue
    yield part
    part = { from: at, lines: [], bytes: 0 }
  }
  if (part.lines.length > 0) yield part
}

/** Each byte is looked at once, however many pieces a line comes in. */
async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  let begunBytes = 0
  for await (const read of content) {
    let start = 0
    for (let end = read.indexOf(LINE_END); end !== -1; end = read.indexOf(LINE_END, start)) {
      const rest = read.subarray(start, end)
      yield begun.length === 0 ? rest : Buffer.concat([...begun, rest])
      begun = []
      begunBytes = 0
      start = end + 1
    }
    if (start === read.byteLength) continue
    begun.push(read.subarray(start))
    begunBytes += read.byteLength - start
    if (begunBytes > MOST_BYTES_OF_LINE) throw new ImportRefused('a line of it is longer than any row')
  }
  if (begun.length > 0) throw new ImportRefused('its last line has no end')
}

const LINE_END = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(line: Buffer): string {
  try {
    return decoder.decode(line)
  } catch {
    throw new ImportRefused('a line of it is no text in UTF-8')
  }
}
