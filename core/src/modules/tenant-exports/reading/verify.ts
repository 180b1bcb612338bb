import { createHash } from 'node:crypto'
import { type EntryOfLines, FILES, type FileLine, fileEntry, type Manifest } from '../content/manifest.ts'
import { isCanonicalId } from './ids.ts'
import { readObject } from './json.ts'
import { partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './refused.ts'

const PART = { bytes: 1024 * 1024, most: 5_000 }

/**
 * Reads every entry to its end and compares it with what the manifest and the list of files say of it. Throws `ImportRefused` for
 * the first that differs.
 */
export async function verify(
  archive: Archive,
  { tables, people, files }: Manifest,
  passed: (bytes: number) => void,
): Promise<void> {
  for (const entry of [...tables, people, files]) await verifyLines(archive, entry, passed)
  await verifyFiles(archive, files, passed)
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

async function verifyFiles(archive: Archive, told: Manifest['files'], passed: (bytes: number) => void): Promise<void> {
  const sum = { entries: 0, whole: 0, bytes: 0 }
  for await (const file of readFileLines(archive)) {
    if (file.state === 'whole') sum.whole++
    if (file.entry === null) continue
    sum.entries++
    const { sha256, bytes } = await measure(await archive.read(file.entry), passed)
    if (sha256 !== file.sha256 || bytes !== file.size)
      throw new ImportRefused(`${file.entry} is not what was exported (SHA-256)`)
    sum.bytes += bytes
  }
  const there = [...archive.names()].filter((name) => name.startsWith('files/')).length
  if (there !== sum.entries) throw new ImportRefused(`${FILES} does not tell of every file`)
  if (told.whole !== sum.whole || told.bytes_of_files !== sum.bytes)
    throw new ImportRefused(`${FILES} has other files than the manifest counts`)
}

async function measure(content: AsyncIterable<Buffer>, passed: (bytes: number) => void) {
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0
  for await (const read of content) {
    hash.update(read)
    bytes += read.byteLength
    passed(read.byteLength)
    for (let at = read.indexOf(LINE_END); at !== -1; at = read.indexOf(LINE_END, at + 1)) lines++
  }
  return { sha256: hash.digest('hex'), bytes, lines }
}

const LINE_END = 0x0a

/** The list of files, in the order of their ids, in which each stands once. Throws `ImportRefused`. */
export async function* readFileLines(archive: Archive, from = 0): AsyncGenerator<FileLine, undefined> {
  let last = ''
  for await (const { lines } of partsOf(await archive.read(FILES), { from, ...PART }))
    for (const line of lines) {
      const file = readFileLine(line)
      if (file.id <= last) throw new ImportRefused(`${FILES} tells of the file ${file.id} twice, or not in its order`)
      last = file.id
      yield file
    }
}

/** Its entry is the one that its id and its own name lead to, and no other. */
function readFileLine(line: string): FileLine {
  const { id, entry, state, size, sha256 } = readObject(line, FILES)
  const refuse = () => new ImportRefused(`a line of ${FILES} is not what an export has`)
  if (!isCanonicalId(id) || !Number.isSafeInteger(size) || Number(size) < 0) throw refuse()
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw refuse()
  const known = { id, size: Number(size), sha256 }
  if (state === 'absent' || state === 'withheld') {
    if (entry !== null) throw refuse()
    return { ...known, state, entry }
  }
  if (state !== 'whole' && state !== 'damaged') throw refuse()
  if (typeof entry !== 'string' || !entry.startsWith(fileEntry(id, '')) || entry.split('/').length !== 3) throw refuse()
  return { ...known, state, entry }
}
