import { type Ctx, conflict, consume, fromNow, HOURS, newRow, release, stamp, type Written } from '#kernel'
import { lockStoreThere } from '../../stores/index.ts'
import { fileCreated } from '../events.ts'
import { presentFile } from '../present.ts'
import { countFilesOf, findFile, insertFile, lockOwner } from '../queries.ts'
import { allowedFor } from '../rules.ts'
import { enqueueScan } from '../scan.ts'
import type { File } from '../schema.ts'
import type { UploadKind, UploadRow } from '../table.ts'
import { deleteObject } from '../upkeep/objects.ts'
import { deleteUpload, insertUpload, updateReserved } from './queries.ts'

export const STORAGE = 'storage_bytes'

/** An upload of which nothing was heard for so long is given up. */
export const SILENT_MS = 1 * HOURS

/** What is known of an upload when it begins. */
export type NewUpload = Pick<
  UploadRow,
  'filename' | 'original_filename' | 'content_type' | 'size' | 'entity_type' | 'entity_id' | 'store_id' | 'is_public'
> & {
  kind: UploadKind
  metadata?: string
  /** Bytes of the quota that it is sure to need. */
  reserved: number
  /** Until when it may go on without a word. */
  expiresAt: string
}

/** Begins an upload, in a transaction: from here on its part of the quota is taken. Throws 402. */
export async function openUpload(ctx: Ctx, { expiresAt, ...upload }: NewUpload): Promise<UploadRow> {
  const { backend } = ctx.storage
  const row = stamp(ctx)
  const place = { storage_backend: backend, storage_path: `files/${row.tenant_id}/${row.id}` }
  const opened = await insertUpload(ctx.tx, {
    ...row,
    ...upload,
    ...place,
    begun_by: beginnerOf(ctx),
    expires_at: expiresAt,
  })
  if (upload.reserved > 0) await consume(ctx, STORAGE, upload.reserved)
  return opened
}

/**
 * Who acts, as an upload remembers them. An operator who acts as somebody else is another one: what a person sends would go by the
 * operator's name otherwise, and the other way round.
 */
export function beginnerOf({ principal, actor }: Pick<Ctx, 'principal' | 'actor'>): string {
  if (actor.impersonatorId !== null) return `acting:${principal?.sessionId ?? actor.impersonatorId}`
  return `${actor.type}:${principal?.apiKeyId ?? principal?.userId ?? actor.id ?? ''}`
}

/** Takes more of the quota for an upload, which may go on from now. Throws 402, and 409 when it was given up. */
export async function reserveMore(
  ctx: Ctx,
  upload: UploadRow,
  bytes: number,
  silentMs = SILENT_MS,
): Promise<UploadRow> {
  const times = { expires_at: fromNow(ctx.clock, silentMs), updated_at: ctx.clock.now() }
  const more = await updateReserved(ctx.tx, upload, { bytes, ...times })
  if (!more) throw givenUp()
  if (bytes > 0) await consume(ctx, STORAGE, bytes)
  return more
}

const givenUp = () => conflict({ detail: 'The upload stood still for so long that it was given up' })

/** The file that an upload has become: what was found out about it on the way. */
export interface Arrived extends Written {
  contentType: string
  /** Its key in the storage, when it is not that of the upload. */
  path?: string
}

/**
 * Makes a file of an upload whose bytes are in the storage, for a caller who was proved again. Throws 402, 403, 404 when its store
 * is gone, and 409 when it was given up.
 */
export async function finishUpload(ctx: Ctx, { id, tenant_id }: UploadRow, arrived: Arrived): Promise<File> {
  const upload = await deleteUpload(ctx.tx, { id, tenant_id })
  if (!upload) throw givenUp()
  ctx.require('file.create', upload.store_id)
  if (upload.store_id !== null) await lockStoreThere(ctx.tx, tenant_id, upload.store_id)
  // Locks are taken in the order of whoever begins an upload: the room of the thing, then the quota.
  await requireRoom(ctx, upload)
  const missing = arrived.bytes - upload.reserved
  if (missing > 0) await consume(ctx, STORAGE, missing)
  else if (missing < 0) await release(ctx, STORAGE, -missing)
  const { created_at, updated_at } = newRow(ctx)
  const { filename, original_filename, entity_type, entity_id, store_id, is_public } = upload
  const row = await insertFile(ctx.tx, {
    ...{
      tenant_id,
      id,
      filename,
      original_filename,
      entity_type,
      entity_id,
      store_id,
      is_public,
      created_at,
      updated_at,
    },
    uploaded_by: ctx.principal?.userId ?? null,
    content_type: arrived.contentType,
    size: arrived.bytes,
    checksum_sha256: arrived.sha256,
    storage_backend: upload.storage_backend,
    storage_path: arrived.path ?? upload.storage_path,
    scan_status: ctx.scanner ? 'pending' : 'none',
    trashed_at: null,
  })
  const file = presentFile(ctx, row)
  await ctx.emit(fileCreated, { after: file, label: file.filename, storeId: file.store_id })
  if (ctx.scanner) await enqueueScan(ctx, id)
  return file
}

/** Throws 409 when what the upload belongs to has as many files as it may. */
export async function requireRoom(
  ctx: Ctx,
  { entity_type, entity_id }: Pick<UploadRow, 'entity_type' | 'entity_id'>,
): Promise<void> {
  const { maxFiles } = allowedFor(ctx, entity_type)
  if (maxFiles === null || entity_type === null || entity_id === null) return
  const owner = { type: entity_type, id: entity_id }
  await lockOwner(ctx.tx, ctx.tenantId, owner)
  const used = await countFilesOf(ctx.tx, ctx.tenantId, owner, maxFiles)
  if (used < maxFiles) return
  throw conflict({ detail: `It has ${maxFiles} files already, which is all that it may have` })
}

/**
 * Gives an upload up: its part of the quota is free, and a job removes what the storage has of it. False when it had become a
 * file.
 */
export async function giveUp(ctx: Ctx, given: UploadRow): Promise<boolean> {
  const upload = await deleteUpload(ctx.tx, given)
  if (upload && upload.reserved > 0) await release(ctx, STORAGE, upload.reserved)
  // It became a file.
  if (!upload && (await findFile(ctx.tx, given.tenant_id, given.id))) return false
  // Of one that somebody else has given up, something may have been written since.
  const { storage_backend: backend, storage_path: path, pieces } = upload ?? given
  await ctx.enqueue(deleteObject, { backend, path, pieces })
  return true
}
