import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../system-errors.ts'
import type { Binaries } from './embedded-binaries.ts'
import { clusterMark } from './embedded-leftovers.ts'
import { type Account, run, spawnOptions, succeeds } from './embedded-process.ts'

/** What a server is started with. */
export interface ServerOptions {
  binaries: Binaries
  account: Account | undefined
  folder: string
  port: number
  durable: boolean
  logFile: string
}

/** Another program took the port between the choice and the start. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

const MAX_LOG_BYTES = 10 * 1024 * 1024
const LOG_TAIL_LINES = 15
// Recovery after a crash can take a while; a failing server ends long before.
const READY_TIMEOUT_MS = 120_000
const POLL_MS = 10
const STOP_TIMEOUT_MS = 20_000

/** Creates an empty cluster. Its folder appears only when complete; leftovers of an interrupted attempt are removed. */
export async function createCluster(
  { binaries, account, folder, durable }: Omit<ServerOptions, 'port' | 'logFile'>,
  password: string,
): Promise<void> {
  await removeDrafts(folder)
  const draft = await mkdtemp(`${folder}.init-`)
  const passwordFile = `${draft}.password`
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    for (const path of account ? [draft, passwordFile] : []) await chown(path, account?.uid ?? 0, account?.gid ?? 0)
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
    const sync = durable ? [] : ['--no-sync', '-c', `scram_iterations=${QUICK.scram_iterations}`]
    await run(binaries.initdb, ['-D', draft, ...locale, ...access, ...sync], account)
    await rename(draft, folder)
  } catch (error) {
    throw new Error(`PostgreSQL could not create its data folder ${folder}: ${errorOutput(error)}`, { cause: error })
  } finally {
    await removeDrafts(folder)
  }
}

/**
 * Starts the server and waits until it accepts connections. Throws with the last lines of its log when it ends.
 * `onSpawn` gets the process before it is ready, which after a crash can take a while.
 */
export async function startServer(
  options: ServerOptions,
  onSpawn: (child: ChildProcess) => void = () => {},
): Promise<ChildProcess> {
  await refuseOtherVersion(options)
  const log = await openLog(options.logFile)
  try {
    const logStart = (await log.stat()).size
    const child = spawn(options.binaries.postgres, await serverArguments(options), {
      ...spawnOptions(options.account),
      // The server writes its log itself, so it can continue without this process.
      stdio: ['ignore', log.fd, log.fd],
      // In its own process group, Ctrl-C reaches only this process, which needs the database to finish its work.
      detached: true,
    })
    child.unref()
    endWithProcess(child)
    onSpawn(child)
    const failure = await waitUntilReady(child, options.folder)
    if (failure === undefined) return child
    const tail = (await readFile(options.logFile)).subarray(logStart).toString().trim()
    if (/could not bind|Address already in use/.test(tail)) throw new PortTaken(`Port ${options.port} is taken`)
    const lines = tail.split('\n').slice(-LOG_TAIL_LINES).join('\n')
    throw new Error(`PostgreSQL did not start (${failure}). The end of ${options.logFile}:\n${lines}`)
  } finally {
    await log.close()
  }
}

/** Stops the server: sessions are ended, committed data is on disk. Does nothing when it has ended already. */
export async function stopServer(child: ChildProcess, { binaries, folder }: ServerOptions): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  if (process.platform === 'win32') await succeeds(binaries.pgCtl, ['stop', '-D', folder, '-m', 'fast', '-w'])
  else child.kill('SIGINT')
  for (const stronger of ['SIGQUIT', 'SIGKILL'] as const) {
    const timeout = new AbortController()
    const late = sleep(STOP_TIMEOUT_MS, true, { signal: timeout.signal }).catch(() => false)
    const isLate = await Promise.race([ended.then(() => false), late])
    timeout.abort()
    if (!isLate) return
    child.kill(stronger)
  }
  await ended
}

// Stops the server also when this process exits without doing so.
function endWithProcess(child: ChildProcess): void {
  const onProcessExit = () => child.kill('SIGINT')
  process.once('exit', onProcessExit)
  child.once('exit', () => process.off('exit', onProcessExit))
}

async function serverArguments({ folder, port, durable }: ServerOptions): Promise<string[]> {
  const settings = {
    cluster_name: await clusterMark(folder),
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%u@%d ',
    log_checkpoints: 'off',
    ...(durable ? {} : QUICK),
  }
  return ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** For tests: nothing has to outlive a crash, and passwords that everybody knows need not withstand guessing. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', scram_iterations: 1 }

// The server writes its state to the eighth line of postmaster.pid; its own tool reads it there as well. The first line
// shows whether the file is of this server.
async function waitUntilReady(child: ChildProcess, folder: string): Promise<string | undefined> {
  let failure: string | undefined
  child.once('error', (error) => {
    failure = error.message
  })
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (failure !== undefined) return failure
    if (hasEnded(child)) return `exit code ${child.exitCode}, signal ${child.signalCode}`
    const lines = (await readFile(join(folder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return undefined
    await sleep(POLL_MS)
  }
  child.kill('SIGQUIT')
  return `not ready after ${READY_TIMEOUT_MS / 1000} s`
}

async function refuseOtherVersion({ binaries, folder }: ServerOptions): Promise<void> {
  const version = Number.parseInt(await readFile(join(folder, 'PG_VERSION'), 'utf8'), 10)
  if (version === binaries.majorVersion) return
  throw new Error(
    `The data in ${folder} was made by PostgreSQL ${version}, and PostgreSQL ${binaries.majorVersion} cannot read it. ` +
      'Export it with the version that made it, or begin with an empty folder.',
  )
}

async function openLog(file: string) {
  const size = await stat(file).then(
    (entry) => entry.size,
    () => 0,
  )
  if (size > MAX_LOG_BYTES) await truncate(file)
  return open(file, 'a', 0o600)
}

async function removeDrafts(folder: string): Promise<void> {
  const parent = dirname(folder)
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(`${basename(folder)}.init-`))
  for (const name of drafts) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 10 })
}

/** Whether it has ended or never started. */
export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

function errorOutput(error: unknown): string {
  if (error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' && error.stderr)
    return error.stderr
  return messageOf(error)
}
