import type { Ctx, ExportRule } from '#kernel'
import type { Renamed } from './import-people.ts'
import { insertRows } from './import-queries.ts'
import { ImportRefused } from './problem.ts'
import type { TableToImport } from './read-manifest.ts'
import type { NotWhole } from './verify.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** What is said of a row in place of what was exported. */
type Anew = (row: { id: string } & Record<string, unknown>) => Record<string, unknown>

export interface RowsToImport {
  table: TableToImport
  tenantId: string
  renamed: Renamed
  /** Null: rows are what was exported. */
  anew: Anew | null
}

/**
 * Inserts rows, in the transaction of `ctx`, which is of the system role. Throws `ImportRefused` where one is not the tenant's, or is refused by
 * the database.
 */
export async function importRows(
  { tx }: Ctx,
  { table, tenantId, renamed, anew }: RowsToImport,
  read: readonly string[],
): Promise<void> {
  const { name, here } = table
  const lines = renamed.size === 0 ? read : read.map((line) => line.replaceAll(UUID, (id) => renamed.get(id) ?? id))
  const replaced = anew && lines.map((line) => anew(JSON.parse(line)))
  const columns = [...new Set([...table.columns, ...Object.keys(replaced?.[0] ?? {})])]
  const rows = { table: name, tenant_key: here.tenant_key, columns, tenantId, lines }
  const inserted = await insertRows(tx, { ...rows, anew: replaced?.map((each) => JSON.stringify(each)) ?? null }).catch(
    (error: Error) => {
      // What another attempt may cure is not the export's fault.
      if (/^(?:22|23)/.test(String((error as { code?: unknown }).code)))
        throw new ImportRefused(`a row of the table ${name} does not fit: ${error.message}`)
      throw error
    },
  )
  if (inserted !== lines.length) throw new ImportRefused(`a row of the table ${name} does not belong to the tenant`)
}

/** What files say in place of where they were. */
export const filesAnew =
  ({ clock, storage }: Ctx, tenantId: string, notWhole: NotWhole): Anew =>
  ({ id, missing_at }) => ({
    storage_backend: storage.backend,
    storage_path: fileKey(tenantId, id),
    missing_at: notWhole.has(id) ? (missing_at ?? clock.now()) : null,
  })

/** Where the files of a tenant are kept. */
export const fileKey = (tenantId: string, id: string): string => `files/${tenantId}/${id}`

/** What a module says of its table. */
export function anewOf(ctx: Ctx, rule: ExportRule | undefined): Anew | null {
  if (typeof rule !== 'object' || !('anew' in rule) || !rule.anew) return null
  const { anew } = rule
  return (row) => anew(ctx, row)
}
