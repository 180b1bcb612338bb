import type { Readable } from 'node:stream'
import { ImportRefused } from './problem.ts'

/** No row is longer: nothing that the core keeps in one comes near it. */
const MOST_CHARACTERS = 64 * 1024 * 1024

/** The lines of an entry, so many bytes of them at a time, and where they stand. */
export interface Part {
  /** Lines before them. */
  from: number
  lines: string[]
  bytes: number
}

/** The lines of an entry from one of them on. Throws `ImportRefused` for a line that is too long. */
export async function* partsOf(
  content: Readable,
  { from, bytes, most }: { from: number; bytes: number; most: number },
): AsyncGenerator<Part> {
  let part: Part = { from, lines: [], bytes: 0 }
  let at = 0
  for await (const line of linesOf(content)) {
    if (at++ < from) continue
    part.lines.push(line)
    part.bytes += Buffer.byteLength(line) + 1
    if (part.bytes < bytes && part.lines.length < most) continue
    yield part
    part = { from: at, lines: [], bytes: 0 }
  }
  if (part.lines.length > 0) yield part
}

async function* linesOf(content: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const piece of content) {
    const lines = (rest + decoder.decode(piece as Buffer, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MOST_CHARACTERS) throw new ImportRefused('a line of it is longer than any row')
    yield* lines
  }
  if (rest !== '') throw new ImportRefused('its last line has no end')
}
