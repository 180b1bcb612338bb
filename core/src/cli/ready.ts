import { migrationsOf } from '../create-core.ts'
import type { Core } from '../kernel/core.ts'
import { findMissingMigrations, MigrationRefused } from '../kernel/db/migrate.ts'
import { counted } from './migrate.ts'

/** Throws when the schema is not current; the core checks the rest itself. */
export async function assertReady(core: Core): Promise<void> {
  const missing = await findMissingMigrations(
    (sql) => core.db.systemPool.query(sql),
    migrationsOf(core.registry.modules.slice()),
  )
  if (missing.length > 0)
    throw new MigrationRefused(
      `The schema lacks ${counted(missing.length, 'migration')} (${missing[0]}${missing.length > 1 ? ' …' : ''}): run "${core.product.command} migrate" first.`,
    )
}
