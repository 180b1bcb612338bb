import { join } from 'node:path'
import { ensureAppSecret } from '../kernel/config/app-secret.ts'
import { type Config, ConfigError, freeze, loadConfig } from '../kernel/config/config.ts'
import { addToEnvironment, type EnvReading, readEnv } from '../kernel/config/env.ts'
import { EmbeddedAlreadyRunning, startEmbedded } from '../kernel/db/embedded.ts'
import { chooseFreePort, findSecrets } from '../kernel/db/embedded-secrets.ts'
import type { Module } from '../kernel/module.ts'
import { type CommandOptions, say } from './command.ts'
import { readEnvFile } from './env-file.ts'

/** A configuration with a database, and how to release it. */
export interface Environment {
  config: Config
  /** The port of the embedded PostgreSQL; null: a configured database. */
  embeddedPort: number | null
  /** The secret comes from a file in DATA_DIR, since nobody set one. */
  keepsSecret: boolean
  release(): Promise<void>
}

/** Requirements of a command beyond valid settings: a sentence for each that is missing. */
type Demand = (reading: EnvReading) => string[]

const ownDatabaseInProduction: Demand = ({ env, given }) =>
  env.NODE_ENV === 'production' && !given.has('DATABASE_URL')
    ? ['DATABASE_URL is required in production: the embedded PostgreSQL is for one machine without operations.']
    : []

const ownerOfSchema: Demand = ({ given }) =>
  given.has('DATABASE_URL') && !given.has('DATABASE_OWNER_URL') ? ['DATABASE_OWNER_URL is required to migrate.'] : []

const sharedDatabase =
  (command: string, { product }: CommandOptions): Demand =>
  ({ given }) =>
    given.has('DATABASE_URL')
      ? []
      : [
          `DATABASE_URL is required by "${product.command} ${command}". On the embedded PostgreSQL use "${product.command} start".`,
        ]

const commonAddress: Demand = ({ env, given }) =>
  env.PORT === 0 && !given.has('PUBLIC_URL')
    ? ['PUBLIC_URL is required with PORT=0: links and tokens name it, and every process must name the same.']
    : []

/**
 * For `start`: the configured database or an embedded one, which is started, and a known port. `onLost` is called when
 * the embedded one has ended and cannot be restarted.
 */
export async function startEnvironment(
  { modules }: CommandOptions,
  onLost: (error: Error) => void,
): Promise<Environment> {
  return openDatabase(await choosePort(await readConfig(modules, ownDatabaseInProduction)), onLost)
}

/**
 * For commands that inspect or repair: as for `start`, but they also use the embedded PostgreSQL of a running `start`.
 */
export async function visitEnvironment(
  { modules }: CommandOptions,
  { migrates = false, interrupt }: { migrates?: boolean; interrupt?: AbortController | undefined } = {},
): Promise<Environment> {
  const config = await readConfig(modules, ownDatabaseInProduction, ...(migrates ? [ownerOfSchema] : []))
  try {
    endOnSignals(interrupt)
    return await openDatabase(config)
  } catch (error) {
    if (!(error instanceof EmbeddedAlreadyRunning)) throw error
    return (await findRunning(config)) ?? Promise.reject(error)
  }
}

/**
 * Without a handler a signal would end this process and leave the PostgreSQL that it has started. With `interrupt` the first
 * one only aborts that, and the next one ends the process.
 */
function endOnSignals(interrupt?: AbortController): void {
  const onSignal = () => {
    if (!interrupt || interrupt.signal.aborted) process.exit(1)
    interrupt.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
}

/** For commands that run many times in parallel, for which one embedded database does not suffice. */
export async function sharedEnvironment(command: string, options: CommandOptions): Promise<Environment> {
  const config = await readConfig(options.modules, sharedDatabase(command, options), commonAddress)
  return { config, embeddedPort: null, keepsSecret: isKept(config), release: async () => {} }
}

/** Reads `.env` and the settings; makes a secret on a laptop that has none. @throws ConfigError with every problem */
async function readConfig(modules: readonly Module[], ...demands: Demand[]): Promise<Config> {
  // Variables of the environment take precedence over the file.
  addToEnvironment(readEnvFile('.env'))
  const reading = readEnv()
  return ensureAppSecret(
    loadConfigWith(
      modules,
      demands.flatMap((demand) => demand(reading)),
    ),
  )
}

function loadConfigWith(modules: readonly Module[], unmet: string[]): Config {
  let config: Config
  try {
    config = loadConfig(undefined, modules)
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...error.problems, ...unmet]) : error
  }
  if (unmet.length > 0) throw new ConfigError(unmet)
  return config
}

/** Tokens and links contain the port, so it is chosen before listening. */
async function choosePort(config: Config): Promise<Config> {
  const { http } = config
  if (http.port !== 0) return config
  const port = await chooseFreePort()
  const publicUrl = http.publicUrl === 'http://localhost:0' ? `http://localhost:${port}` : http.publicUrl
  return freeze({ ...config, http: { ...http, port, publicUrl } })
}

async function openDatabase(config: Config, onLost?: (error: Error) => void): Promise<Environment> {
  if (config.database.appUrl !== null)
    return { config, embeddedPort: null, keepsSecret: isKept(config), release: async () => {} }
  const embedded = await startEmbedded({ dataDir: config.dataDir, log: say, onLost })
  return onEmbedded(config, embedded, () => embedded.stop())
}

/** The embedded PostgreSQL that another process runs on this folder; undefined before it was created. */
async function findRunning(config: Config): Promise<Environment | undefined> {
  const secrets = await findSecrets(join(config.dataDir, 'postgres.json'))
  if (!secrets) return undefined
  const { port, passwords } = secrets
  const urlOf = (role: 'app' | 'system' | 'owner') =>
    `postgres://tenantry_${role}:${passwords[role]}@127.0.0.1:${port}/tenantry`
  const urls = { port, appUrl: urlOf('app'), systemUrl: urlOf('system'), ownerUrl: urlOf('owner') }
  return onEmbedded(config, urls, async () => {})
}

interface EmbeddedUrls {
  port: number
  appUrl: string
  systemUrl: string
  ownerUrl: string
}

function onEmbedded(config: Config, { port, appUrl, systemUrl, ownerUrl }: EmbeddedUrls, release: () => Promise<void>) {
  const database = { ...config.database, appUrl, systemUrl, ownerUrl, listenUrl: null }
  return { config: freeze({ ...config, database }), embeddedPort: port, keepsSecret: isKept(config), release }
}

/** The environment has been read by now, `.env` included. */
const isKept = ({ appSecret }: Config): boolean => readEnv().env.APP_SECRET !== appSecret
