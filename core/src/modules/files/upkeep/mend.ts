import type { Backend, Ctx, FileStorage } from '#kernel'
import { findFile } from '../queries.ts'
import type { FileRow } from '../table.ts'
import type { Finding } from './compare.ts'
import { noteFound, noteMissing } from './missing.ts'
import { holds, isThere, retireCopy } from './objects.ts'
import { type Swept, updateBackend } from './sweep-queries.ts'

/** What was mended of one finding of a file that seemed absent: null when it was there after all. */
export type Absent = { file: FileRow; elsewhere: Backend | null } | null

/** Mends one thing that the comparison has found, but for files that seem absent. */
export async function mend(ctx: Ctx, storage: FileStorage, finding: Exclude<Finding, { is: 'absent' }>): Promise<void> {
  switch (finding.is) {
    case 'orphan':
    case 'piece':
      return storage.delete(finding.object.key)
    case 'copy': {
      const { id, storage_path: path } = finding.file
      const copy = { id, backend: storage.backend, path }
      const options = { dedupeKey: `${retireCopy.name}:${storage.backend}:${id}` }
      return ctx.transaction((ctx) => ctx.enqueue(retireCopy, copy, options))
    }
    case 'found':
      return ctx.transaction((ctx) => noteFound(ctx, finding.file))
    case 'unknown':
      return ctx.log.warn({ key: finding.object.key, storage_backend: storage.backend }, 'nobody knows an object')
  }
}

/** Mends a file that its storage seems to be without. That may be over: it is asked again, and what is true now is told. */
export async function mendAbsent(ctx: Ctx, swept: Pick<Swept, 'id'>): Promise<Absent> {
  const absent = await confirmAbsent(ctx, swept)
  if (!absent) return null
  const { file, elsewhere } = absent
  const place = { file: file.id, tenant_id: file.tenant_id, storage_backend: file.storage_backend }
  if (elsewhere) {
    const change = { from: file.storage_backend, to: elsewhere, now: ctx.clock.now() }
    await ctx.transaction(({ tx }) => updateBackend(tx, file, change))
    ctx.log.warn(place, 'a file is in another storage than its row said')
  } else if (file.missing_at === null) {
    await ctx.transaction((ctx) => noteMissing(ctx, file))
    ctx.log.error(place, 'the storage is without a file')
  }
  return absent
}

/** The file, when its storage really is without it now, and which other one has it. Something of another size is not it. */
export async function confirmAbsent(ctx: Ctx, { id }: Pick<Swept, 'id'>): Promise<Absent> {
  const file = await ctx.transaction(({ tx, tenantId }) => findFile(tx, tenantId, id), { readOnly: true })
  if (!file || (await isThere(ctx, file))) return null
  const others = ctx.storages.all.filter(({ backend }) => backend !== file.storage_backend)
  for (const other of others) if (await holds(other, file)) return { file, elsewhere: other.backend }
  return { file, elsewhere: null }
}
