import type { Readable } from 'node:stream'
import {
  type Actor,
  Answer,
  type Ctx,
  FileMissing,
  notFound,
  ofLength,
  openStored,
  rangeNotSatisfiable,
  readRange,
  type StreamBody,
} from '#kernel'
import { contentDisposition } from '../files/index.ts'
import { exportDownloaded } from './events.ts'
import type { Opened } from './links.ts'
import { recordExport } from './present.ts'
import type { ExportRow } from './table.ts'

/** What a client says about the part that it wants. */
export interface Wanted {
  range?: string | undefined
  /** The tag of the file of which it has the other parts. */
  'if-range'?: string | undefined
}

/** The answer with the ZIP file, or with the part of it that is wanted. Throws 404, 416. */
export function sendExport(ctx: Ctx, opened: Opened, wanted: Wanted): Answer<StreamBody> {
  const { size, checksum_sha256, created_at } = fileOf(opened.row)
  const etag = `"${checksum_sha256}"`
  const ifRange = wanted['if-range']
  // Parts of two files would be joined.
  const part = ifRange === undefined || ifRange === etag ? readRange(wanted.range, size) : 'whole'
  if (part === 'unsatisfiable') throw rangeNotSatisfiable({ headers: { 'content-range': `bytes */${size}` } })
  const range = part === 'whole' ? undefined : part
  const bytes = range ? range.end - range.start + 1 : size
  const headers = {
    'content-type': 'application/zip',
    'content-disposition': contentDisposition('attachment', `export-${created_at.slice(0, 10)}.zip`),
    'cache-control': 'private, no-store',
    'accept-ranges': 'bytes',
    etag,
    'content-length': String(bytes),
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
  }
  return new Answer<StreamBody>(range ? 206 : 200, () => open(ctx, opened, range, bytes), headers)
}

/** The row of one that is done has all of these. */
function fileOf({ size, checksum_sha256, storage_backend, storage_path, created_at }: ExportRow) {
  if (size === null || checksum_sha256 === null || storage_backend === null || storage_path === null) throw notFound()
  return { size, checksum_sha256, storage_backend, storage_path, created_at }
}

/** Opens it before the answer begins, and records who took it: of several parts, the one that begins the file. */
async function open(
  ctx: Ctx,
  { row, person }: Opened,
  range: { start: number; end: number } | undefined,
  bytes: number,
): Promise<Readable> {
  const { storage_backend, storage_path } = fileOf(row)
  const stream = await openStored(ctx.storages.of(storage_backend), storage_path, range).catch((error) => {
    if (!(error instanceof FileMissing)) throw error
    ctx.log.error({ export: row.id, tenant_id: row.tenant_id }, 'the storage is without an export')
    throw notFound({ detail: 'The storage does not have this export any more. Ask for another one' })
  })
  // What fails while it is recorded is told to whoever reads on: until then it would be nobody's error.
  stream.on('error', () => {})
  try {
    if (!range || range.start === 0) {
      const actor: Actor = { type: 'user', id: person.id, label: person.name, impersonatorId: null }
      const record = (ctx: Ctx) => ctx.as(actor).emit(exportDownloaded, { after: recordExport(row) })
      await ctx.transaction(record, { tenantId: row.tenant_id })
    }
    return ofLength(stream, bytes)
  } catch (error) {
    stream.destroy()
    throw error
  }
}
