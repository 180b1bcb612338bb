import { readFile, readlink, realpath, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../hash.ts'
import { findProcessMark, listProcesses, type RunningProcess, succeeds } from './embedded-process.ts'

// Signals in increasing strength: end after cleaning up; end at once and recover at the next start; kill.
const STOP_STEPS: { signal: NodeJS.Signals; waitMs: number }[] = [
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
]
const POLL_MS = 20

/**
 * A mark in the command lines of all processes of the cluster in a folder. It is derived from the folder's identity on
 * disk, so that no copy of the folder and no equal path elsewhere has it.
 */
export async function clusterMark(folder: string): Promise<string> {
  const { dev, ino } = await stat(folder, { bigint: true })
  return `tenantry-${sha256(`${dev}/${ino}`).toString('hex').slice(0, 16)}`
}

/**
 * Ends a server that a killed process left running on this folder, with its children, and removes a postmaster.pid that
 * names no process of this cluster, even if its id has been reused.
 */
export async function stopLeftovers(folder: string, pgCtl: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(folder, 'postmaster.pid')
  if (process.platform === 'win32') {
    if (await readPid(pidFile)) await succeeds(pgCtl, ['stop', '-D', folder, '-m', 'fast', '-w'])
    return
  }
  const leftovers = await listClusterProcesses(folder)
  if (leftovers.length > 0) {
    log(`Stopping the PostgreSQL that an earlier process left running (${leftovers.map(({ pid }) => pid).join(', ')})`)
    await stopAll(folder)
  }
  const pid = await readPid(pidFile)
  if (pid !== undefined && !(await isServerOn(pid, folder))) await rm(pidFile, { force: true })
}

async function listClusterProcesses(folder: string): Promise<RunningProcess[]> {
  const mark = await clusterMark(folder)
  const { uid: owner } = await stat(folder)
  // The server has the mark as an argument, its children in their titles. The user is compared as well, because any
  // process can set its own command line.
  const isOurs = ({ uid, command }: RunningProcess) =>
    uid === owner && (command.includes(`cluster_name=${mark}`) || command.startsWith(`postgres: ${mark}: `))
  return (await listProcesses()).filter(isOurs)
}

async function stopAll(folder: string): Promise<void> {
  for (const { signal, waitMs } of STOP_STEPS) {
    const alive = await listClusterProcesses(folder)
    const server = alive.filter(({ command }) => command.includes('cluster_name='))
    // At the first signal the server ends its children itself; children without a server need the stronger ones.
    if (signal === 'SIGINT' && server.length === 0) continue
    for (const { pid } of signal === 'SIGKILL' || server.length === 0 ? alive : server) sendSignal(pid, signal)
    const deadline = Date.now() + waitMs
    while (Date.now() < deadline) {
      if ((await listClusterProcesses(folder)).length === 0) return
      await sleep(POLL_MS)
    }
  }
  throw new Error(`PostgreSQL still runs on ${folder} and does not end`)
}

// A server started by hand on this folder has no mark; PostgreSQL then refuses a second one.
async function isServerOn(pid: number, folder: string): Promise<boolean> {
  if ((await findProcessMark(pid)) === undefined) return false
  const found = (await listProcesses()).find((entry) => entry.pid === pid)
  if (!found || !/postgres|postmaster/.test(found.command) || found.command.startsWith('postgres: ')) return false
  const home = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return home === undefined ? found.command.includes(folder) : home === (await realpath(folder))
}

async function readPid(pidFile: string): Promise<number | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => '')
  return Number.parseInt(text, 10) || undefined
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
