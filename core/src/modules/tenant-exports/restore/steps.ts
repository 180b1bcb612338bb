import type { Ctx } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import type { ReadingProgress } from '../import/steps.ts'
import type { Row } from '../reading/json.ts'
import type { TableToRead } from '../reading/match-tables.ts'
import type { Archive } from '../reading/open-archive.ts'
import type { RestoreCounts } from '../table.ts'
import type { RowsHere } from './restore-queries.ts'

/** Rows that are compared and written in one transaction, which holds their locks. */
export const PART = { bytes: 1024 * 1024, most: 500 }

export interface RestoreOptions {
  path: string
  /** The id or slug of the tenant that it is an export of. */
  tenant: string
  /** These alone; null: all that come back unless they are named. */
  tables: readonly string[] | null
  /** Removes rows that the export does not have. */
  replaces: boolean
  isDry: boolean
  stopping: AbortSignal
  progress: ReadingProgress
}

/** A restore as it compares and writes. */
export interface Restore {
  archive: Archive
  manifest: Manifest
  tables: readonly TableToRead[]
  options: RestoreOptions
}

export type Counts = Record<string, RestoreCounts>

export const noCounts = (): RestoreCounts => ({ missing: 0, changed: 0, extra: 0, unrestorable: 0 })

/** What a transaction of a restore is: of the system role, in the tenant. */
export const inTenant = (tenantId: string) => ({ role: 'system', tenantId }) as const // a word is a type

/** What its module says of bringing rows of a table back. */
export function ruleOf(ctx: Ctx, { name }: TableToRead) {
  const rule = ctx.registry.exported.get(name)
  return (typeof rule === 'object' && 'restored' in rule && rule.restored) || {}
}

/** The key of a row, and the tenant's: what it is found by. */
export const keyOf = ({ here }: TableToRead, row: Row): string[] => here.key.map(({ name }) => String(row[name]))

export const rowsHere = (
  { name, here }: TableToRead,
  tenantId: string,
  { columns, rows }: { columns: readonly string[]; rows: readonly Row[] },
): RowsHere => ({
  ...{ table: name, tenantKey: here.tenant_key, tenantId, key: here.key, columns },
  rows: rows.map((row) => JSON.stringify(row)),
})
