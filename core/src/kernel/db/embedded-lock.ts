import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from '../system-errors.ts'
import { findProcessMark } from './embedded-process.ts'

/** Another live process already runs the embedded PostgreSQL of this folder. */
export class EmbeddedAlreadyRunning extends Error {
  override readonly name = 'EmbeddedAlreadyRunning'
  readonly pid: number
  readonly folder: string

  constructor(pid: number, folder: string) {
    super(
      `The embedded PostgreSQL in ${folder} is already in use by process ${pid}. ` +
        'Stop that process first, or choose another data folder.',
    )
    this.pid = pid
    this.folder = folder
  }
}

/** A lock held until it is released or its process has ended. */
export interface ProcessLock {
  release(): Promise<void>
}

interface Holder {
  pid: number
  /** Distinguishes this process from a later one with the same id. */
  mark: string
  /** Distinguishes two holders in one process. */
  token: string
}

/**
 * Takes the lock file for this process; one of an ended process is taken over, even if its id has been reused. Throws
 * {@link EmbeddedAlreadyRunning} while its holder lives.
 */
export async function acquireProcessLock(file: string): Promise<ProcessLock> {
  const mine: Holder = {
    pid: process.pid,
    mark: (await findProcessMark(process.pid)) ?? 'unknown',
    token: randomBytes(8).toString('hex'),
  }
  while (!(await createWhole(file, mine))) {
    const holder = await readHolder(file)
    if (holder === 'absent') continue
    if (await isAlive(holder)) throw new EmbeddedAlreadyRunning(holder.pid, dirname(file))
    if (await replaceDead(file, holder, mine)) break
  }
  return { release: () => release(file, mine) }
}

// Creates the file with its content atomically, so that no reader sees a part of it.
async function createWhole(file: string, holder: Holder): Promise<boolean> {
  const draft = await writeDraft(file, holder)
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

// Replacing a dead holder's file needs a lock named after that holder. A late process finds another holder in the file
// and leaves it, so two processes never both take it over.
async function replaceDead(file: string, dead: Holder, mine: Holder): Promise<boolean> {
  const claim = await acquireProcessLock(`${file}.${dead.token}`)
  try {
    const current = await readHolder(file)
    if (current === 'absent' || current.token !== dead.token) return false
    await rename(await writeDraft(file, mine), file)
    return true
  } finally {
    await claim.release()
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  return (await findProcessMark(holder.pid)) === holder.mark
}

async function readHolder(file: string): Promise<Holder | 'absent'> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return 'absent'
  const [pid, mark, token] = text.split('\n')
  // A truncated file, after a full disk or a crash, has no valid holder.
  return { pid: Number(pid) || 0, mark: mark || 'none', token: /^[0-9a-f]+$/.test(token ?? '') ? `${token}` : 'none' }
}

async function writeDraft(file: string, holder: Holder): Promise<string> {
  const draft = `${file}.${randomBytes(8).toString('hex')}.new`
  await writeFile(draft, `${holder.pid}\n${holder.mark}\n${holder.token}\n`, { mode: 0o600 })
  return draft
}

async function release(file: string, mine: Holder): Promise<void> {
  const holder = await readHolder(file)
  if (holder !== 'absent' && holder.token === mine.token) await rm(file, { force: true })
}
