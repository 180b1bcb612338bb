import type { Ctx } from '#kernel'
import type { ChainRow } from '../table.ts'
import { unpackEntries } from './chain.ts'
import {
  countRecords,
  countSealed,
  type IdRange,
  listBlocksAround,
  listBlocksOver,
  listRecordIds,
  type Read,
} from './seal-queries.ts'

/** Ids and blocks read at once. */
const IDS = 5_000
const BLOCKS = 20

/**
 * Ids of unsealed records older than the newest sealed one, whose transactions ended late; up to `limit`, in order. A
 * count shows in nearly all cases that there are none.
 */
export async function findLate(
  ctx: Ctx,
  { complete_to, sealed_to }: Pick<ChainRow, 'complete_to' | 'sealed_to'>,
  limit: number,
): Promise<string[]> {
  if (sealed_to <= complete_to) return []
  const range = { from: complete_to, before: sealed_to }
  if ((await countRecords(ctx.tx, ctx.tenantId, range)) === (await countEntries(ctx, range))) return []
  const late: string[] = []
  for await (const ids of readUnsealed((query) => query(ctx.tx, ctx.tenantId), range)) {
    late.push(...ids)
    if (late.length >= limit) break
  }
  return late.slice(0, limit)
}

/** Ids of records of a range that are in no block, in order, a batch at a time. */
export async function* readUnsealed(read: Read, range: IdRange): AsyncGenerator<string[]> {
  for (let after: string | null = null; ; ) {
    const ids: string[] = await read((tx, tenantId) => listRecordIds(tx, tenantId, { ...range, after, limit: IDS }))
    const [first, last] = [ids[0], ids.at(-1)]
    if (first === undefined || last === undefined) return
    yield await withoutSealed(read, ids, { first, last })
    if (ids.length < IDS) return
    after = last
  }
}

async function withoutSealed(read: Read, ids: string[], span: { first: string; last: string }) {
  const rest = new Set(ids)
  for (let afterHeight = 0; ; ) {
    const next = { ...span, afterHeight, limit: BLOCKS }
    const blocks = await read((tx, tenantId) => listBlocksOver(tx, tenantId, next))
    for (const { entries } of blocks) for (const { id } of unpackEntries(entries)) rest.delete(id)
    afterHeight = blocks.at(-1)?.height ?? 0
    if (blocks.length < BLOCKS) return [...rest]
  }
}

/** The number of sealed records with ids in a range. */
async function countEntries({ tx, tenantId }: Ctx, { from, before }: IdRange): Promise<number> {
  let count = await countSealed(tx, tenantId, { from, before })
  const partly = new Map([
    ...(await listBlocksAround(tx, tenantId, from)).map((block) => [block.height, block] as const),
    ...(await listBlocksAround(tx, tenantId, before)).map((block) => [block.height, block] as const),
  ])
  for (const { entries } of partly.values())
    for (const { id } of unpackEntries(entries)) if (id >= from && id < before) count++
  return count
}
