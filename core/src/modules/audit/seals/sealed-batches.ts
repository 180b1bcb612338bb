import type { AuditRow } from '../queries.ts'
import { MAX_RECORDS, unpackEntries } from './chain.ts'
import { listBlocks, listRecordsById, type Read, type SealedBlock } from './seal-queries.ts'

/** Blocks read at once; a tenant with little activity has few records per block. */
const BLOCKS = 50

/** Consecutive blocks and those of their records that exist. */
export interface SealedBatch {
  blocks: SealedBlock[]
  rows: ReadonlyMap<string, AuditRow>
}

/** Blocks from one height to another, in batches of not many more records than a block may hold. */
export async function* readBatches(
  read: Read,
  { from, to }: { from: number; to: number },
  withRecords: (block: SealedBlock) => boolean = () => true,
): AsyncGenerator<SealedBatch> {
  for (let next = from; next <= to; ) {
    const span = { from: next, to, limit: BLOCKS }
    const blocks = await read((tx, tenantId) => listBlocks(tx, tenantId, span))
    const last = blocks.at(-1)
    if (!last) return
    for (const group of grouped(blocks)) {
      const ids = group.filter(withRecords).flatMap(({ entries }) => unpackEntries(entries).map(({ id }) => id))
      const rows = await read((tx, tenantId) => listRecordsById(tx, tenantId, ids))
      yield { blocks: group, rows: new Map(rows.map((row) => [row.id, row])) }
    }
    next = last.height + 1
  }
}

function* grouped(blocks: SealedBlock[]): Generator<SealedBlock[]> {
  let group: SealedBlock[] = []
  let records = 0
  for (const block of blocks) {
    if (group.length > 0 && records + block.record_count > MAX_RECORDS) {
      yield group
      group = []
      records = 0
    }
    group.push(block)
    records += block.record_count
  }
  if (group.length > 0) yield group
}
