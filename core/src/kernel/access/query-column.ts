import type { OperationNode } from 'kysely'

/** Kysely's nodes of queries that take a condition: what they read is in these places. */
interface ReadingNode extends OperationNode {
  readonly table?: OperationNode
  readonly from?: { readonly froms: readonly OperationNode[] }
  readonly using?: { readonly tables: readonly OperationNode[] }
  readonly joins?: readonly { readonly table: OperationNode }[]
}

/** A table, or an alias of one or of a subquery. */
interface SourceNode extends OperationNode {
  readonly node?: SourceNode
  readonly alias?: { readonly name?: string }
  readonly table?: { readonly identifier: { readonly name: string } }
}

/**
 * The name of a column (`leases.store_id`) within a query, which may read the table under an alias. Throws when the query
 * does not read the table, or reads it twice under aliases only.
 */
export function columnIn(query: object, column: string): string {
  // Only a builder of Kysely tells what it reads.
  if (!('toOperationNode' in query) || typeof query.toOperationNode !== 'function') return column
  const dot = column.lastIndexOf('.')
  const [table, name] = [column.slice(0, dot), column.slice(dot + 1)]
  const read = sourcesOf(query.toOperationNode())
  if (read.some((source) => source.name === table)) return column
  const [alias, another] = read.filter((source) => source.table === table)
  if (alias?.name === undefined) {
    const advice = 'use ctx.requireStore(row.store_id) for rows of other tables'
    throw new Error(`This route's rows are ${column}, and the query does not read ${table}: ${advice}`)
  }
  if (another)
    throw new Error(`This route's rows are ${column}, and the query reads ${table} twice: give \`rows\` as SQL`)
  return `${alias.name}.${name}`
}

/** What a query reads: the name that it has there, and the table. */
function sourcesOf({ table, from, using, joins = [] }: ReadingNode) {
  const nodes = [table, from?.froms, using?.tables, joins.map((join) => join.table)].flat() as (
    | SourceNode
    | undefined
  )[] // in these places
  return nodes.flatMap((node) => {
    const source = node?.node ?? node
    const known = source?.table?.identifier.name
    return node ? [{ name: node.alias ? node.alias.name : known, table: known }] : []
  })
}
