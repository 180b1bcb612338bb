import { inOrder, type TableGroup } from './order.ts'
import { deleteLeaves, deleteRows, listTables, lockRemoving, updateLoosened } from './removal-queries.ts'
import { countRows, goOn, type Run, step } from './run.ts'

const system = { role: 'system', tenantId: null, readOnly: true } as const // a literal of TransactionOptions

/** Removes every row of every table of the tenant but `tenants`, also of tables whose module is not installed any more. */
export async function removeRows(run: Run): Promise<void> {
  const graph = await run.ctx.transaction(({ tx }) => listTables(tx), system)
  for (const group of inOrder(graph)) {
    if (group.isCircular) await emptyCircle(run, group)
    else for (const table of group.tables) await emptyTable(run, table)
  }
}

async function emptyTable(run: Run, table: string): Promise<void> {
  for (let isLast = false; !isLast; ) {
    const { removed, is_last } = await step(run, async ({ tx }, progress) => {
      const done = await deleteRows(tx, run.tenantId, table, run.most)
      countRows(progress, table, done.removed)
      return done
    })
    isLast = is_last
    goOn(run, removed)
  }
}

/** From the leaves on; where rows refer to each other in a circle, references are taken out of it first. */
async function emptyCircle(run: Run, { tables }: TableGroup): Promise<void> {
  for (;;) {
    let gone = 0
    for (const table of tables) gone += await removeLeaves(run, table, tables)
    if (gone > 0) continue
    let loosened = 0
    for (const table of tables) loosened += await loosen(run, table, tables)
    // Whatever is left then is found at the end, by its name.
    if (loosened === 0) return
  }
}

async function removeLeaves(run: Run, table: string, among: readonly string[]): Promise<number> {
  let sum = 0
  for (let gone = 1; gone > 0; sum += gone) {
    gone = await step(run, async ({ tx }, progress) => {
      const removed = await deleteLeaves(tx, run.tenantId, table, among, run.most)
      countRows(progress, table, removed)
      return removed
    })
    goOn(run, gone)
  }
  return sum
}

async function loosen(run: Run, table: string, among: readonly string[]): Promise<number> {
  const loosened = await step(run, ({ tx }) => updateLoosened(tx, run.tenantId, table, among, run.most))
  goOn(run, loosened)
  return loosened
}

/** Removes what modules hold of the tenant in tables that belong to none. */
export async function removeHoldings(run: Run): Promise<void> {
  for (const holding of run.ctx.registry.holdings) {
    if (!('remove' in holding) || holding.isLast) continue
    for (let isMore = true; isMore; ) {
      const { most } = run
      const removed = await step(run, async ({ tx }, progress) => {
        await lockRemoving(tx, run.tenantId)
        const removed = await holding.remove(tx, run.tenantId, most)
        countRows(progress, holding.table, removed)
        return removed
      })
      isMore = removed >= most
      goOn(run, removed)
    }
  }
}
