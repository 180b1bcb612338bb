import type { Readable } from 'node:stream'
import {
  type Answer,
  answerStored,
  type Ctx,
  FileMissing,
  notFound,
  ofLength,
  onceRecorded,
  openStored,
  type SentPart,
  type StreamBody,
  type WantedPart,
  WrongLength,
} from '#kernel'
import { contentDisposition } from '../disposition.ts'
import { fileDownloaded } from '../events.ts'
import { INLINE_TYPES } from '../kinds.ts'
import { presentFile } from '../present.ts'
import { requireClean } from '../scan.ts'
import type { FileRow } from '../table.ts'
import { noteMissing } from '../upkeep/missing.ts'
import { recentDownloads } from './recent.ts'

/** The answer with a file, or with the part of it that is wanted. Throws 404, 423 for one in quarantine, 416. */
export function sendFile(ctx: Ctx, file: FileRow, wanted: WantedPart, inline = false): Answer<StreamBody> {
  if (file.trashed_at !== null) throw notFound()
  requireClean(file)
  return answerStored(file, wanted, headersOf(file, inline), (part) => openFile(ctx, file, part))
}

/** A file is somebody else's: no browser runs anything in it, or guesses what it might be. */
function headersOf({ content_type, filename, is_public }: FileRow, inline: boolean): Record<string, string> {
  const isShown = inline && INLINE_TYPES.has(content_type)
  return {
    // Most texts are UTF-8, and nothing that a browser guesses otherwise would be better.
    'content-type': isShown && content_type === 'text/plain' ? `${content_type}; charset=utf-8` : content_type,
    'content-disposition': contentDisposition(isShown ? 'inline' : 'attachment', filename),
    'content-security-policy': "default-src 'none'; img-src 'self'; media-src 'self'; sandbox",
    'cross-origin-resource-policy': is_public ? 'cross-origin' : 'same-origin',
  }
}

/** Opens it before the answer begins, so that a file that is not there is said to be missing; and records who took it. */
async function openFile(ctx: Ctx, file: FileRow, { range, bytes }: SentPart): Promise<Readable> {
  const storage = ctx.storages.of(file.storage_backend)
  const stream = await openStored(storage, file.storage_path, range).catch((error) => refuse(ctx, file, error))
  const recorded = await onceRecorded(stream, async () => {
    // A part of it is recorded too, but not every one.
    if (!range || begins(ctx, file)) await record(ctx, file)
  })
  return counted(ctx, file, recorded, bytes)
}

async function refuse(ctx: Ctx, file: FileRow, error: unknown): Promise<never> {
  if (!(error instanceof FileMissing)) throw error
  ctx.log.error({ file: file.id, tenant_id: file.tenant_id }, 'the storage is without a file')
  await noteLost(ctx, file)
  throw notFound({ detail: 'The storage does not have this file any more' })
}

const noteLost = (ctx: Ctx, file: FileRow): Promise<void> =>
  ctx.transaction((ctx) => noteMissing(ctx, file), { tenantId: file.tenant_id })

/** As many bytes as were announced. A storage that has more or fewer under the key is without the file. */
function counted(ctx: Ctx, file: FileRow, stream: Readable, bytes: number): Readable {
  const of = { file: file.id, tenant_id: file.tenant_id }
  return ofLength(stream, bytes).once('error', (error) => {
    if (!(error instanceof WrongLength)) return
    ctx.log.error(of, 'the storage has something of another size than a file')
    // The answer has begun: nobody waits for this.
    noteLost(ctx, file).catch((err) => ctx.log.error({ err, ...of }, 'a file that is lost could not be noted'))
  })
}

function begins(ctx: Ctx, { id }: FileRow): boolean {
  const who = ctx.principal?.key ?? ctx.origin.ipAddress ?? ''
  return ctx.use(recentDownloads).begins(who, id, ctx.clock.ms())
}

function record(ctx: Ctx, file: FileRow): Promise<void> {
  const after = presentFile(ctx, file)
  const content = { after, label: file.filename, storeId: file.store_id }
  return ctx.transaction((ctx) => ctx.emit(fileDownloaded, content), { tenantId: file.tenant_id })
}
