import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepts } from '../../testing/accepts.ts'
import { findClamd } from '../../testing/clamd.ts'
import { until } from '../../testing/until.ts'
import { chooseFreePort } from '../db/embedded-secrets.ts'

/** Why tests with the real clamd are left out; false: they run. */
export const WITHOUT_CLAMD = findClamd() === undefined && 'needs clamd (clamav-daemon)'

/** What the only signature of the server finds, and how it is called. */
export const MARKER = 'tenantry-test-signature-2f7d1c'
export const THREAT = 'Tenantry.Test.UNOFFICIAL'

/** A real clamd of a test's own, that knows one signature. */
export interface ClamdServer {
  /** `CLAMAV_URL`, by TCP and by its socket. */
  url: string
  socketUrl: string
  signal(name: NodeJS.Signals): void
  /** Ends it without warning. */
  kill(): Promise<void>
  /** Starts it again, at the same places. */
  start(): Promise<void>
  close(): Promise<void>
}

/** `settings`: lines of its configuration beside those that it needs. */
export async function startClamd(settings: readonly string[] = []): Promise<ClamdServer> {
  const port = await chooseFreePort()
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-clamd-'))
  const [database, socket, configuration] = ['db', 'clamd.sock', 'clamd.conf'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ] // one for each name
  await mkdir(database)
  await writeFile(join(database, 'own.ndb'), `Tenantry.Test:0:*:${Buffer.from(MARKER).toString('hex')}\n`)
  const needed = [
    `DatabaseDirectory ${database}`,
    `TemporaryDirectory ${folder}`,
    `LocalSocket ${socket}`,
    `TCPSocket ${port}`,
    'TCPAddr 127.0.0.1',
    'Foreground yes',
    'Bytecode no',
  ]
  await writeFile(configuration, [...needed, ...settings, ''].join('\n'))
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    await rm(socket, { force: true })
    const started = spawn(findClamd() ?? 'clamd', ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
    child = started
    let said = ''
    started.stderr.on('data', (part) => {
      said = `${said}${part}`.slice(-2_000)
    })
    await until('clamd listens', () => {
      if (started.exitCode !== null) throw new Error(`clamd ended: ${said}`)
      return accepts(port)
    })
  }
  async function end(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  async function close(): Promise<void> {
    await end()
    await rm(folder, { recursive: true, force: true })
  }

  await start().catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    url: `tcp://127.0.0.1:${port}`,
    socketUrl: `unix://${socket}`,
    signal: (name) => void child?.kill(name),
    kill: end,
    start,
    close,
  }
}
