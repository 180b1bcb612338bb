import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { chooseFreePort } from '../../core/src/kernel/db/embedded-secrets.ts'
import { accepts } from '../../core/src/testing/accepts.ts'

const USUAL_POSTGRES = 'postgres://postgres@127.0.0.1:5432/postgres'
const REDIS_START_MS = 10_000

/**
 * The superuser's URL of a PostgreSQL 15: of `TEST_POSTGRES_15_URL`, which must lead to one, else of the usual place
 * on this machine if one runs there that asks for no password.
 */
export async function findPostgres15(): Promise<string | undefined> {
  const given = process.env.TEST_POSTGRES_15_URL
  const version = await readVersion(given || USUAL_POSTGRES).catch((error: unknown) => {
    if (given) throw error
    return undefined
  })
  if (version?.startsWith('15')) return given || USUAL_POSTGRES
  if (given) throw new Error(`TEST_POSTGRES_15_URL leads to version ${version}`)
  return undefined
}

/** The Redis for the tests: that of `TEST_REDIS_URL`, else a new one that keeps nothing, or undefined where there is none. */
export async function startRedis(): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  if (process.env.TEST_REDIS_URL) return { url: process.env.TEST_REDIS_URL, stop: async () => undefined }
  const port = await chooseFreePort()
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-redis-'))
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const child = spawn('redis-server', settings, { stdio: 'ignore', detached: true })
  const ended = once(child, 'exit').catch(() => undefined)
  const stop = async () => {
    if (child.kill('SIGTERM')) await ended
    await rm(folder, { recursive: true, force: true })
  }
  for (
    const deadline = Date.now() + REDIS_START_MS;
    child.pid !== undefined && Date.now() < deadline;
    await sleep(20)
  ) {
    if (await accepts(port)) return { url: `redis://127.0.0.1:${port}`, stop }
  }
  await stop()
  return undefined
}

async function readVersion(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query("select current_setting('server_version_num') as version")
    return rows[0].version
  } finally {
    await client.end()
  }
}
