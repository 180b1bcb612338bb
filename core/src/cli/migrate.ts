import { migrationsOf } from '../create-core.ts'
import { type Config, ConfigError } from '../kernel/config/config.ts'
import { migrate } from '../kernel/db/migrate.ts'
import type { Module } from '../kernel/module.ts'
import { type Command, say } from './command.ts'
import { assertConnects } from './connections.ts'
import { visitEnvironment } from './environment.ts'

export const migrateCommand: Command = {
  summary: 'bring the schema up to date',
  help: (cli) => `Usage: ${cli} migrate

Applies every migration that the database lacks, in order, each in a transaction. Needs DATABASE_OWNER_URL beside
DATABASE_URL and DATABASE_SYSTEM_URL; without any of them it migrates the embedded PostgreSQL. Safe to run from many
machines at once: one works, the others wait. Refuses a database that is newer than this code.`,
  async run(_values, options) {
    const environment = await visitEnvironment(options, { migrates: true })
    try {
      await assertConnects(environment.config, options.product)
      const applied = await migrateSchema(environment.config, options.modules, say)
      return say(applied === 0 ? 'The schema is up to date.' : `Applied ${counted(applied, 'migration')}.`)
    } finally {
      await environment.release()
    }
  },
}

/** Applies what is missing; returns how many. */
export async function migrateSchema(
  { database }: Config,
  modules: readonly Module[],
  log?: (line: string) => void,
): Promise<number> {
  const { ownerUrl, appUrl, systemUrl } = database
  if (!ownerUrl || !appUrl || !systemUrl) throw new ConfigError(['DATABASE_OWNER_URL is required to migrate.'])
  return migrate({
    ownerUrl,
    systemUrl,
    appRole: userOf('DATABASE_URL', appUrl),
    systemRole: userOf('DATABASE_SYSTEM_URL', systemUrl),
    sources: migrationsOf(modules),
    log,
  })
}

/** `1 migration`, `2 migrations`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** The role that a database URL signs in as: tables are granted to it. */
function userOf(name: string, url: string): string {
  const user = decodeURIComponent(new URL(url).username)
  if (user === '')
    throw new ConfigError([`${name} must name its role: postgres://<role>:<password>@<host>/<database>.`])
  return user
}
