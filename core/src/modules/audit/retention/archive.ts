import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Ctx } from '#kernel'
import { writeProof } from '../seals/proof.ts'
import { findChain, findHeightOf, findLastHeight, type IdRange } from '../seals/seal-queries.ts'
import { monthOf } from './kept-from.ts'
import { findIdAt } from './retention-queries.ts'

/** The key of a tenant's archive of a month. */
export function archiveKey(tenantId: string, month: string): string {
  return `audit/${tenantId}/${month}.ndjson.gz`
}

/**
 * Archives the tenant's records of a range in the file storage, one file for each month (UTC) with records: the blocks
 * of the month in the format of an export with proof, compressed. The whole range must be sealed and not yet removed.
 * Repeating it writes the same files. A file is kept only when no removal was recorded while it was written, so it
 * never misses records that another process was removing.
 */
export async function archiveRecords(ctx: Ctx, { from, before }: IdRange): Promise<void> {
  const removedTo = await readRemovedTo(ctx)
  if (removedTo !== null && removedTo > from) throw new BeingRemoved()
  for (let start = from; ; ) {
    const first = await readOnly(ctx, ({ tx, tenantId }) => findIdAt(tx, tenantId, { from: start, before, offset: 0 }))
    if (first === undefined) return
    const { name, end } = monthOf(first)
    const month = writeMonth(ctx, { from: first, before: end < before ? end : before }, removedTo)
    const key = archiveKey(ctx.tenantId, name)
    await writeZipped(ctx, key, month)
    await removeElsewhere(ctx, key)
    start = end
  }
}

async function writeZipped(ctx: Ctx, key: string, content: AsyncIterable<Buffer>): Promise<void> {
  const zipped = createGzip()
  const ends = await Promise.allSettled([
    ctx.storage.write(key, zipped),
    pipeline(Readable.from(content, { objectMode: false }), zipped),
  ])
  // When the source fails, its error is the cause; otherwise that of the file.
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/**
 * An archive from before FILE_STORAGE_BACKEND was changed is replaced too, so that a month has one archive, wherever it is.
 * It goes only after the new one is safe; a run that dies in between is repeated.
 */
async function removeElsewhere({ storage, storages }: Ctx, key: string): Promise<void> {
  for (const other of storages.all) if (other.backend !== storage.backend) await other.delete(key)
}

async function* writeMonth(ctx: Ctx, range: IdRange, removedTo: string | null): AsyncGenerator<Buffer> {
  yield* writeProof(ctx, await readOnly(ctx, (ctx) => findHeights(ctx, range)))
  if ((await readRemovedTo(ctx)) !== removedTo) throw new BeingRemoved()
}

/** Aborts an archive that can no longer be complete. */
class BeingRemoved extends Error {
  constructor() {
    super('Another process is removing the records that are to be archived')
  }
}

/** The first and last block that may hold a record of the range. */
async function findHeights({ tx, tenantId }: Ctx, { from, before }: IdRange) {
  const [first, last] = [await findHeightOf(tx, tenantId, from), await findLastHeight(tx, tenantId, before)]
  return first === null || last === null ? null : { first, last }
}

async function readRemovedTo(ctx: Ctx): Promise<string | null> {
  const chain = await readOnly(ctx, ({ tx, tenantId }) => findChain(tx, tenantId))
  return chain?.removed_to ?? null
}

function readOnly<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  return ctx.transaction(work, { readOnly: true })
}
