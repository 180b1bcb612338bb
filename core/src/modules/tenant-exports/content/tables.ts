import { type Ctx, type ExportRule, listTableVersions, type TableVersion } from '#kernel'
import { listTableShapes, type TableShape } from './content-queries.ts'

/** A table that is exported, as far as it is. */
export interface ExportedTable extends TableShape, TableVersion {
  /** Columns of it that are left out. */
  without: readonly string[]
  /** Those of them that every row says something of. */
  required: readonly string[]
}

/** A table of which nothing is exported, and why. */
export interface LeftOut {
  name: string
  reason: string
}

export interface Selection {
  /** Each behind those that its rows refer to. */
  tables: ExportedTable[]
  leftOut: LeftOut[]
}

/**
 * What is exported of which table. A table of which its module says nothing is exported whole; one that belongs to no module of
 * this core is not, since nobody says what of it is secret. Throws for a column to leave out that is not there: it may be there under another
 * name.
 */
export async function selectTables(ctx: Ctx): Promise<Selection> {
  const { modules, exported } = ctx.registry
  const versions = await listTableVersions(modules)
  const shapes = await ctx.transaction(({ tx }) => listTableShapes(tx), {
    role: 'system',
    tenantId: null,
    readOnly: true,
  })
  const tables: ExportedTable[] = []
  const leftOut: LeftOut[] = []
  for (const shape of shapes) {
    const version = versions.get(shape.name)
    const rule = exported.get(shape.name) ?? 'whole'
    if (!version) leftOut.push({ name: shape.name, reason: 'it belongs to no module that is installed' })
    else if (typeof rule === 'object' && 'never' in rule) leftOut.push({ name: shape.name, reason: rule.never })
    else tables.push({ ...shape, ...version, ...pickColumns(shape, rule) })
  }
  return { tables: inOrder(tables), leftOut }
}

function pickColumns(
  { name, columns }: TableShape,
  rule: Exclude<ExportRule, { never: string }>,
): Pick<ExportedTable, 'columns' | 'without' | 'required'> {
  const without = rule === 'whole' ? [] : (rule.without ?? [])
  const unknown = without.find((column) => !columns.some((each) => each.name === column))
  if (unknown !== undefined) throw new Error(`${name} is to be exported without ${unknown}, which it does not have`)
  const required = columns
    .filter(({ name, is_required }) => is_required && without.includes(name))
    .map(({ name }) => name)
  return { columns: columns.filter((column) => !without.includes(column.name)), without, required }
}

/** Referred to first; tables that refer to each other in a circle stay in the order of their names. */
function inOrder(tables: readonly ExportedTable[]): ExportedTable[] {
  const ordered = new Map<string, ExportedTable>()
  const byName = new Map(tables.map((table) => [table.name, table]))
  const visit = (table: ExportedTable, behind: ReadonlySet<string>): void => {
    if (ordered.has(table.name) || behind.has(table.name)) return
    const path = new Set([...behind, table.name])
    for (const name of table.refers_to) {
      const referred = byName.get(name)
      if (referred) visit(referred, path)
    }
    ordered.set(table.name, table)
  }
  for (const table of tables) visit(table, new Set())
  return [...ordered.values()]
}
