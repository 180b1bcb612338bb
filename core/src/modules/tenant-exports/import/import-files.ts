import type { Ctx } from '#kernel'
import { enqueueScan, HEAD_BYTES, judgeImported } from '../../files/index.ts'
import type { FileLine } from '../content/manifest.ts'
import type { Row } from '../reading/json.ts'
import type { Archive } from '../reading/open-archive.ts'
import { ImportRefused } from '../reading/refused.ts'

/** Where the files of a tenant are kept. */
const fileKey = (tenantId: string, id: string): string => `files/${tenantId}/${id}`

export interface FilesToImport {
  archive: Archive
  tenantId: string
  /** From the place in the list of files where the rows are. */
  files: AsyncGenerator<FileLine, undefined>
  passed(bytes: number): void
}

/** Writes the bytes of files, and gives their rows as `writeFile` does. */
export async function writeFiles(ctx: Ctx, { files, ...all }: FilesToImport, rows: readonly Row[]): Promise<Row[]> {
  const written: Row[] = []
  for (const row of rows) {
    const { value: line } = await files.next()
    // The list was compared with the table.
    if (!line || line.id !== row.id) throw new ImportRefused('the export has changed since it was checked')
    written.push(await writeFile(ctx, { ...all, line }, row))
  }
  return written
}

/**
 * Writes the bytes of a file into the storage; its row says what was really read: no size, checksum, type or verdict of a scanner is
 * believed. One whose bytes the export does not have as they were uploaded is missing.
 */
export async function writeFile(
  ctx: Ctx,
  { archive, tenantId, line, passed }: Omit<FilesToImport, 'files'> & { line: FileLine },
  row: Row,
): Promise<Row> {
  const key = fileKey(tenantId, line.id)
  const place = { storage_backend: ctx.storage.backend, storage_path: key, scan_retry_at: null }
  if (line.state !== 'whole' || line.entry === null)
    return { ...row, ...place, scan_status: 'none', missing_at: row.missing_at ?? ctx.clock.now() }
  const read = await copy(ctx, key, await archive.read(line.entry))
  passed(read.size)
  const content_type = await judgeImported(ctx, String(row.filename), read.head)
  const facts = { size: read.size, checksum_sha256: read.sha256, content_type }
  return { ...row, ...place, ...facts, scan_status: ctx.scanner ? 'pending' : 'none', missing_at: null }
}

/** Has what was written looked at, in the transaction that adds the rows. */
export async function scanFiles(ctx: Ctx, rows: readonly Row[]): Promise<void> {
  for (const { id, scan_status } of rows) if (scan_status === 'pending') await enqueueScan(ctx, String(id))
}

/** Writes content; says what it was, and how it begins. */
async function copy(ctx: Ctx, key: string, content: AsyncIterable<Buffer>) {
  const head: Buffer[] = []
  let missing = HEAD_BYTES
  async function* looking() {
    for await (const piece of content) {
      if (missing > 0) head.push(piece.subarray(0, missing))
      missing -= Math.min(missing, piece.byteLength)
      yield piece
    }
  }
  const { bytes, sha256 } = await ctx.storage.write(key, looking())
  return { size: bytes, sha256, head: Buffer.concat(head) }
}
