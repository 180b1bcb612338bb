import { type Backend, type Ctx, everyTenant } from '#kernel'
import { compare } from './compare.ts'
import { type Doubt, doubtsOf, nothing, type SweepReport } from './report.ts'
import { listTenantsToSweep } from './sweep-queries.ts'

/** What looks, in all tenants together, as if a storage or the database were not the right one. */
export type Doubts = ReadonlyMap<Backend, readonly Doubt[]>

/**
 * Compares all storages with the rows of all tenants, in numbers: tenants that have few files each would otherwise be told one
 * by one that they are lost. Null when another process is at it.
 */
export async function survey(ctx: Ctx): Promise<Doubts | null> {
  for (;;) {
    const seen = new Map(ctx.storages.all.map(({ backend }) => [backend, nothing()]))
    let isWhole: boolean | null = null
    await everyTenant(ctx, {
      name: 'files.survey_storages',
      transaction: 'manual',
      list: (tx, page) => {
        isWhole ??= page.after === null
        return listTenantsToSweep(tx, page)
      },
      work: (ctx, _tenant, stopping) => addTenant(ctx, seen, stopping),
    })
    if (isWhole === null) return null
    // What a process that died had counted is not known.
    if (isWhole) return new Map([...seen].map(([backend, report]) => [backend, doubtsOf(report)]))
  }
}

/** A storage that cannot be read to its end is not counted: nothing of that tenant is touched later either. */
async function addTenant(ctx: Ctx, seen: ReadonlyMap<Backend, SweepReport>, stopping: AbortSignal): Promise<void> {
  for (const storage of ctx.storages.all) {
    const own = nothing()
    for await (const finding of compare(ctx, storage, own)) {
      stopping.throwIfAborted()
      // A loss that is known already raises no doubt.
      if (finding.is === 'absent' && finding.file.missing_at === null) own.missing++
      else if (finding.is === 'orphan') own.orphans++
    }
    const all = seen.get(storage.backend)
    if (all) for (const each of ['files', 'objects', 'missing', 'orphans'] as const) all[each] += own[each] // names of numbers
  }
}
