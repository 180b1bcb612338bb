import type { Ctx } from '#kernel'
import { getSealedPosition, readSealed, type SealedRecord } from '../audit/index.ts'
import type { SinkRow } from './table.ts'

const MOST_RECORDS = 500
const MOST_BYTES = 1024 * 1024

/** Records sent together. */
export interface Batch {
  /** Positions of its first and last record. */
  first: number
  end: number
  /** A line of JSON for each record. */
  body: string
  /** The time of the last record. */
  until: string
}

/** The next step for a sink: a batch, or `{ skipTo }`, a position up to which there is nothing to send. */
export type Next = Batch | { skipTo: number }

/**
 * The next records in order, up to 500 or 1 MiB; a larger record is sent alone. A repeated batch ends where it ended
 * the first time, whatever was sealed meanwhile, so that it has the same content.
 */
export async function readNext({ tx, tenantId }: Ctx, { position, batch_end }: SinkRow): Promise<Next> {
  // Read before the records, so that records sealed in between are not skipped.
  const sealed = await getSealedPosition(tx, tenantId)
  const found = await readSealed(tx, tenantId, position, MOST_RECORDS)
  const begun = batch_end === null ? [] : found.filter((each) => each.position <= batch_end)
  // Retention may have removed all its records.
  const batch = batchOf(begun.length > 0 ? begun : found)
  return batch ?? { skipTo: Math.max(position, sealed) }
}

function batchOf(records: readonly SealedRecord[]): Batch | undefined {
  const lines: string[] = []
  let bytes = 0
  for (const { record } of records) {
    const line = `${JSON.stringify(record)}\n`
    bytes += Buffer.byteLength(line)
    if (bytes > MOST_BYTES && lines.length > 0) break
    lines.push(line)
  }
  const [first, last] = [records[0], records[lines.length - 1]]
  return (
    first && last && { first: first.position, end: last.position, body: lines.join(''), until: last.record.created_at }
  )
}
