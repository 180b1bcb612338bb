import { createHash } from 'node:crypto'
import { type Ctx, FileMissing, type FileStorage, StorageDamaged } from '#kernel'
import { requireFile } from '../../rules.ts'
import type { UploadRow } from '../../table.ts'
import { deleteObject } from '../../upkeep/objects.ts'
import { piecePath } from '../pieces.ts'
import { findUpload } from '../queries.ts'
import { finishUpload } from '../reservation.ts'
import { updateTimes } from '../writer-queries.ts'
import { lost, timesOf } from './lease.ts'

/**
 * Makes a file of an upload whose pieces are all there: in the storage first, then in one transaction. When anything
 * fails between, the upload stands where it stood.
 */
export async function completeUpload(ctx: Ctx, upload: UploadRow): Promise<void> {
  const { storage_backend: backend, storage_path: path, pieces } = upload
  const contentType = upload.content_type ?? 'application/octet-stream'
  const storage = ctx.storages.of(backend)
  const written = await storage.write(path, joined(storage, upload), { contentType }).catch(async (error: unknown) => {
    // Its pieces go with an upload that was given up meanwhile.
    if (error instanceof FileMissing && !(await isThere(ctx, upload))) throw lost()
    throw error
  })
  if (written.bytes !== upload.size) throw new StorageDamaged(path)
  await ctx.transaction(async (ctx) => {
    if (!(await updateTimes(ctx.tx, upload, timesOf(ctx)))) throw lost()
    await requireFile(ctx, upload, 'change')
    await finishUpload(ctx, upload, { ...written, contentType })
    await ctx.enqueue(deleteObject, { backend, path, pieces, isJoined: true })
  })
}

const isThere = async (ctx: Ctx, { tenant_id, id }: UploadRow): Promise<boolean> =>
  (await ctx.transaction(({ tx }) => findUpload(tx, tenant_id, id), { readOnly: true })) !== undefined

/** What is there of an upload of which little is there. */
export async function readKept(ctx: Ctx, upload: UploadRow): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of joined(ctx.storages.of(upload.storage_backend), upload)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The pieces one after another, each held against what was kept of it. */
async function* joined(storage: FileStorage, upload: UploadRow): AsyncGenerator<Uint8Array> {
  for (const piece of upload.kept) {
    const [number, sha256] = piece.split(':', 2)
    const path = piecePath(upload.storage_path, Number(number))
    const hash = createHash('sha256')
    for await (const chunk of storage.read(path)) {
      const bytes: Uint8Array = chunk // storages read bytes
      hash.update(bytes)
      yield bytes
    }
    if (hash.digest('hex') !== sha256) throw new StorageDamaged(path)
  }
}
