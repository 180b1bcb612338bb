import { Readable } from 'node:stream'
import { Answer, type Ctx, csvLine, type StreamBody } from '#kernel'
import { auditExported } from './events.ts'
import { type Criteria, criteriaOf } from './filters.ts'
import { findRecords } from './operations.ts'
import { presentRecord } from './present.ts'
import type { AuditRow } from './queries.ts'
import { AuditLog, type Filters, type Format } from './schema.ts'

/** Records read and written at once. */
const BATCH = 500

interface Writing {
  contentType: string
  head: string
  record(log: AuditLog, isFirst: boolean): string
  tail: string
}

const columns = Object.keys(AuditLog.properties) as (keyof AuditLog)[] // the schema's own names

/** Data of the event. */
type Exported = { format: Format; filters: Filters; proof?: boolean }

/** The writer of each format. */
export const writings: Readonly<Record<Format, Writing>> = {
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: csvLine(columns),
    record: (log) => csvLine(columns.map((column) => log[column])),
    tail: '',
  },
  json: {
    contentType: 'application/json; charset=utf-8',
    head: '[',
    record: (log, isFirst) => `${isFirst ? '' : ','}\n${JSON.stringify(log)}`,
    tail: '\n]\n',
  },
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    record: (log) => `${JSON.stringify(log)}\n`,
    tail: '',
  },
}

/** A file of the records, read from the database as fast as the client takes it. */
export function exportRecords(ctx: Ctx, filters: Filters, format: Format): Answer<StreamBody> {
  const pieces = writeFile(ctx, criteriaOf(filters), writings[format])
  return fileAnswer(ctx, { format, filters: { ...filters } }, pieces)
}

/** An answer that streams a file. The export is recorded before the first piece is sent, and not for HEAD. */
export function fileAnswer(ctx: Ctx, after: Exported, pieces: AsyncIterable<Buffer>): Answer<StreamBody> {
  const { format } = after
  const headers = {
    'content-type': writings[format].contentType,
    'content-disposition': `attachment; filename="audit-${ctx.clock.now().slice(0, 10)}.${format}"`,
  }
  const open = async () => {
    await ctx.transaction((ctx) => ctx.emit(auditExported, { storeId: null, after }))
    // A stream of bytes with a minimal buffer, so that little is read ahead of the client.
    return Readable.from(pieces, { objectMode: false, highWaterMark: 1 })
  }
  return new Answer(200, open, headers)
}

/** The file in pieces of one batch each; stops reading when the client is gone. */
async function* writeFile(ctx: Ctx, criteria: Criteria, writing: Writing): AsyncGenerator<Buffer> {
  let piece = writing.head
  let isFirst = true
  for await (const rows of readBatches(ctx, criteria)) {
    for (const row of rows) {
      piece += writing.record(presentRecord(row), isFirst)
      isFirst = false
    }
    yield Buffer.from(piece)
    piece = ''
  }
  piece += writing.tail
  if (piece !== '') yield Buffer.from(piece)
}

/**
 * Each batch in its own read-only transaction, so that a slow client holds none open. Newest first, so that records
 * added meanwhile do not appear.
 */
async function* readBatches(ctx: Ctx, criteria: Criteria): AsyncGenerator<AuditRow[]> {
  let beforeId: string | null = null
  for (;;) {
    const rows: AuditRow[] = await ctx.transaction((ctx) => findRecords(ctx, criteria, { beforeId, limit: BATCH }), {
      readOnly: true,
    })
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < BATCH) return
    beforeId = last.id
  }
}
