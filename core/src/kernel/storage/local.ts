import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, opendir, rm, rmdir, stat, statfs, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { HOURS } from '../clock.ts'
import { newId } from '../ids.ts'
import { errorCode } from '../system-errors.ts'
import { flushFolder, ignoreMissing, moveInto, removeAbandoned, removeEmptyFolders } from './folders.ts'
import { asFull, writeFile } from './local-write.ts'
import {
  type ByteRange,
  checkFileKey,
  checkRange,
  FileMissing,
  type FileStorage,
  isFileKey,
  StorageFailed,
  StorageFull,
  type StoredFile,
} from './storage.ts'

/** Incomplete files; no key starts with a dot. */
const PARTIAL = '.partial'
const CHECK = '.check'
const READ_BYTES = 256 * 1024
const TIDY_MS = 1 * HOURS

/**
 * Stores files in a folder that only its own user can read. A file is written next to its place, flushed, read again and
 * renamed, so that a crash or loss of power never leaves a part of one.
 */
export function createLocalStorage(root: string): FileStorage {
  const partial = join(root, PARTIAL)
  const pathOf = (key: string) => {
    checkFileKey(key)
    return join(root, key)
  }
  let tidiedMs = Number.NEGATIVE_INFINITY
  /** Looks at what is unfinished now and then, not at each write. */
  const tidy = async () => {
    if (performance.now() - tidiedMs < TIDY_MS) return
    tidiedMs = performance.now()
    await removeAbandoned(partial)
  }
  const size = async (key: string) => {
    const found = await ignoreMissing(stat(pathOf(key)))
    return found?.isFile() ? found.size : null
  }
  return {
    backend: 'local',
    largestDirect: Number.MAX_SAFE_INTEGER,
    async write(key, content) {
      const path = pathOf(key)
      await mkdir(partial, { recursive: true, mode: 0o700 }).catch(asFull)
      await tidy()
      const temporary = join(partial, newId())
      const written = await writeFile(temporary, key, content)
      try {
        // Folders take room, too.
        await moveInto(temporary, path).catch(asFull)
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
      await ignoreMissing(flushFolder(dirname(path)))
      return written
    },
    read(key, range) {
      if (range) checkRange(range)
      return Readable.from(readFile(pathOf(key), key, range), { objectMode: false, highWaterMark: READ_BYTES })
    },
    size,
    has: async (key) => (await size(key)) !== null,
    async delete(key) {
      const path = pathOf(key)
      await ignoreMissing(unlink(path))
      await ignoreMissing(flushFolder(dirname(path)))
      await removeEmptyFolders(dirname(path), root)
    },
    list(folder) {
      if (folder !== '') checkFileKey(folder)
      return listFiles(root, folder)
    },
    async presignUpload(key) {
      checkFileKey(key)
      return null
    },
    check: () => checkFolder(root),
  }
}

async function* readFile(path: string, key: string, range: ByteRange | undefined): AsyncGenerator<Buffer> {
  const file: FileHandle | undefined = await ignoreMissing(open(path, 'r'))
  if (!file) throw new FileMissing(key)
  try {
    yield* file.createReadStream({ ...range, highWaterMark: READ_BYTES })
  } catch (error) {
    // A folder is no file.
    throw errorCode(error) === 'EISDIR' ? new FileMissing(key) : error
  }
}

async function* listFiles(root: string, folder: string): AsyncGenerator<StoredFile> {
  for (const name of await namesIn(join(root, folder))) {
    const isFolder = name.endsWith('/')
    const own = isFolder ? name.slice(0, -1) : name
    const key = folder === '' ? own : `${folder}/${own}`
    if (!isFileKey(key)) continue
    if (isFolder) yield* listFiles(root, key)
    // A file that has been removed meanwhile is omitted.
    else {
      const found = await ignoreMissing(stat(join(root, key)))
      if (found?.isFile()) yield { key, bytes: found.size }
    }
  }
}

/** Names alone, since a folder may have millions. With its slash a folder comes where the keys below it do: after `a-b`, which is after `a`. */
async function namesIn(folder: string): Promise<string[]> {
  const opened = await ignoreMissing(opendir(folder, { bufferSize: 1024 }))
  const names: string[] = []
  if (opened) for await (const entry of opened) names.push(entry.isDirectory() ? `${entry.name}/` : entry.name)
  return names.sort()
}

/** Writes, reads and removes a file that no key leads to. */
async function checkFolder(root: string): Promise<string> {
  const folder = join(root, CHECK)
  const path = join(folder, newId())
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const content = randomBytes(1024)
    try {
      // What was read again is compared with what was written.
      await writeFile(path, 'of the check', Readable.from([content]))
    } finally {
      await rm(path, { force: true })
    }
    await rmdir(folder).catch(() => {}) // another check is at work there
    const { bavail, bsize } = await statfs(root)
    return `Files can be written to ${root} and read again; ${gibibytes(bavail * bsize)} GiB are free.`
  } catch (error) {
    if (error instanceof StorageFull)
      throw new StorageFailed(
        `The disk of ${root} has no room left: make room, or set DATA_DIR to another one.`,
        'full',
      )
    const reason = errorCode(error) ?? (error instanceof Error ? error.name : 'unknown')
    const advice = 'Let the user of this process write there, or set DATA_DIR to another folder.'
    throw new StorageFailed(`Files cannot be written to ${root} and read again (${reason}). ${advice}`, reason)
  }
}

const gibibytes = (bytes: number) => (bytes / 1024 ** 3).toFixed(1)
