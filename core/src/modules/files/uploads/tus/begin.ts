import { type Ctx, fromNow, notFound } from '#kernel'
import { findFile } from '../../queries.ts'
import { allowedFor, requireChange, requireFile, requireFits } from '../../rules.ts'
import type { FileRow, UploadRow } from '../../table.ts'
import { ownStore } from '../form.ts'
import { beginnerOf, giveUp, openUpload, requireRoom } from '../reservation.ts'
import { EXPIRES_MS } from './lease.ts'
import { type Metadata, readMetadata } from './metadata.ts'
import { findOwn } from './queries.ts'

const AT = { size: 'headers/upload-length', type: 'headers/upload-metadata' }

/** Begins a resumable upload, whose whole size is taken from the quota now. Throws 400, 402, 404, 409, 413, 415. */
export function beginUpload(
  ctx: Ctx,
  { size, metadata, sent }: { size: number; metadata: Metadata; sent: string },
): Promise<UploadRow> {
  const { owner, ...described } = readMetadata(ctx, metadata)
  return ctx.transaction(async (ctx) => {
    const store_id = owner ? await requireChange(ctx, owner) : ownStore(ctx)
    requireFits(allowedFor(ctx, owner?.type ?? null), { size, contentType: described.content_type }, AT)
    const entity = { entity_type: owner?.type ?? null, entity_id: owner?.id ?? null }
    await requireRoom(ctx, entity)
    const place = { ...entity, store_id }
    const expiresAt = fromNow(ctx.clock, EXPIRES_MS)
    return openUpload(ctx, { kind: 'tus', ...described, ...place, size, reserved: size, metadata: sent, expiresAt })
  })
}

/** An upload of the caller that is under way, or the file that it has become. Throws 404. */
export function seeUpload(ctx: Ctx, id: string): Promise<{ upload: UploadRow } | { file: FileRow }> {
  return ctx.transaction(
    async (ctx) => {
      const upload = await findUnderWay(ctx, id)
      const file = upload ? undefined : await findFile(ctx.tx, ctx.tenantId, id)
      const found = upload ?? (file && isBySender(ctx, file) ? file : undefined)
      if (!found) throw notFound()
      await requireFile(ctx, found, 'change')
      return 'received' in found ? { upload: found } : { file: found }
    },
    { readOnly: true },
  )
}

/** Of what a key has sent nobody remembers which one it was: those who may see the file anyway are told. */
function isBySender(ctx: Ctx, { uploaded_by, store_id }: FileRow): boolean {
  const person = ctx.principal?.userId ?? null
  return uploaded_by === person && (person !== null || ctx.can('file.view', store_id))
}

/** Gives up an upload of the caller. Throws 404. */
export function endUpload(ctx: Ctx, id: string): Promise<void> {
  return ctx.transaction(async (ctx) => {
    const upload = await findUnderWay(ctx, id)
    if (!upload) throw notFound()
    ctx.requireStore(upload.store_id)
    // Its last bytes may have made a file of it a moment ago.
    if (!(await giveUp(ctx, upload))) throw notFound()
  })
}

const findUnderWay = (ctx: Ctx, id: string) =>
  findOwn(ctx.tx, { tenant_id: ctx.tenantId, id }, { begunBy: beginnerOf(ctx), now: ctx.clock.now() })
