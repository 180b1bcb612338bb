import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Entry, ZipFile } from 'yauzl'
import { isUuid } from '#kernel'
import { FILES, MANIFEST, PEOPLE, SEAL } from '../content/manifest.ts'
import { ImportRefused } from './refused.ts'

/** No entry is taken apart that says it holds more than this much for each byte of it, once it is large. */
const MOST_TIMES = 250
const LARGE_BYTES = 64 * 1024 * 1024
/** The same for all of them together. */
const MOST_TIMES_IN_ALL = 100
const LARGE_BYTES_IN_ALL = 1024 * 1024 * 1024
/** Names and places are in memory while an export is read. */
const MOST_ENTRIES = 4_000_000
/** What stands before the content of an entry, besides its name. */
const HEADER_BYTES = 30

const TABLE = /^tables\/[a-z_][a-z0-9_]{0,62}\.ndjson$/
const FILE = /^files\/([^/]+)\/[^/]+$/

/** A ZIP file that may be an export, with entries of no other names than an export has. */
export interface Archive {
  /** Of the file itself. */
  readonly bytes: number
  /** The size of an entry as the directory says it; undefined when there is none. */
  sizeOf(entry: string): number | undefined
  names(): IterableIterator<string>
  /** What an entry holds: never more or less than the directory says. Whatever is wrong with it is an `ImportRefused`. */
  read(entry: string): Promise<AsyncIterable<Buffer>>
  close(): void
}

/** What is kept of an entry. */
type Place = Pick<Entry, 'relativeOffsetOfLocalHeader' | 'compressedSize' | 'uncompressedSize' | 'compressionMethod'>

/** Opens an export. Throws `ImportRefused` for what is no ZIP file, or has entries that no export has. */
export async function openArchive(path: string): Promise<Archive> {
  const { default: yauzl } = await import('yauzl')
  const { size } = await stat(path)
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true }
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    yauzl.open(path, options, (error, zip) => (error ? reject(error) : resolve(zip))),
  ).catch((error: Error) => {
    if ('code' in error) throw error
    throw new ImportRefused(`this is no ZIP file: ${error.message}`)
  })
  try {
    const entries = await readDirectory(zip)
    requireApart(entries, size)
    return {
      bytes: size,
      sizeOf: (name) => entries.get(name)?.uncompressedSize,
      names: () => entries.keys(),
      read: (name) => open(zip, entries.get(name), name),
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

function readDirectory(zip: ZipFile): Promise<Map<string, Place>> {
  const entries = new Map<string, Place>()
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => reject(new ImportRefused(`the ZIP file is damaged: ${error.message}`)))
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: Entry) => {
      const problem = problemOf(entry, entries)
      if (problem) return reject(new ImportRefused(`${entry.fileName.slice(0, 300)} ${problem}`))
      const { relativeOffsetOfLocalHeader, compressedSize, uncompressedSize, compressionMethod } = entry
      const place = { relativeOffsetOfLocalHeader, compressedSize, uncompressedSize, compressionMethod }
      entries.set(entry.fileName, place)
      zip.readEntry()
    })
    zip.readEntry()
  })
}

function problemOf({ fileName: name, ...entry }: Entry, known: ReadonlyMap<string, Place>): string | null {
  if (known.size >= MOST_ENTRIES) return 'is one entry more than is read'
  if (known.has(name)) return 'is there twice'
  if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted'
  const isFile = FILE.exec(name)
  if (isFile ? !isUuid(isFile[1] ?? '') : !TABLE.test(name) && ![MANIFEST, SEAL, PEOPLE, FILES].includes(name))
    return 'is no entry of an export'
  // Files lie there as they are.
  if (isFile && entry.compressionMethod !== STORED) return 'is compressed, which files of an export are not'
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) return 'is compressed in another way'
  const { uncompressedSize: bytes, compressedSize: packed } = entry
  if (bytes > LARGE_BYTES && bytes > MOST_TIMES * packed) return MUCH_LARGER
  return null
}

const [STORED, DEFLATED] = [0, 8]
const MUCH_LARGER = 'says that it is much larger than anything that was exported'

/** Every byte of the file belongs to one entry at most: else a small file could hold any amount. */
function requireApart(entries: ReadonlyMap<string, Place>, size: number): void {
  let [end, all] = [0, 0]
  const places = [...entries].sort(
    ([, one], [, other]) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  )
  for (const [name, { relativeOffsetOfLocalHeader: start, compressedSize, uncompressedSize }] of places) {
    if (start < end) throw new ImportRefused(`${name} lies over another entry`)
    end = start + HEADER_BYTES + Buffer.byteLength(name) + compressedSize
    all += uncompressedSize
  }
  if (end > size) throw new ImportRefused('an entry goes beyond the end of the file')
  if (all > LARGE_BYTES_IN_ALL && all > MOST_TIMES_IN_ALL * size) throw new ImportRefused(`this file ${MUCH_LARGER}`)
}

async function open(zip: ZipFile, entry: Place | undefined, name: string): Promise<AsyncIterable<Buffer>> {
  if (!entry) throw new ImportRefused(`${name} is missing`)
  const { compressedSize, uncompressedSize, compressionMethod } = entry
  const refuse = (error: Error) => new ImportRefused(`${name} cannot be read: ${error.message}`, { cause: error })
  const content = await new Promise<Readable>((resolve, reject) =>
    zip.readLocalFileHeader(entry as Entry, { minimal: true }, (error, header) => {
      if (error) return reject(refuse(error))
      const packed = [compressedSize, 0, compressedSize, compressionMethod === DEFLATED] as const // in the order of the call
      zip.openReadStreamLowLevel(header.fileDataStart, ...packed, uncompressedSize, (error, content) =>
        error ? reject(refuse(error)) : resolve(content),
      )
    }),
  )
  return refusing(content, refuse)
}

async function* refusing(content: Readable, refuse: (error: Error) => Error): AsyncGenerator<Buffer> {
  try {
    yield* content
  } catch (error) {
    throw refuse(error as Error)
  }
}
