import { ConfigError } from '../kernel/config/config.ts'
import type { Core } from '../kernel/core.ts'

/** Kinds of encrypted values of which some cannot be decrypted with any configured secret. */
export const findUnopened = (core: Core): Promise<string[]> =>
  findKinds(core, (opened) => opened.some((isOpen) => !isOpen))

/** Kinds of which nothing can be decrypted; values added with another secret do not count. */
const findClosed = (core: Core): Promise<string[]> =>
  findKinds(core, (opened) => opened.length > 0 && !opened.includes(true))

async function findKinds(core: Core, isMeant: (opened: boolean[]) => boolean): Promise<string[]> {
  const kinds = core.registry.modules.flatMap(({ sealed }) => sealed)
  const found = await Promise.all(
    kinds.map(async ({ name, samples }) => {
      const opened = (await samples(core)).map(({ sealed, context }) => opens(core, sealed, context))
      return isMeant(opened) ? [name] : []
    }),
  )
  return found.flat()
}

/**
 * For a secret from the file in DATA_DIR: refuses one that does not match the database, as after the file was lost and
 * created again. @throws ConfigError
 */
export async function assertKeptSecretOpens(core: Core): Promise<void> {
  const unopened = await findClosed(core)
  if (unopened.length === 0) return
  throw new ConfigError([
    `APP_SECRET is unset, and what ${core.config.dataDir}/app_secret holds does not open the ${unopened.join(', ')} of this database: restore the file, or set APP_SECRET.`,
  ])
}

function opens({ secrets }: Core, sealed: string, context: string): boolean {
  try {
    secrets.open(sealed, context)
    return true
  } catch {
    return false
  }
}
