import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbedded } from '../kernel/db/embedded.ts'
import { quickFolder } from './quick-folder.ts'

/** An embedded PostgreSQL that keeps nothing. */
export interface TestServer {
  superuserUrl: string
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

let started: Promise<TestServer> | undefined

/**
 * The superuser's address of the server that tests use: `TEST_DATABASE_SUPERUSER_URL`, else an embedded one that is
 * started at the first call and ends with this process.
 */
export async function getTestServer(): Promise<string> {
  const given = process.env.TEST_DATABASE_SUPERUSER_URL // not configuration of the server: it belongs to the test run
  if (given) return given
  started ??= startForThisProcess()
  return (await started).superuserUrl
}

/** Starts an embedded PostgreSQL in a folder of its own, fast and not durable. */
export async function startTestServer(): Promise<TestServer> {
  const dataDir = await mkdtemp(join(quickFolder(), 'tenantry-test-'))
  // When root runs this, the server's user has to pass through; the data itself stays closed.
  await chmod(dataDir, 0o711)
  const remove = () => rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  try {
    const { superuserUrl, stop } = await startEmbedded({ dataDir, durable: false })
    return { superuserUrl, stop: () => stop().then(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

async function startForThisProcess(): Promise<TestServer> {
  const server = await startTestServer()
  process.once('beforeExit', () => server.stop())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await server.stop()
      process.exit(1)
    })
  }
  return server
}
