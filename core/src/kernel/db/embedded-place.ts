import { chown, cp, lstat, mkdir, mkdtemp, realpath, rename, rm, rmdir, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../hash.ts'
import { REACHABLE_ROOT } from './embedded-binaries.ts'
import { type Account, run, succeeds } from './embedded-process.ts'

/** The location of the cluster's files. */
export interface DataPlace {
  /** The folder itself, no symbolic link. */
  folder: string
  /** Whether a cluster is already there. */
  exists: boolean
  /** The path of a symbolic link to the folder, if it is elsewhere. */
  link: string | undefined
}

/** Options for choosing the location of the data. */
export interface PlaceOptions {
  dataDir: string
  account: Account | undefined
  log: (line: string) => void
  /** Ends all remaining processes of a folder. */
  stopLeftovers(folder: string): Promise<void>
}

/**
 * The user that the server runs as; undefined: that of this process. PostgreSQL refuses to run as root, so root uses
 * the owner of existing data, else `postgres` (created if possible), else `nobody`.
 */
export async function findServerAccount(dataDir: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await stat(join(dataDir, 'postgres')).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const existing = await findAccount('postgres')
  if (existing) return existing
  await succeeds('groupadd', ['--system', 'postgres'])
  await succeeds('useradd', ['--system', '-g', 'postgres', '-M', '-d', '/nonexistent', '-s', '/bin/false', 'postgres'])
  const account = (await findAccount('postgres')) ?? (await findAccount('nobody'))
  if (!account) throw new Error('PostgreSQL cannot run as root, and there is no user postgres or nobody to run it as')
  return account
}

/**
 * Chooses the location of the data: the data folder, or {@link REACHABLE_ROOT} when the account cannot reach that. Data
 * that has become unreachable is moved there.
 */
export async function prepareDataPlace(options: PlaceOptions): Promise<DataPlace> {
  const { dataDir, account, log, stopLeftovers } = options
  const visible = join(dataDir, 'postgres')
  const entry = await lstat(visible).catch(() => undefined)
  if (entry?.isSymbolicLink()) return placeLinked(visible, stopLeftovers)
  if (entry) return placeExisting(visible, options)
  if (await canHold(dataDir, account)) return { folder: visible, exists: false, link: undefined }
  const folder = await freeReachableFolder(options)
  log(`${dataDir} is closed to the user that PostgreSQL runs as; its data goes to ${folder}`)
  return { folder, exists: false, link: visible }
}

/** Links data stored elsewhere into the data folder. */
export async function linkData(place: DataPlace): Promise<void> {
  if (place.link) await symlink(place.folder, place.link)
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    return {
      uid: Number.parseInt(await run('id', ['-u', name]), 10),
      gid: Number.parseInt(await run('id', ['-g', name]), 10),
    }
  } catch {
    return undefined
  }
}

async function placeLinked(visible: string, stopLeftovers: PlaceOptions['stopLeftovers']): Promise<DataPlace> {
  const folder = await realpath(visible).catch((error: unknown) => {
    throw new Error(
      `${visible} points to a folder that is gone. Restore it, or remove the link to begin with an empty database.`,
      { cause: error },
    )
  })
  await stopLeftovers(folder)
  return { folder, exists: true, link: undefined }
}

async function placeExisting(visible: string, options: PlaceOptions): Promise<DataPlace> {
  const { account, log, stopLeftovers } = options
  await stopLeftovers(visible)
  // A copy made by root belongs to root, but PostgreSQL must own its data.
  if (account && (await stat(visible)).uid === 0) await run('chown', ['-R', `${account.uid}:${account.gid}`, visible])
  if (!account || (await canWrite(visible, account))) return { folder: visible, exists: true, link: undefined }
  const folder = await freeReachableFolder(options)
  log(`${visible} is closed to the user that PostgreSQL runs as; it moves to ${folder}`)
  await moveFolder(visible, folder, account)
  await symlink(folder, visible)
  return { folder, exists: true, link: undefined }
}

// Tested by trying as that user, because modes, access lists, mounts and security modules all matter.
async function canHold(dataDir: string, account: Account | undefined): Promise<boolean> {
  if (!account) return true
  const probe = await mkdtemp(join(dataDir, 'postgres.init-'))
  try {
    await chown(probe, account.uid, account.gid)
    return await canWrite(probe, account)
  } catch {
    return false
  } finally {
    await rmdir(probe)
  }
}

async function canWrite(folder: string, account: Account): Promise<boolean> {
  return succeeds('/bin/sh', ['-c', 'test -x "$1" && test -w "$1"', 'sh', folder], account)
}

// Data there without a link to it belongs to a data folder that was removed. One such copy is kept, in case that was a
// mistake.
async function freeReachableFolder({ dataDir, log, stopLeftovers }: PlaceOptions): Promise<string> {
  const folder = join(REACHABLE_ROOT, sha256(dataDir).toString('hex').slice(0, 12))
  await mkdir(REACHABLE_ROOT, { recursive: true, mode: 0o755 })
  if (await lstat(folder).catch(() => undefined)) {
    await stopLeftovers(folder)
    const aside = `${folder}.previous`
    await rm(aside, { recursive: true, force: true })
    await rename(folder, aside)
    log(`The data of an earlier ${dataDir} was put aside as ${aside}`)
  }
  return folder
}

async function moveFolder(from: string, to: string, account: Account): Promise<void> {
  try {
    await rename(from, to)
  } catch {
    // On another file system the data is copied completely before the original is removed, so that a crash loses
    // nothing.
    const draft = `${to}.new`
    await rm(draft, { recursive: true, force: true })
    await cp(from, draft, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
    await run('chown', ['-R', `${account.uid}:${account.gid}`, draft])
    await run('chmod', ['-R', 'go=', draft])
    await rename(draft, to)
    await rm(from, { recursive: true })
  }
}
