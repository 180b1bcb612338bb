// Runs the command line as a person would: a process of its own, in a folder of its own, with nothing in the environment.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { quickFolder } from '../src/testing/quick-folder.ts'

const PROGRAM = fileURLToPath(new URL('../bin/tenantry.js', import.meta.url))
// A start takes a second or two; on a machine that is busy with other things it has taken two minutes.
const PATIENCE_MS = 5 * 60_000
const POLL_MS = 20

export interface CliOptions {
  /** The whole environment but for PATH. */
  env?: Record<string, string>
  /** Holds `.env` and, unless DATA_DIR says otherwise, `.data`. Default: one of this file's own. */
  cwd?: string
  /** For Node, before the program. */
  nodeArgs?: string[]
  /** Nobody reads what it says: the pipe is closed. */
  isDeaf?: boolean
  /** The script to run. Default: the core's own. */
  program?: string
}

export interface Ended {
  code: number | null
  /** What it said, on both streams. */
  out: string
  err: string
}

/** A command that goes on running. */
export interface RunningCli {
  pid: number
  /** All that it has said so far, on both streams. */
  said(): string
  /** Resolves once it has said this; throws with all that it said when it ends before. */
  says(text: string | RegExp): Promise<RegExpMatchArray>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
  signal(signal: NodeJS.Signals): void
  ended: Promise<Ended>
}

const children = new Set<ChildProcess>()
const folders: string[] = []

/** Starts a command, `db setup --prefix x` as one text. */
export function startCli(
  command: string,
  { env = {}, cwd = tmpdir(), nodeArgs = [], isDeaf = false, program = PROGRAM }: CliOptions = {},
): RunningCli {
  const child = spawn(process.execPath, [...nodeArgs, program, ...command.split(' ').filter(Boolean)], {
    cwd,
    // Programs that the embedded database calls, and what a run of tests has compiled already.
    env: { PATH: process.env.PATH, ...compileCache(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  if (isDeaf) child.stdout.destroy()
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child)
    return { code, out, err }
  })
  const said = () => `${out}${err}`
  return {
    pid: child.pid ?? 0,
    said,
    ended,
    signal: (signal) => child.kill(signal),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
    says: (text) =>
      until(`tenantry ${command} to say ${text}`, said, () => {
        const match = said().match(text)
        if (!match && !children.has(child))
          throw new Error(`tenantry ${command} ended without saying ${text}:\n${said()}`)
        return match ?? undefined
      }),
  }
}

function compileCache(): Record<string, string> {
  const folder = process.env.NODE_COMPILE_CACHE
  return folder ? { NODE_COMPILE_CACHE: folder } : {}
}

/** Runs a command to its end. */
export function runCli(command: string, options?: CliOptions): Promise<Ended> {
  return startCli(command, options).ended
}

/** Waits until `look` finds something. */
export async function until<Found>(
  what: string,
  describe: () => string,
  look: () => Found | undefined | Promise<Found | undefined>,
): Promise<Found> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw new Error(`Waited in vain for ${what}; so far:\n${describe()}`)
}

/** A folder that any user may pass through, as PostgreSQL's must when root runs the tests. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(quickFolder(), 'tenantry-cli-'))
  await chmod(folder, 0o711)
  folders.push(folder)
  return folder
}

/** Ends what a failed test left running, and removes the folders. */
export async function cleanUp(): Promise<void> {
  for (const child of children) {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  for (const folder of folders.splice(0)) {
    const data = join(folder, '.data', 'postgres')
    if (existsSync(data)) await rm(realpathSync(data), { recursive: true, force: true })
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Sends a request; the body of the answer is read as JSON. */
export async function send(url: string, body?: unknown) {
  const response = await fetch(url, {
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape, which the tests look into
  return { status: response.status, body: (await response.json()) as any }
}

/** What it takes to register. */
export function person(email: string) {
  return { email, password: 'a quiet walk along the river', name: 'Ada Byron', tenant_name: 'Acme' }
}
