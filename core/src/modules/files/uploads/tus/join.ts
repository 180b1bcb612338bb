import { createHash } from 'node:crypto'
import { type Ctx, conflict, FileMissing, type FileStorage, StorageDamaged } from '#kernel'
import { findFile } from '../../queries.ts'
import { requireFile } from '../../rules.ts'
import type { UploadRow } from '../../table.ts'
import { deleteObject } from '../../upkeep/objects.ts'
import { piecePath } from '../pieces.ts'
import { findUpload } from '../queries.ts'
import { finishUpload, giveUp } from '../reservation.ts'
import { updateTimes } from '../writer-queries.ts'
import { lost, timesOf } from './lease.ts'
import { lockAny } from './queries.ts'

/**
 * Makes a file of an upload whose pieces are all there: in the storage first, then in one transaction. When anything
 * fails between, the upload stands where it stood. `requireLease` throws once another request goes on.
 */
export async function completeUpload(ctx: Ctx, upload: UploadRow, requireLease: () => void): Promise<void> {
  const { storage_backend: backend, storage_path, pieces } = upload
  // Nobody else ever has this number: one who comes late, when the upload is a file, writes into nobody's.
  const path = `${storage_path}-${pieces}`
  try {
    const written = await join(ctx, upload, { path, requireLease })
    const caller = await ctx.proveAgain()
    await caller.transaction(async (ctx) => {
      if (!(await updateTimes(ctx.tx, upload, timesOf(ctx)))) throw lost()
      await requireFile(ctx, upload, 'change')
      await finishUpload(ctx, upload, { ...written, path })
      await ctx.enqueue(deleteObject, { backend, path: storage_path, pieces, isJoined: true })
    })
  } catch (error) {
    await leave(ctx, upload, path)
    throw error
  }
}

async function join(ctx: Ctx, upload: UploadRow, { path, requireLease }: { path: string; requireLease: () => void }) {
  const storage = ctx.storages.of(upload.storage_backend)
  const contentType = upload.content_type ?? 'application/octet-stream'
  async function* held() {
    for await (const chunk of joined(storage, upload)) {
      requireLease()
      yield chunk
    }
  }
  const written = await storage.write(path, held(), { contentType }).catch(async (error: unknown) => {
    const isOfPiece = error instanceof FileMissing || (error instanceof StorageDamaged && error.key !== path)
    throw isOfPiece ? await withoutPiece(ctx, upload) : error
  })
  if (written.bytes !== upload.size) throw new StorageDamaged(path)
  return { ...written, contentType }
}

/** Its pieces go with an upload that was given up. One that has lost a piece by itself never becomes a file, and ends. */
async function withoutPiece(ctx: Ctx, upload: UploadRow): Promise<Error> {
  const { tenant_id, id } = upload
  const isThere = await ctx.transaction(({ tx }) => findUpload(tx, tenant_id, id), { readOnly: true })
  if (!isThere) return lost()
  ctx.log.error({ upload: id, tenant_id }, 'the storage has lost a part of an upload')
  await ctx.transaction((ctx) => giveUp(ctx, upload))
  return conflict({ detail: 'The storage has lost a part of this upload: begin again' })
}

/** Removes what was written, unless it is the file: that a commit failed does not say so yet. */
async function leave(ctx: Ctx, upload: UploadRow, path: string): Promise<void> {
  const { tenant_id, id, storage_backend } = upload
  try {
    const file = await ctx.transaction(async ({ tx }) => {
      await lockAny(tx, upload)
      return findFile(tx, tenant_id, id)
    })
    if (file?.storage_path !== path) await ctx.storages.of(storage_backend).delete(path)
  } catch (error) {
    ctx.log.warn({ err: error, upload: id }, 'a file that did not come into being stays until it is swept')
  }
}

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
