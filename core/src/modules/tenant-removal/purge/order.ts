import type { TableGraph } from './removal-queries.ts'

/** Tables that are emptied together: one, or several that refer to each other, or to themselves. */
export interface TableGroup {
  tables: readonly string[]
  isCircular: boolean
}

/** Each group before those that its tables refer to, so that nothing refers to what goes; else in the order of names. */
export function inOrder({ tables, references }: TableGraph): TableGroup[] {
  const parents = Map.groupBy(references, ({ child }) => child)
  const reached = new Map(tables.map((table) => [table, reach(table, parents)]))
  const groups = new Map<string, string[]>()
  for (const table of tables) {
    const around = tables.filter((other) => reached.get(table)?.has(other) && reached.get(other)?.has(table))
    const [first = table] = [table, ...around].sort()
    groups.set(first, around.length > 0 ? around : [table])
  }
  const ordered: TableGroup[] = []
  const waiting = new Map(groups)
  while (waiting.size > 0) {
    // A group that no table of another one refers to; among groups there is no circle.
    const refersTo = (own: readonly string[]) => (references: ReadonlySet<string>) =>
      own.some((table) => references.has(table))
    const next = [...waiting].find(([name, own]) =>
      [...waiting].every(
        ([other, theirs]) => other === name || !theirs.some((table) => refersTo(own)(reached.get(table) ?? NONE)),
      ),
    )
    if (!next) throw new Error('The tables of tenants cannot be put into an order')
    waiting.delete(next[0])
    ordered.push({ tables: next[1], isCircular: next[1].some((table) => reached.get(table)?.has(table)) })
  }
  return ordered
}

const NONE: ReadonlySet<string> = new Set()

/** The tables that a table refers to, and those that these do; itself only where it refers to itself in the end. */
function reach(table: string, parents: ReadonlyMap<string, { parent: string }[]>): Set<string> {
  const found = new Set<string>()
  const visit = (from: string): void => {
    for (const { parent } of parents.get(from) ?? []) {
      if (found.has(parent)) continue
      found.add(parent)
      visit(parent)
    }
  }
  visit(table)
  return found
}
