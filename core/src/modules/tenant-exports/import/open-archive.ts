import type { Readable } from 'node:stream'
import type { Entry, ZipFile } from 'yauzl'
import { isUuid } from '#kernel'
import { FILES, MANIFEST, PEOPLE } from '../content/manifest.ts'
import { ImportRefused } from './problem.ts'

/** No entry is taken apart that says it holds more than this much for each byte of it, once it is large. */
const MOST_TIMES = 250
const LARGE_BYTES = 64 * 1024 * 1024
/** Each is in memory while an export is read: so many files take about 2 GB. */
const MOST_ENTRIES = 5_000_000

const TABLE = /^tables\/[a-z_][a-z0-9_]{0,62}\.ndjson$/
const FILE = /^files\/([^/]+)\/[^/]+$/

/** A ZIP file that may be an export, with entries of no other names than an export has. */
export interface Archive {
  /** The size of an entry as the directory says it; undefined when there is none. */
  sizeOf(entry: string): number | undefined
  names(): IterableIterator<string>
  /** What an entry holds: never more or less than the directory says. */
  read(entry: string): Promise<Readable>
  close(): void
}

/** Opens an export. Throws `ImportRefused` for what is no ZIP file, or has entries that no export has. */
export async function openArchive(path: string): Promise<Archive> {
  const { default: yauzl } = await import('yauzl')
  const options = { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true }
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    yauzl.open(path, options, (error, zip) => (error ? reject(error) : resolve(zip))),
  ).catch((error: Error) => {
    if ('code' in error) throw error
    throw new ImportRefused(`this is no ZIP file: ${error.message}`)
  })
  try {
    const entries = await readDirectory(zip)
    return {
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

function readDirectory(zip: ZipFile): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => reject(new ImportRefused(`the ZIP file is damaged: ${error.message}`)))
    zip.on('end', () => resolve(entries))
    zip.on('entry', (entry: Entry) => {
      const problem = problemOf(entry, entries)
      if (problem) return reject(new ImportRefused(`${entry.fileName.slice(0, 300)} ${problem}`))
      entries.set(entry.fileName, entry)
      zip.readEntry()
    })
    zip.readEntry()
  })
}

function problemOf({ fileName: name, ...entry }: Entry, known: ReadonlyMap<string, Entry>): string | null {
  if (known.size >= MOST_ENTRIES) return 'is one entry more than is read'
  if (known.has(name)) return 'is there twice'
  if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted'
  const isFile = FILE.exec(name)
  if (isFile ? !isUuid(isFile[1] ?? '') : !TABLE.test(name) && ![MANIFEST, PEOPLE, FILES].includes(name))
    return 'is no entry of an export'
  // Files lie there as they are.
  if (isFile && entry.compressionMethod !== 0) return 'is compressed, which files of an export are not'
  const { uncompressedSize: bytes, compressedSize: packed } = entry
  if (bytes > LARGE_BYTES && bytes > MOST_TIMES * packed)
    return 'says that it is much larger than anything that was exported'
  return null
}

function open(zip: ZipFile, entry: Entry | undefined, name: string): Promise<Readable> {
  if (!entry) throw new ImportRefused(`${name} is missing`)
  return new Promise((resolve, reject) =>
    zip.openReadStream(entry, (error, content) =>
      error ? reject(new ImportRefused(`${name} cannot be read: ${error.message}`)) : resolve(content),
    ),
  )
}
