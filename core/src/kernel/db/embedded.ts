import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareBinaries } from './embedded-binaries.ts'
import { stopLeftovers } from './embedded-leftovers.ts'
import { acquireProcessLock } from './embedded-lock.ts'
import { type DataPlace, findServerAccount, linkData, prepareDataPlace } from './embedded-place.ts'
import {
  chooseFreePort,
  createSecrets,
  type EmbeddedSecrets,
  findSecrets,
  isFreePort,
  saveSecrets,
} from './embedded-secrets.ts'
import { createCluster, PortTaken, type ServerOptions, startServer, stopServer } from './embedded-server.ts'
import { type Running, watchServer } from './embedded-watch.ts'
import { setupDatabase } from './setup.ts'

export { EmbeddedAlreadyRunning } from './embedded-lock.ts'

/** How to start the embedded PostgreSQL. */
export interface EmbeddedOptions {
  /** Contains the cluster in `postgres`, its passwords in `postgres.json`, its log in `postgres.log`. */
  dataDir: string
  /** The port to use. Default: the last one, or another free port when that is taken. */
  port?: number
  /** False trades safety against crashes for speed, for tests only. Default: true. */
  durable?: boolean
  /** Gets sentences about anything slow or unusual. */
  log?: (line: string) => void
  /** Called when the server has ended unexpectedly and could not be restarted; the process should then end as well. */
  onLost?: (error: Error) => void
  /** Pauses before each attempt to restart a server. Default: four, 8 seconds in all. */
  restartPausesMs?: readonly number[]
}

/** A running embedded PostgreSQL with the database `tenantry` and its three roles. */
export interface Embedded {
  ownerUrl: string
  appUrl: string
  systemUrl: string
  /** Leads to the database `postgres`. */
  superuserUrl: string
  port: number
  /** Stops the server and releases the folder. May be called more than once. */
  stop(): Promise<void>
}

const DATABASE = 'tenantry'
const PORT_ATTEMPTS = 5

/**
 * Starts the PostgreSQL that npm installed, on 127.0.0.1 only; the first start creates the cluster. Leftovers of a
 * killed process are cleaned up. Throws {@link EmbeddedAlreadyRunning} while another process uses the folder, and an
 * error with the end of PostgreSQL's log when it does not start.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  // Root allows the server's user to pass through the folder, but not to list it.
  await mkdir(options.dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
  const dataDir = await realpath(options.dataDir)
  const lock = await acquireProcessLock(join(dataDir, 'postgres.lock'))
  try {
    return await startLocked({ ...options, dataDir }, lock.release)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function startLocked(options: EmbeddedOptions, release: () => Promise<void>): Promise<Embedded> {
  const { dataDir, durable = true, log = () => {}, onLost, restartPausesMs: pausesMs } = options
  const account = await findServerAccount(dataDir)
  const binaries = await prepareBinaries(account)
  const stopLeftoversOf = (folder: string) => stopLeftovers(folder, binaries.pgCtl, log)
  const place = await prepareDataPlace({ dataDir, account, log, stopLeftovers: stopLeftoversOf })
  const server = { binaries, account, folder: place.folder, durable, logFile: join(dataDir, 'postgres.log') }

  const secretsFile = join(dataDir, 'postgres.json')
  const secrets = await prepareSecrets(secretsFile, place)
  if (!place.exists) {
    log('Creating the embedded PostgreSQL')
    await createCluster(server, secrets.passwords.superuser)
    await linkData(place)
  }
  const running = await startOnFreePort(server, options.port, secrets.port)
  try {
    const { port } = running.server
    if (port !== secrets.port) await saveSecrets(secretsFile, { ...secrets, port })
    const urls = await setUp(port, secrets)
    const stopWatched = watchServer(running, { log, onLost: onLost ?? (({ message }) => log(message)), pausesMs })
    return { ...urls, port, stop: () => stopWatched().then(release) }
  } catch (error) {
    await stopServer(running.child, running.server)
    throw error
  }
}

async function setUp(port: number, { passwords }: EmbeddedSecrets) {
  const superuserUrl = `postgres://postgres:${passwords.superuser}@127.0.0.1:${port}/postgres`
  const roles = {
    owner: { password: passwords.owner },
    app: { password: passwords.app },
    system: { password: passwords.system },
  }
  return { superuserUrl, ...(await setupDatabase({ superuserUrl, database: DATABASE, roles })) }
}

// Saved before the cluster exists, so that no cluster ever has an unknown password.
async function prepareSecrets(file: string, place: DataPlace): Promise<EmbeddedSecrets> {
  const found = await findSecrets(file)
  if (found) return found
  if (place.exists) {
    throw new Error(`${file} is missing, and with it the passwords of the database in ${place.folder}. Restore it.`)
  }
  const secrets = await createSecrets()
  await saveSecrets(file, secrets)
  return secrets
}

async function startOnFreePort(
  options: Omit<ServerOptions, 'port'>,
  required: number | undefined,
  remembered: number,
): Promise<Running> {
  let port = required ?? remembered
  for (let attempt = 1; ; attempt++) {
    try {
      if (!(await isFreePort(port))) throw new PortTaken(`Port ${port} on 127.0.0.1 is taken by another program`)
      const server = { ...options, port }
      return { child: await startServer(server), server }
    } catch (error) {
      if (!(error instanceof PortTaken) || required !== undefined || attempt === PORT_ATTEMPTS) throw error
      port = await chooseFreePort()
    }
  }
}
