import type { Ctx } from '#kernel'
import { listColumnsNaming } from './removal-queries.ts'

/** Columns of global tables that name tenants, and of which no module says what becomes of it. Called as the system role. */
export async function findUnknownColumns({ tx, registry }: Pick<Ctx, 'tx' | 'registry'>): Promise<string[]> {
  const known = new Set(
    registry.holdings.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`)),
  )
  return (await listColumnsNaming(tx)).filter((place) => !known.has(place))
}

/** Throws where something would be left of a tenant that nobody knows about. */
export async function requireAllKnown(ctx: Ctx): Promise<void> {
  const unknown = await findUnknownColumns(ctx)
  if (unknown.length > 0)
    throw new Error(
      `Nothing is removed: no module says what becomes of the tenant in ${unknown.join(', ')} (holdings). Install the module that the table is of, or drop the table`,
    )
}
