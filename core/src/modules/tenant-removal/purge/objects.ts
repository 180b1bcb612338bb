import { type Backend, type Ctx, type FileStorage, outsideTenants } from '#kernel'
import { measurePicture, removePicture, replacePicture } from '../../pictures/index.ts'
import { findTenant, takeLogo } from '../../tenants/index.ts'
import type { Progress, StorageTally } from '../table.ts'
import { listBackends, lockRemoving } from './removal-queries.ts'
import { countRows, goOn, type Run, step } from './run.ts'

/** Objects that are removed at the same time, and after how many the claim is prolonged. */
const AT_ONCE = 16
const PART = 512

/**
 * Counts what the storages have of the tenant, once, before any of it goes: so a process that dies in between counts nothing twice.
 * Throws `StorageUnknown`, and nothing goes, where files are in a storage that the settings do not describe.
 */
export async function measureObjects(run: Run): Promise<void> {
  if (run.progress.is_measured) return
  const { ctx, tenantId } = run
  const used = await ctx.transaction(({ tx }) => listBackends(tx, tenantId), {
    role: 'system',
    tenantId: null,
    readOnly: true,
  })
  for (const backend of used) ctx.storages.of(backend)
  const tallies: Progress['storages'] = {}
  for (const storage of ctx.storages.all) tallies[storage.backend] = await tally(run, storage, async () => {})
  await step(run, async ({ tx }, progress) => {
    await lockRemoving(tx, tenantId)
    progress.storages = tallies
    progress.is_measured = true
  })
  goOn(run, 1)
}

/** Removes what the storages have of the tenant. */
export async function removeObjects(run: Run): Promise<void> {
  for (const storage of run.ctx.storages.all)
    await tally(run, storage, async (keys) => {
      await removeAll(storage, keys)
      goOn(run, keys.length)
    })
}

/** Removes what was written since by whoever did not know yet, such as an export that was under way. */
export async function removeLate(run: Run): Promise<void> {
  for (const storage of run.ctx.storages.all) {
    const late = await tally(run, storage, async () => {})
    if (late.objects === 0) continue
    await step(run, async ({ tx }, progress) => {
      await lockRemoving(tx, run.tenantId)
      addTally(progress, storage.backend, late)
    })
    await tally(run, storage, (keys) => removeAll(storage, keys))
  }
}

/** Goes through a tenant's objects in parts. */
async function tally(run: Run, storage: FileStorage, part: (keys: string[]) => Promise<void>): Promise<StorageTally> {
  const sum = { objects: 0, bytes: 0 }
  let keys: string[] = []
  const flush = async () => {
    // It takes as long as it takes; whoever is at it shows it, and looks whether it still is to be.
    await step(run, ({ tx }) => lockRemoving(tx, run.tenantId))
    await part(keys)
    keys = []
  }
  for (const folder of foldersOf(run.ctx, run.tenantId))
    for await (const { key, bytes } of storage.list(folder)) {
      sum.objects++
      sum.bytes += bytes
      keys.push(key)
      if (keys.length >= PART) await flush()
    }
  if (keys.length > 0) await flush()
  return sum
}

const foldersOf = ({ registry }: Ctx, tenantId: string): string[] =>
  registry.modules.flatMap(({ stored }) => stored.flatMap((kind) => kind.foldersOf(tenantId)))

async function removeAll(storage: FileStorage, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += AT_ONCE)
    await Promise.all(keys.slice(from, from + AT_ONCE).map((key) => storage.delete(key)))
}

function addTally(progress: Progress, backend: Backend, { objects, bytes }: StorageTally): void {
  const before = progress.storages?.[backend] ?? { objects: 0, bytes: 0 }
  const sum = { objects: before.objects + objects, bytes: before.bytes + bytes }
  progress.storages = { ...progress.storages, [backend]: sum }
}

/** Removes the logo, which is in nobody's folder. */
export async function removeLogo(run: Run): Promise<void> {
  const { ctx, tenantId } = run
  const system = { role: 'system', tenantId: null, readOnly: true } as const // a literal of TransactionOptions
  const logoId = (await ctx.transaction(({ tx }) => findTenant(tx, tenantId), system))?.logo_id
  if (!logoId) return
  const found = await measurePicture(ctx, logoId)
  await step(run, async (inner, progress) => {
    await lockRemoving(inner.tx, tenantId)
    await takeLogo(inner.tx, tenantId)
    // A job removes the files where this process does not come to it.
    await replacePicture(outsideTenants(inner), logoId, null)
    countRows(progress, 'pictures', 1)
    if (!found) return
    const bytes = [...found.sizes.values()].reduce((sum, size) => sum + size, 0)
    addTally(progress, found.backend, { objects: found.sizes.size, bytes })
  })
  await removePicture(ctx, logoId)
  goOn(run, 1)
}
