import { AppError, type Ctx, conflict, SECONDS } from '#kernel'
import { HEAD_BYTES } from '../../judge-type.ts'
import { findFile } from '../../queries.ts'
import type { UploadRow } from '../../table.ts'
import { deleteObject } from '../../upkeep/objects.ts'
import { requireType } from '../form.ts'
import { piecePath } from '../pieces.ts'
import { giveUp } from '../reservation.ts'
import { Arriving } from './arriving.ts'
import { completeUpload, readKept } from './join.ts'
import { keepLease, lost, takeLease, timesOf } from './lease.ts'
import { lockAny, updateKept } from './queries.ts'

const PIECE_BYTES = 16 * 1024 * 1024
/** A slow client loses no more than this when the process dies. */
const PIECE_MS = 20 * SECONDS
/** Pieces beyond those that a size needs: who sends a few bytes at a time makes an object of each. */
const MOST_SMALL_PIECES = 10_000

/** Where an upload stands after a request; `isComplete`: it has become a file. */
export interface Received {
  offset: number
  isComplete: boolean
  expiresAt: string
}

/**
 * Adds what arrives to an upload, whose offset moves with each piece that is safe in the storage. The last piece counts
 * with the file alone: where the offset says that all is there, the file is there. What arrived before a client broke off
 * stays. Throws 404, 409, 413, 415, 423.
 */
export async function receive(ctx: Ctx, id: string, offset: number, content: AsyncIterable<Buffer>): Promise<Received> {
  const upload = await ctx.transaction((ctx) => takeLease(ctx, id, offset))
  const source = new Arriving(content, sizeOf(upload) - offset)
  const lease = keepLease(ctx, upload, source)
  try {
    await requireContent(ctx, upload, source)
    return await receivePieces(ctx, upload, source)
  } finally {
    await source.close()
    await lease.end()
  }
}

/** Every resumable upload has announced it. */
const sizeOf = ({ size }: UploadRow): number => size ?? 0

/** Looks at the beginning as soon as it is there. An upload that is something else than its name says is given up. */
async function requireContent(ctx: Ctx, upload: UploadRow, source: Arriving): Promise<void> {
  const needed = Math.min(HEAD_BYTES, sizeOf(upload))
  if (upload.received >= needed) return
  const rest = await source.peek(needed - upload.received)
  if (upload.received + rest.length < needed) return
  const head = Buffer.concat([await readKept(ctx, upload), rest])
  try {
    await requireType(ctx, { filename: upload.filename, declared: null, head })
  } catch (error) {
    if (error instanceof AppError) await ctx.transaction((ctx) => giveUp(ctx, upload))
    throw error
  }
}

async function receivePieces(ctx: Ctx, upload: UploadRow, source: Arriving): Promise<Received> {
  let current = upload
  requireFewPieces(current)
  while ((await source.peek(1)).length > 0) {
    requireFewPieces(current)
    const kept = await receivePiece(ctx, current, source)
    if (kept === 'complete') return { offset: sizeOf(upload), isComplete: true, expiresAt: current.expires_at }
    current = kept
  }
  if (source.failure) throw source.failure.error
  return { offset: current.received, isComplete: false, expiresAt: current.expires_at }
}

/** Each request takes a number too, whether bytes come with it or not. */
function requireFewPieces(upload: UploadRow): void {
  if (upload.pieces < 2 * (Math.ceil(sizeOf(upload) / PIECE_BYTES) + MOST_SMALL_PIECES)) return
  throw conflict({ detail: 'The upload has come in too many small parts: begin again with larger ones' })
}

async function receivePiece(ctx: Ctx, upload: UploadRow, source: Arriving): Promise<UploadRow | 'complete'> {
  const storage = ctx.storages.of(upload.storage_backend)
  // Nobody else ever has this number, so a writer that comes late overwrites nothing.
  const number = upload.pieces - 1
  const path = piecePath(upload.storage_path, number)
  const begun = ctx.clock.ms()
  const isLate = () => ctx.clock.ms() - begun >= PIECE_MS
  const { bytes, sha256 } = await storage.write(path, source.take(PIECE_BYTES, isLate))
  const piece = `${number}:${sha256}`
  try {
    if (upload.received + bytes === sizeOf(upload)) {
      await completeUpload(ctx, { ...upload, kept: [...upload.kept, piece] }, source.requireGoing)
      return 'complete'
    }
    const kept = await ctx.transaction((ctx) => updateKept(ctx.tx, upload, { bytes, piece, ...timesOf(ctx) }))
    if (!kept) throw lost()
    return kept
  } catch (error) {
    await leavePiece(ctx, upload, { path, piece })
    throw error
  }
}

/**
 * Removes a piece that does not count: that its commit failed does not say so yet. Of an upload that was given up meanwhile,
 * all goes that came to lie there since.
 */
async function leavePiece(
  ctx: Ctx,
  upload: UploadRow,
  { path, piece }: { path: string; piece: string },
): Promise<void> {
  const { tenant_id, id, storage_backend: backend, pieces } = upload
  try {
    const isKept = await ctx.transaction(async (ctx) => {
      const row = await lockAny(ctx.tx, upload)
      if (!row && !(await findFile(ctx.tx, tenant_id, id)))
        await ctx.enqueue(deleteObject, { backend, path: upload.storage_path, pieces })
      return row?.kept.includes(piece)
    })
    if (!isKept) await ctx.storages.of(backend).delete(path)
  } catch (error) {
    ctx.log.warn({ err: error, upload: id }, 'a piece of an upload stays until it is swept')
  }
}
