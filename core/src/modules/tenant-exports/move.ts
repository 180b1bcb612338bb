import { type Backend, type Ctx, copyBetween, isSame, type Movable, type Move, type StoredKind } from '#kernel'
import { folderOf } from './keys.ts'
import { findExport, listExportsElsewhere, updateBackend } from './queries.ts'

const PAGE = 200
type Elsewhere = Awaited<ReturnType<typeof listExportsElsewhere>>[number]

/** Moves exports that are done. */
export const storedExports: StoredKind = {
  name: 'exports of tenants',
  foldersOf: (tenantId) => [folderOf(tenantId)],
  async *list(ctx, { to, from, tenantId, ...move }) {
    for (let after: string | null = null; ; ) {
      const page = { to: to.backend, from, tenantId, after, limit: PAGE }
      const found: Elsewhere[] = await ctx.transaction(({ tx }) => listExportsElsewhere(tx, page), {
        role: 'system',
        tenantId: null,
        readOnly: true,
      })
      for (const row of found) yield movable(ctx, { to, from, tenantId, ...move }, row)
      after = found.at(-1)?.storage_path ?? null
      if (found.length < PAGE) return
    }
  },
}

const movable = (ctx: Ctx, move: Move, row: Elsewhere): Movable => ({
  key: row.storage_path ?? row.id,
  bytes: row.size ?? 0,
  move: () => moveExport(ctx, move, row),
})

async function moveExport(ctx: Ctx, { to, open }: Move, { tenant_id: tenantId, id }: Elsewhere): Promise<boolean> {
  const row = await ctx.transaction(({ tx }) => findExport(tx, tenantId, id), { tenantId, readOnly: true })
  if (!row?.storage_path || !row.storage_backend || row.storage_backend === to.backend) return false
  const { storage_path: key, storage_backend: backend } = row
  const from = open(backend)
  const expected = { bytes: row.size ?? 0, sha256: row.checksum_sha256 ?? '' }
  const copied = await copyBetween(from, to, key, { contentType: 'application/zip', expected })
  if (!isSame(copied, expected)) throw new Error(`what the storage ${backend} holds is not what was exported (SHA-256)`)
  const change: { from: Backend; to: Backend; now: string } = { from: backend, to: to.backend, now: ctx.clock.now() }
  const moved = await ctx.transaction(({ tx }) => updateBackend(tx, row, change), { tenantId })
  if (moved) await from.delete(key)
  return moved !== undefined
}
