import type { Ctx, ExportRule, ImportRule } from '#kernel'
import type { Manifest } from '../content/manifest.ts'
import { type ExportedTable, selectTables } from '../content/tables.ts'
import { ImportRefused } from './refused.ts'

/** A table of the export, as this installation has it. */
export interface TableToRead {
  name: string
  here: ExportedTable
  rule: ImportRule
  told: Manifest['tables'][number]
  /** What brings its rows up to the schema of here, in order. */
  upgrades: NonNullable<ImportRule['upgrades']>[number][]
  /** Columns of the export that are not there any more. */
  dropped: string[]
}

/**
 * What the export has of which table of this installation, each behind those that its rows refer to; those whose rows nobody can take
 * away again come last. Throws `ImportRefused`, naming it, for a table that this installation does not have or read, one that a newer version
 * exported, and one that needs what an older one did not have.
 */
export async function matchTables(ctx: Ctx, { tables }: Manifest): Promise<TableToRead[]> {
  const here = (await selectTables(ctx)).tables
  const byName = new Map(here.map((table) => [table.name, table]))
  const matched = new Map(
    tables.map((told) => [told.name, match(told, byName.get(told.name), ctx.registry.exported.get(told.name))]),
  )
  const ordered = here.flatMap(({ name }) => matched.get(name) ?? [])
  const isLast = ({ here }: TableToRead) => here.append_only
  const rank = (table: TableToRead) => (table.name === 'tenants' ? 0 : isLast(table) ? 2 : 1)
  return ordered.sort((one, other) => rank(one) - rank(other))
}

type Told = Manifest['tables'][number]
function match(told: Told, here: ExportedTable | undefined, exported: ExportRule | undefined): TableToRead {
  const { name, module, schema_version: version } = told
  if (!here) throw new ImportRefused(`the table ${name} of the module ${module} is none that this installation reads`)
  if (here.module !== module)
    throw new ImportRefused(
      `the table ${name} belongs to the module ${here.module} here, and to ${module} in the export`,
    )
  if (version > here.version)
    throw new ImportRefused(
      `the table ${name} was exported by a newer version of ${module} (${version}; here it is ${here.version}): update this installation`,
    )
  const rule = (typeof exported === 'object' && 'imported' in exported && exported.imported) || {}
  const upgrades = Object.entries(rule.upgrades ?? {})
    .map(([number, upgrade]) => ({ number: Number(number), upgrade }))
    .filter(({ number }) => number > version && number <= here.version)
    .sort((one, other) => one.number - other.number)
    .map(({ upgrade }) => upgrade)
  const exportedColumns = told.columns.map((column) => column.name)
  const known = new Set(here.columns.map((column) => column.name))
  const missing = here.columns.find((column) => column.is_required && !exportedColumns.includes(column.name))
  if (missing && upgrades.length === 0 && told.rows > 0)
    throw new ImportRefused(`the table ${name} needs ${missing.name}, which the export does not have`)
  const dropped = upgrades.length > 0 ? [] : exportedColumns.filter((column) => !known.has(column))
  return { name, here, rule, told, upgrades, dropped }
}
