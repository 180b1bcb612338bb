import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { builtinModules, migrationsOf } from 'tenantry'
import { startEmbedded } from '../core/src/kernel/db/embedded.ts'
import { migrate } from '../core/src/kernel/db/migrate.ts'
import { launch, type Server } from './child.ts'
import { PASSWORD, type Speaker } from './seed.ts'

/** A request, as the load sends it. */
export interface Shot {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

/** The request of a turn, for one of the speakers. */
export type Shoot = (speaker: Speaker, turn: number) => Shot

export const json = { 'content-type': 'application/json' }
export const bearer = ({ token }: Speaker) => ({ authorization: `Bearer ${token}` })
export const storeOf = ({ storeIds }: Speaker, turn: number) => storeIds[turn % storeIds.length]
export const credentials = ({ email }: Speaker) => JSON.stringify({ email, password: PASSWORD })

/** What the core of a bench signs with. */
export const APP_SECRET = 'only-for-the-bench-0123456789-abcdefghijklmnop'

let names = 0
/** The body of a store that is not there yet. What it makes is deleted again by `removeStores`. */
export const newStore = () => JSON.stringify({ name: `Core ${++names}`, code: `C${names}` })

/** An embedded database with the schema, and processes beside it; all of it goes with `stop`. */
export interface Bench {
  database: Awaited<ReturnType<typeof startEmbedded>>
  /** As `launch`. */
  launch(file: string, env: Record<string, string>): Promise<Server>
  /** What a core needs to run on the database. */
  coreEnv: Record<string, string>
  /** Starts the core as `tenantry serve` runs it. */
  launchCore(env: Record<string, string>): Promise<Server>
  stop(): Promise<void>
}

export async function startBench(): Promise<Bench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-bench-'))
  // Another user runs the database when root runs this: what that one cannot reach is kept elsewhere, and would stay there.
  await chmod(dataDir, 0o711)
  const database = await startEmbedded({ dataDir })
  const servers: Server[] = []
  const stop = async () => {
    for (const { child } of servers) child.kill('SIGTERM')
    await database.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  const launchOne: Bench['launch'] = async (file, env) => {
    const server = await launch(file, env)
    servers.push(server)
    return server
  }
  const coreEnv = {
    DATABASE_URL: database.appUrl,
    DATABASE_SYSTEM_URL: database.systemUrl,
    APP_SECRET,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'warn',
    // One token for the whole run: the load does not refresh.
    ACCESS_TOKEN_TTL: '86400',
  }
  const launchCore: Bench['launchCore'] = (env) => launchOne('core.ts', { ...coreEnv, ...env })
  const roles = { appRole: 'tenantry_app', systemRole: 'tenantry_system' }
  await migrate({ ...database, ...roles, sources: migrationsOf(builtinModules) }).catch(async (error) => {
    await stop()
    throw error
  })
  return { database, launch: launchOne, coreEnv, launchCore, stop }
}

/** How long to fire, or how many times. */
export type Volley = { connections: number } & ({ duration: number } | { amount: number })

/** Sends requests as fast as they are answered. Returns how many a second; throws unless every answer was a success. */
export async function fire(
  { port }: Server,
  shoot: Shoot,
  speakers: readonly Speaker[],
  volley: Volley,
): Promise<number> {
  let turn = 0
  const shot = () => shoot(speakers[turn % speakers.length]!, turn++) // there are speakers
  const fresh = shot().method === 'POST'
  const requests = Array.from({ length: 400 }, shot).map((each) => ({
    ...each,
    // A create must send something new each time; reads are prepared once.
    ...(fresh ? { setupRequest: (request: object) => ({ ...request, ...shot() }) } : {}),
  }))
  const result = await autocannon({ url: `http://127.0.0.1:${port}`, requests, ...volley })
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(
      `${requests[0]?.path}: ${result.non2xx} answers were no success (${JSON.stringify(result.statusCodeStats)}), ${result.errors} errors`,
    )
  return result.requests.average
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
