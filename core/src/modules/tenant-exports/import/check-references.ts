import type { Ctx } from '#kernel'
import { findLacking } from './import-queries.ts'
import { partsOf } from './lines.ts'
import type { Archive } from './open-archive.ts'
import { ImportRefused } from './problem.ts'
import type { TableToImport } from './read-manifest.ts'

const PART = { from: 0, bytes: 1024 * 1024, most: 2_000 }

/**
 * Checks that what rows refer to among the installation's own rows (a plan, say) is here. Throws `ImportRefused`, naming
 * it, before anything is written.
 */
export async function checkReferences(ctx: Ctx, archive: Archive, tables: readonly TableToImport[]): Promise<void> {
  for (const { name, here, columns, told } of tables) {
    const globals = here.globals.filter(({ column }) => columns.includes(column))
    if (globals.length === 0) continue
    for await (const { lines } of partsOf(await archive.read(told.entry), PART)) {
      const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>) // the database says whether they fit
      for (const reference of globals) {
        const values = new Set(rows.flatMap((row) => row[reference.column] ?? []).map(String))
        const lacking = await ctx.transaction(({ tx }) => findLacking(tx, reference, [...values]), {
          role: 'system',
          tenantId: null,
        })
        if (lacking !== undefined)
          throw new ImportRefused(
            `${name}.${reference.column} refers to ${reference.table} ${lacking}, which is not here`,
          )
      }
    }
  }
}
