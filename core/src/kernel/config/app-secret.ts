import { randomBytes } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../system-errors.ts'
import { type Config, ConfigError, freeze } from './config.ts'

const FILE = 'app_secret'

/**
 * Adds a secret to a configuration without APP_SECRET: it is stored in `<dataDir>/app_secret` (mode 0600) and created
 * at first use. Processes that start at the same time get the same one. Creates none in production. @throws ConfigError
 * in production, when the file holds no secret, and when it is missing although a database exists
 */
export async function ensureAppSecret(config: Config): Promise<Config> {
  if (config.appSecret !== null) return config
  if (config.env === 'production') throw new ConfigError(['APP_SECRET is required in production.'])
  const path = join(config.dataDir, FILE)
  // Checked first: a process that creates a database has created the secret before.
  const hasDatabase = config.database.appUrl === null && hasEntry(join(config.dataDir, 'postgres'))
  const kept = (await readIfThere(path)) ?? (hasDatabase ? refuse(path, config) : await make(path, config.dataDir))
  if (kept.length < 32) {
    throw new ConfigError([`APP_SECRET is unset and ${path} holds no usable secret: set one, or remove the file.`])
  }
  return freeze({ ...config, appSecret: kept })
}

/** A new secret could not decrypt existing data, as after restoring half a backup. */
function refuse(path: string, { dataDir }: Config): never {
  throw new ConfigError([
    `APP_SECRET is unset and ${path} is gone, although there is a database in ${dataDir}: restore the file from the same backup, or set APP_SECRET to what it held. Any other secret opens nothing that was sealed.`,
  ])
}

async function make(path: string, dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${randomBytes(48).toString('base64url')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  // Linking, unlike renaming, never replaces what another process has put there meanwhile.
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await unlink(draft)
  return (await readIfThere(path)) ?? ''
}

/** True also for a broken link: its target is missing and must be reported. */
function hasEntry(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}
