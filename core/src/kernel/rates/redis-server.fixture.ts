import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepts } from '../../testing/accepts.ts'
import { until } from '../../testing/until.ts'
import { chooseFreePort } from '../db/embedded-secrets.ts'

/** Why tests with a server of their own are left out; false: they run. */
export const WITHOUT_SERVER =
  spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0 && 'needs redis-server on the PATH'

/** A Redis of a test's own, which it may treat as it likes. It keeps nothing. */
export interface RedisServer {
  port: number
  url: string
  signal(name: NodeJS.Signals): void
  /** Ends it without warning. */
  kill(): Promise<void>
  /** Starts it again, on the same port and empty. */
  start(): Promise<void>
  close(): Promise<void>
}

export async function startRedisServer(settings: readonly string[] = []): Promise<RedisServer> {
  const port = await chooseFreePort()
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-redis-'))
  const base = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    child = spawn('redis-server', [...base, ...settings], { stdio: 'ignore' })
    await until('the server listens', () => accepts(port))
  }
  async function end(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child?.kill(name),
    kill: end,
    start,
    async close() {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
