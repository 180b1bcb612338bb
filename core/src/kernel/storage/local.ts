import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { DAYS } from '../clock.ts'
import { newId } from '../ids.ts'
import { errorCode } from '../system-errors.ts'
import { checkFileKey, FileMissing, type FileStorage, type StoredFile } from './storage.ts'

/** Incomplete files; no key starts with a dot. */
const PARTIAL = '.partial'
/** A file without writes for this long belongs to a process that died. */
const ABANDONED_MS = 1 * DAYS

/**
 * Stores files in a folder that only its own user can read. A file is written next to its place, flushed and renamed,
 * so that a crash or loss of power never leaves a part of one.
 */
export function createLocalStorage(root: string): FileStorage {
  const partial = join(root, PARTIAL)
  const pathOf = (key: string) => {
    checkFileKey(key)
    return join(root, key)
  }
  return {
    async write(key, content) {
      const path = pathOf(key)
      await makeFolders(dirname(path))
      await mkdir(partial, { recursive: true, mode: 0o700 })
      await removeAbandoned(partial)
      const temporary = join(partial, newId())
      try {
        // Made before anything can fail: a stream makes its file whenever it comes to it, also after it was removed here.
        const handle = await open(temporary, 'wx', 0o600)
        const file = handle.createWriteStream({ flush: true })
        await pipeline(content, file)
        await rename(temporary, path)
        await flushFolder(dirname(path))
        return { bytes: file.bytesWritten }
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
    read(key) {
      return Readable.from(readFile(pathOf(key), key), { objectMode: false })
    },
    async has(key) {
      const found = await ignoreMissing(stat(pathOf(key)))
      return found?.isFile() ?? false
    },
    async delete(key) {
      const path = pathOf(key)
      await ignoreMissing(unlink(path))
      await ignoreMissing(flushFolder(dirname(path)))
    },
    list(folder) {
      if (folder !== '') checkFileKey(folder)
      return listFiles(root, folder)
    },
  }
}

async function* readFile(path: string, key: string): AsyncGenerator<Buffer> {
  const file: FileHandle | undefined = await ignoreMissing(open(path, 'r'))
  if (!file) throw new FileMissing(key)
  yield* file.createReadStream()
}

async function* listFiles(root: string, folder: string): AsyncGenerator<StoredFile> {
  const entries = (await ignoreMissing(readdir(join(root, folder), { withFileTypes: true }))) ?? []
  entries.sort((one, other) => (one.name < other.name ? -1 : 1))
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const key = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) yield* listFiles(root, key)
    // A file that has been removed meanwhile is omitted.
    else {
      const found = await ignoreMissing(stat(join(root, key)))
      if (found?.isFile()) yield { key, bytes: found.size }
    }
  }
}

/** Creates a folder and its parents, flushing each into its parent. */
async function makeFolders(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made))
}

/** Flushes a folder, so that its names survive a loss of power. Windows has no such call and does so itself. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function removeAbandoned(partial: string): Promise<void> {
  const before = Date.now() - ABANDONED_MS
  for (const name of await readdir(partial)) {
    const path = join(partial, name)
    const found = await ignoreMissing(stat(path))
    if (found && found.mtimeMs < before) await rm(path, { force: true })
  }
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
