import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { copyFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildPackage, renderManifest } from './build.ts'

// npm packs the folder that it was called in, and reads package.json there after `prepack`. So for that moment, and no
// longer, the one that is published takes the place of the checkout's. Whatever ends npm, a process of its own puts it back.

/** The checkout's package.json, while another stands in its place; nobody packs while it is there. */
const KEPT = 'package.json.checkout'
const MADE = ['dist', 'README.md', 'LICENSE', 'package.json.next']
const POLL_MS = 50

/** For `prepack`: builds, and puts the published package.json in place. npm must be the parent of this process. */
export async function putInPlace(core: string): Promise<void> {
  await keep(core)
  try {
    if (process.platform !== 'win32') guard(process.ppid) // there npm is not the parent, but a shell that ends at once
    await buildPackage(core, core)
    await writeFile(join(core, 'package.json.next'), await renderManifest(core))
    await rename(join(core, 'package.json.next'), join(core, 'package.json'))
  } catch (error) {
    await putBack(core)
    throw error
  }
}

async function keep(core: string): Promise<void> {
  try {
    await copyFile(join(core, 'package.json'), join(core, KEPT), constants.COPYFILE_EXCL)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Error(
      `core is being packed already. If it is not, "node scripts/package.ts postpack" puts back what a crash has left.`,
    )
  }
}

/** For `postpack`: the checkout is as it was. Does nothing when it is already. */
export async function putBack(core: string): Promise<void> {
  if (!(await isThere(join(core, KEPT)))) return
  for (const name of MADE) await rm(join(core, name), { recursive: true, force: true })
  await rename(join(core, KEPT), join(core, 'package.json')).catch((error: NodeJS.ErrnoException) => {
    // The other of the two who may put it back was faster.
    if (error.code !== 'ENOENT') throw error
  })
}

/** Watches over npm from outside of its group of processes, so that what ends npm does not end this. */
function guard(npm: number): void {
  const program = join(import.meta.dirname, '../package.ts')
  spawn(process.execPath, [program, 'guard', String(npm)], { detached: true, stdio: 'ignore' }).unref()
}

/** Puts everything back once npm has ended without having done so. */
export async function putBackAfter(core: string, npm: number): Promise<void> {
  while (isRunning(npm)) {
    if (!(await isThere(join(core, KEPT)))) return
    await sleep(POLL_MS)
  }
  await putBack(core)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
