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
  outsideTenants,
  type SentPart,
  type StreamBody,
  type WantedPart,
} from '#kernel'
import { contentDisposition } from '../files/index.ts'
import { exportDownloaded, exportDownloadedByOperator } from './events.ts'
import type { Opened } from './links.ts'
import { forOperators, recordExport } from './present.ts'
import type { ExportRow } from './table.ts'

/** The answer with the ZIP file, or with the part of it that is wanted. Throws 404, 416. */
export function sendExport(ctx: Ctx, opened: Opened, wanted: WantedPart): Answer<StreamBody> {
  const file = fileOf(opened.row)
  const headers = {
    'content-type': 'application/zip',
    'content-disposition': contentDisposition('attachment', `export-${file.created_at.slice(0, 10)}.zip`),
    'cache-control': 'private, no-store',
  }
  return answerStored(file, wanted, headers, (part) => open(ctx, opened, part))
}

/** The row of one that is done has all of these. */
function fileOf({ size, checksum_sha256, storage_backend, storage_path, created_at }: ExportRow) {
  if (size === null || checksum_sha256 === null || storage_backend === null || storage_path === null) throw notFound()
  return { size, checksum_sha256, storage_backend, storage_path, created_at }
}

/** Opens it before the answer begins, and records who took it: of several parts, the one that begins the file. */
async function open(ctx: Ctx, { row, person, holder }: Opened, { range, bytes }: SentPart): Promise<Readable> {
  const { storage_backend, storage_path } = fileOf(row)
  const stream = await openStored(ctx.storages.of(storage_backend), storage_path, range).catch((error) => {
    if (!(error instanceof FileMissing)) throw error
    ctx.log.error({ export: row.id, tenant_id: row.tenant_id }, 'the storage is without an export')
    throw notFound({ detail: 'The storage does not have this export any more. Ask for another one' })
  })
  const recorded = await onceRecorded(stream, async () => {
    if (range && range.start > 0) return
    const record = async (ctx: Ctx) => {
      const own = ctx.as(person)
      await own.emit(exportDownloaded, { after: recordExport(row) })
      if (holder === 'operator')
        await outsideTenants(own).emit(exportDownloadedByOperator, { after: forOperators(row) })
    }
    await ctx.transaction(record, { tenantId: row.tenant_id })
  })
  return ofLength(recorded, bytes)
}
