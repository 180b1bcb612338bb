import { createHash } from 'node:crypto'
import { AppError, type Ctx, conflict, type FileStorage, notFound } from '#kernel'
import { HEAD_BYTES } from '../judge-type.ts'
import { presentFile } from '../present.ts'
import { findFile } from '../queries.ts'
import { requireFile } from '../rules.ts'
import type { File } from '../schema.ts'
import type { UploadRow } from '../table.ts'
import { busy, claimTimes, holding, SOON } from './claim.ts'
import { updateClaim, updateFrozen } from './direct-queries.ts'
import { requireType } from './form.ts'
import { readHead } from './head.ts'
import { piecePath } from './pieces.ts'
import { findUpload } from './queries.ts'
import { beginnerOf, finishUpload, giveUp } from './reservation.ts'
import { deleteWriter } from './writer-queries.ts'

/**
 * Makes a file of what was uploaded: it is copied from where the client could write to where it cannot. What it is to be is
 * settled by its SHA-256 before, and nothing else is ever written there, however late it comes: so the address, which is
 * still good, changes nothing any more. A file that is one already is answered again. Throws 404; 409 when nothing was
 * uploaded, something else than was announced, or another request is at it; 415.
 */
export async function completeDirect(ctx: Ctx, id: string): Promise<File> {
  const upload = await ctx.transaction((ctx) => claimOwn(ctx, id))
  if (!upload) return completed(ctx, id)
  try {
    return await takeOver(ctx, upload)
  } catch (error) {
    await leave(ctx, upload)
    throw error
  }
}

async function claimOwn(ctx: Ctx, id: string): Promise<UploadRow | null> {
  const found = await findUpload(ctx.tx, ctx.tenantId, id)
  if (!found) return null
  if (found.kind !== 'direct' || found.begun_by !== beginnerOf(ctx)) throw notFound()
  // What it belongs to may be gone, or closed to the caller, since it began.
  await requireFile(ctx, found, 'change')
  const claimed = await updateClaim(ctx.tx, found, claimTimes(ctx))
  if (!claimed) throw busy()
  return claimed
}

/** Whoever has uploaded it is told, and whoever may see it anyway. */
async function completed(ctx: Ctx, id: string): Promise<File> {
  return ctx.transaction(
    async (ctx) => {
      const file = await findFile(ctx.tx, ctx.tenantId, id)
      const isOwn = file !== undefined && file.uploaded_by !== null && file.uploaded_by === ctx.principal?.userId
      if (!file || !(isOwn || ctx.can('file.view', file.store_id))) throw notFound()
      await requireFile(ctx, file, 'view')
      return presentFile(ctx, file)
    },
    { readOnly: true },
  )
}

async function takeOver(ctx: Ctx, upload: UploadRow): Promise<File> {
  const storage = ctx.storages.of(upload.storage_backend)
  const piece = piecePath(upload.storage_path, 0)
  const bytes = await storage.size(piece)
  if (bytes === null) throw conflict({ detail: 'Nothing was uploaded yet', headers: SOON })
  if (bytes !== upload.size)
    throw await ended(
      ctx,
      upload,
      conflict({ detail: `What was uploaded has ${bytes} bytes, not the ${upload.size} that were announced` }),
    )
  const { head, content } = await readHead(storage.read(piece), HEAD_BYTES)
  const sha256 = await digestOf(holding(ctx, upload, content))
  const contentType = await judged(ctx, upload, head)
  const settled = await ctx.transaction(({ tx }) => updateFrozen(tx, upload, sha256))
  if (!settled) throw busy()
  if (settled.kept[0] !== sha256) throw await ended(ctx, upload, changed())
  const settledContent = holding(ctx, upload, unchanged(storage, piece, sha256))
  const written = await storage.write(upload.storage_path, settledContent, { contentType })
  const caller = await ctx.proveAgain()
  const file = await caller.transaction(async (ctx) => {
    if (!(await updateFrozen(ctx.tx, upload, sha256))) throw busy()
    await requireFile(ctx, upload, 'change')
    return finishUpload(ctx, upload, { ...written, contentType })
  })
  await storage
    .delete(piece)
    .catch((error: Error) =>
      ctx.log.warn({ err: error, upload: upload.id }, 'what a client uploaded stays until the sweep finds it'),
    )
  return file
}

const changed = () => conflict({ detail: 'What was uploaded changed while it was completed: begin again' })

async function digestOf(content: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of content) hash.update(chunk)
  return hash.digest('hex')
}

/** What was settled, or nothing: the storage keeps what it had when the content throws. */
async function* unchanged(storage: FileStorage, path: string, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of storage.read(path)) {
    const bytes: Uint8Array = chunk // storages read bytes
    hash.update(bytes)
    yield bytes
  }
  if (hash.digest('hex') !== sha256) throw changed()
}

/** Throws 415 for a file that is none of its kind, which ends the upload. */
async function judged(ctx: Ctx, upload: UploadRow, head: Buffer): Promise<string> {
  try {
    return await requireType(ctx, { filename: upload.filename, declared: upload.content_type, head })
  } catch (error) {
    throw error instanceof AppError ? await ended(ctx, upload, error) : error
  }
}

/** Gives the upload up, for a reason that it cannot get rid of. */
async function ended(ctx: Ctx, upload: UploadRow, reason: AppError): Promise<AppError> {
  await ctx.transaction((ctx) => giveUp(ctx, upload))
  return reason
}

/** Lets others go on. Of an upload that is gone meanwhile, and became no file, nothing stays that was written here. */
async function leave(ctx: Ctx, upload: UploadRow): Promise<void> {
  try {
    await ctx.transaction(async (ctx) => {
      await deleteWriter(ctx.tx, upload)
      if (!(await findUpload(ctx.tx, upload.tenant_id, upload.id))) await giveUp(ctx, upload)
    })
  } catch (error) {
    ctx.log.warn({ err: error, upload: upload.id }, 'an upload waits until its claim has run out')
  }
}
