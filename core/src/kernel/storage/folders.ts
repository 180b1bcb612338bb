import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DAYS } from '../clock.ts'
import { errorCode } from '../system-errors.ts'

/** A file without writes for this long belongs to a process that died. */
const ABANDONED_MS = 1 * DAYS

/** How often a folder may go while something is on its way into it. */
const MOST_TRIES = 100

/** Moves a file to its place, whose folders are made where they are not there. */
export async function moveInto(file: string, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await makeFolders(dirname(path))
      return await rename(file, path)
    } catch (error) {
      // Whoever deleted the last file of the folder has removed it. While folders are made, that is told as either of two.
      if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') || tries === MOST_TRIES) throw error
    }
  }
}

/** Removes a folder and those around it as far as nothing is in them, but never `root`. */
export async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let empty = folder; empty.length > root.length; empty = dirname(empty)) {
    const isGone = await ignoreMissing(rmdir(empty)).then(
      () => true,
      () => false, // something is in it
    )
    if (!isGone) return
  }
}

/** Creates a folder and its parents, flushing each into its parent. */
async function makeFolders(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made))
}

/** Flushes a folder, so that its names survive a loss of power. Windows has no such call and does so itself. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes from a folder of unfinished files those that nobody works on. */
export async function removeAbandoned(partial: string): Promise<void> {
  const before = Date.now() - ABANDONED_MS
  for (const name of await readdir(partial)) {
    const path = join(partial, name)
    const found = await ignoreMissing(stat(path))
    if (found && found.mtimeMs < before) await rm(path, { force: true })
  }
}

export async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
