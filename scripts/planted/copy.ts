import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** A copy of the working tree in which files may be broken. */
export interface Copy {
  root: string
  remove(): Promise<void>
}

/** Copies what git tracks or would track; packages are links to those installed here, the workspace is the copy's own. */
export async function copyTree(root: string): Promise<Copy> {
  const copy = await mkdtemp(join(tmpdir(), 'tenantry-planted-'))
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 100 * 1024 * 1024 })
  for (const file of stdout.split('\0').filter(Boolean)) {
    await mkdir(dirname(join(copy, file)), { recursive: true })
    // Listed, and deleted a moment ago.
    await cp(join(root, file), join(copy, file)).catch(() => undefined)
  }
  await linkPackages(join(root, 'node_modules'), join(copy, 'node_modules'))
  return { root: copy, remove: () => rm(copy, { recursive: true, force: true }) }
}

async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const name of await readdir(from)) {
    if (name === 'tenantry') await symlink('../core', join(to, name))
    else await symlink(join(from, name), join(to, name))
  }
}
