import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'

const execFileAsync = promisify(execFile)

/** A process of this machine. */
export interface RunningProcess {
  pid: number
  /** Its user; undefined when unknown. */
  uid: number | undefined
  command: string
}

/** The user and group that a command runs as. */
export interface Account {
  uid: number
  gid: number
}

// A fixed environment: English messages of PostgreSQL, and no settings of the caller's shell.
const CLEAN_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' }

/**
 * Options for every process of the embedded database. Its working folder is accessible to any user, because a child of
 * another user cannot stay in a closed one.
 */
export function spawnOptions(account?: Account) {
  return { env: CLEAN_ENVIRONMENT, cwd: process.platform === 'win32' ? undefined : '/', windowsHide: true, ...account }
}

/** Runs a command to its end and returns what it printed; throws with its error output when it fails. */
export async function run(command: string, args: string[], account?: Account): Promise<string> {
  const { stdout } = await execFileAsync(command, args, { ...spawnOptions(account), encoding: 'utf8' })
  return stdout
}

/** Whether a command succeeds; false for any failure, also when it does not exist. */
export async function succeeds(command: string, args: string[], account?: Account): Promise<boolean> {
  return run(command, args, account).then(
    () => true,
    () => false,
  )
}

/**
 * A mark that distinguishes the process with this id from earlier and later ones; undefined when there is none, or only
 * a zombie.
 */
export async function findProcessMark(pid: number): Promise<string | undefined> {
  if (hasProc()) {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
    // The command's name is in brackets and may hold anything, so fields are counted from the last bracket.
    const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ')
    if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    return `${boot.trim()}/${fields[19]}`
  }
  const [command, args] =
    process.platform === 'win32'
      ? ['powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`]]
      : ['ps', ['-o', 'lstart=', '-p', String(pid)]]
  const mark = await run(command as string, args as string[]).catch(() => '') // as: the tuple's union loses its pairing
  return mark.trim() || undefined
}

/** All visible processes; empty on Windows, where PostgreSQL's own tools are used instead. */
export async function listProcesses(): Promise<RunningProcess[]> {
  if (process.platform === 'win32') return []
  if (!hasProc()) return parsePs(await run('ps', ['-axww', '-o', 'pid=,uid=,command=']))
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(readProc))
  return found.filter((entry) => entry !== undefined)
}

function hasProc(): boolean {
  return existsSync('/proc/self/stat')
}

async function readProc(pid: number): Promise<RunningProcess | undefined> {
  try {
    const [command, { uid }] = await Promise.all([readFile(`/proc/${pid}/cmdline`, 'utf8'), stat(`/proc/${pid}`)])
    // A zombie has no command line.
    return command === '' ? undefined : { pid, uid, command: command.replaceAll('\0', ' ') }
  } catch {
    return undefined
  }
}

function parsePs(output: string): RunningProcess[] {
  return [...output.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].map(([, pid, uid, command]) => ({
    pid: Number(pid),
    uid: Number(uid),
    command: command ?? '',
  }))
}
