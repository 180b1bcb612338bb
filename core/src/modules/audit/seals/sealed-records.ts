import type { Tx } from '#kernel'
import { presentRecord } from '../present.ts'
import type { AuditLog } from '../schema.ts'
import { type Entry, unpackEntries } from './chain.ts'
import { findChain, listBlocksAt, listRecordsById } from './seal-queries.ts'

/** Blocks read at once. */
const BLOCKS = 20

/** A record and its place in the tenant's chain: the first has the position 1. */
export interface SealedRecord {
  position: number
  record: AuditLog
}

/** The position of the newest sealed record; 0 when nothing is sealed. */
export async function getSealedPosition(tx: Tx, tenantId: string): Promise<number> {
  return (await findChain(tx, tenantId))?.position ?? 0
}

/**
 * Sealed records after a position, in order, up to `limit`; fewer when some were removed, because positions are not
 * reused. Empty: there are no more.
 */
export async function readSealed(tx: Tx, tenantId: string, after: number, limit: number): Promise<SealedRecord[]> {
  for (let from = after; ; ) {
    const places = await readPlaces(tx, tenantId, from, limit)
    const rows = await listRecordsById(
      tx,
      tenantId,
      places.map(({ id }) => id),
    )
    const found = new Map(rows.map((row) => [row.id, row]))
    const sealed = places.flatMap(({ id, position }) => {
      const row = found.get(id)
      return row ? [{ position, record: presentRecord(row) }] : []
    })
    const last = places.at(-1)
    // A stretch that was removed entirely is skipped.
    if (sealed.length > 0 || !last) return sealed
    from = last.position
  }
}

async function readPlaces(tx: Tx, tenantId: string, after: number, limit: number) {
  const places: (Entry & { position: number })[] = []
  for (let from = after; places.length < limit; ) {
    const blocks = await listBlocksAt(tx, tenantId, { position: from + 1, limit: BLOCKS })
    const next = blocks.flatMap(({ first_position, entries }) =>
      unpackEntries(entries).map((entry, index) => ({ ...entry, position: first_position + index })),
    )
    const rest = next.filter(({ position }) => position > from)
    const last = rest.at(-1)
    if (!last) break
    places.push(...rest)
    from = last.position
  }
  return places.slice(0, limit)
}
