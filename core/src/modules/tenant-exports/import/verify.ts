import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { isUuid } from '#kernel'
import { type EntryOfLines, FILES, type FileLine, fileEntry, type Manifest } from '../content/manifest.ts'
import { partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'

const PART = { from: 0, bytes: 1024 * 1024, most: 5_000 }

/** What an import needs to know of the files: which are not there whole. */
export type NotWhole = ReadonlySet<string>

/**
 * Reads every entry to its end and compares it with its checksum, before anything is written. Throws `ImportRefused` for the first
 * that differs.
 */
export async function verify(
  archive: Archive,
  { tables, people, files }: Manifest,
  passed: (bytes: number) => void,
): Promise<NotWhole> {
  for (const entry of [...tables, people, files]) await verifyLines(archive, entry, passed)
  const notWhole = new Set<string>()
  let entries = 0
  for await (const { lines } of partsOf(await archive.read(FILES), PART))
    for (const line of lines) {
      const file = readFileLine(line)
      if (file.state !== 'whole') notWhole.add(file.id)
      if (file.entry === null) continue
      entries++
      const { sha256, bytes } = await measure(await archive.read(file.entry), passed)
      if (sha256 !== file.sha256 || bytes !== file.size)
        throw new ImportRefused(`${file.entry} is not what was exported (SHA-256)`)
    }
  const there = [...archive.names()].filter((name) => name.startsWith('files/')).length
  if (there !== entries) throw new ImportRefused(`${FILES} does not tell of every file, or of one twice`)
  return notWhole
}

async function verifyLines(
  archive: Archive,
  { entry, rows, sha256 }: EntryOfLines,
  passed: (bytes: number) => void,
): Promise<void> {
  const found = await measure(await archive.read(entry), passed)
  if (found.sha256 !== sha256) throw new ImportRefused(`${entry} is not what was exported (SHA-256)`)
  if (found.lines !== rows) throw new ImportRefused(`${entry} has ${found.lines} rows, and not ${rows}`)
}

async function measure(content: Readable, passed: (bytes: number) => void) {
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0
  for await (const piece of content) {
    const read = piece as Buffer // of a stream of bytes
    hash.update(read)
    bytes += read.byteLength
    passed(read.byteLength)
    for (let at = read.indexOf(LINE_END); at !== -1; at = read.indexOf(LINE_END, at + 1)) lines++
  }
  return { sha256: hash.digest('hex'), bytes, lines }
}

const LINE_END = 0x0a

/** A line of the list of files. Its entry is the one that its id and its own name lead to, and no other. */
export function readFileLine(line: string): FileLine {
  const { id, entry, state, size, sha256 } = JSON.parse(line) as FileLine // checked below
  const isEntry = entry === null || (entry.startsWith(fileEntry(id, '')) && entry.split('/').length === 3)
  const isThere = state === 'whole' || state === 'damaged'
  const isKnown = isThere || state === 'absent' || state === 'withheld'
  if (
    !isUuid(id) ||
    !isEntry ||
    !isKnown ||
    isThere !== (entry !== null) ||
    !Number.isSafeInteger(size) ||
    !/^[0-9a-f]{64}$/.test(sha256)
  )
    throw new ImportRefused(`a line of ${FILES} is not what an export has`)
  return { id, entry, state, size, sha256 }
}
