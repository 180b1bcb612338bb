import type { Core } from '../core.ts'
import { sqlState } from './errors.ts'

/** A lock could not be had in time, or two waited for each other. */
const BUSY = ['55P03', '40P01']
const AHEAD = 3

/**
 * Of tables whose months are kept for so many days (`tenantry.kept_for`): makes those of the next months and drops those that
 * are old enough. What somebody reads just then is dropped by the next run.
 */
export async function tidyMonths({ db, clock, log }: Pick<Core, 'db' | 'clock' | 'log'>): Promise<void> {
  const tables = await db.systemQuery<{ name: string }>('select name from tenantry.tables where kept_days is not null')
  for (const { name } of tables)
    try {
      await db.systemQuery('select tenantry.ensure_partitions($1, $2::date, $3)', [name, clock.now(), AHEAD])
      for (let dropped = true; dropped; ) {
        const [row] = await db.systemQuery<{ dropped: boolean }>('select tenantry.drop_oldest_month($1) as dropped', [
          name,
        ])
        dropped = row?.dropped ?? false
      }
    } catch (error) {
      // One table keeps the others from nothing.
      if (!BUSY.includes(sqlState(error) ?? '')) log.error({ err: error, table: name }, 'months could not be tidied')
      else log.info({ table: name }, 'a table is in use, and its months are tidied later')
    }
}
