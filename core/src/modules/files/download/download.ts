import type { Readable } from 'node:stream'
import {
  Answer,
  type Ctx,
  FileMissing,
  notFound,
  ofLength,
  openStored,
  rangeNotSatisfiable,
  readRange,
  type StreamBody,
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

/** What a client says about the part that it wants. */
export interface Wanted {
  range?: string | undefined
  /** The tag of the file of which it has the other parts. */
  ifRange?: string | undefined
  inline?: boolean | undefined
}

/** The answer with a file, or with the part of it that is wanted. Throws 404, 423 for one in quarantine, 416. */
export function sendFile(ctx: Ctx, file: FileRow, { range, ifRange, inline = false }: Wanted): Answer<StreamBody> {
  if (file.trashed_at !== null) throw notFound()
  requireClean(file)
  const etag = `"${file.checksum_sha256}"`
  // Parts of two files would be joined.
  const part = ifRange === undefined || ifRange === etag ? readRange(range, file.size) : 'whole'
  if (part === 'unsatisfiable') throw rangeNotSatisfiable({ headers: { 'content-range': `bytes */${file.size}` } })
  const { start, end } = part === 'whole' ? { start: 0, end: file.size - 1 } : part
  const headers = {
    ...headersOf(file, inline),
    etag,
    'content-length': String(end - start + 1),
    ...(part === 'whole' ? {} : { 'content-range': `bytes ${start}-${end}/${file.size}` }),
  }
  const open = () => openFile(ctx, file, part === 'whole' ? undefined : part)
  return new Answer<StreamBody>(part === 'whole' ? 200 : 206, open, headers)
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
    'accept-ranges': 'bytes',
  }
}

/** Opens it before the answer begins, so that a file that is not there is said to be missing; and records who took it. */
async function openFile(ctx: Ctx, file: FileRow, range: { start: number; end: number } | undefined): Promise<Readable> {
  const storage = ctx.storages.of(file.storage_backend)
  const stream = await openStored(storage, file.storage_path, range).catch((error) => refuse(ctx, file, error))
  // What fails while it is recorded is told to whoever reads on: until then it would be nobody's error.
  stream.on('error', () => {})
  try {
    // A part of it is recorded too, but not every one.
    if (!range || begins(ctx, file)) await record(ctx, file)
    return counted(ctx, file, { stream, bytes: range ? range.end - range.start + 1 : file.size })
  } catch (error) {
    stream.destroy()
    throw error
  }
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
function counted(ctx: Ctx, file: FileRow, { stream, bytes }: { stream: Readable; bytes: number }): Readable {
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
