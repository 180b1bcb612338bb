import { setTimeout as sleep } from 'node:timers/promises'
import {
  Closed,
  type Ctx,
  defineJob,
  type EventContent,
  HOURS,
  LEAST_ID,
  least,
  type Static,
  type Tx,
  timeOfId,
  Uuid,
} from '#kernel'
import { auditRemoved } from '../events.ts'
import { appendRemoval, sealTenant } from '../seals/seal.ts'
import { countRecords, findChain, type IdRange, lockChain } from '../seals/seal-queries.ts'
import { forgetNames } from '../search/name-index.ts'
import type { ChainRow } from '../table.ts'
import { archiveRecords } from './archive.ts'
import { findKeptFrom } from './kept-from.ts'
import { deleteBlocks, deleteRecords, findIdAt } from './retention-queries.ts'

/** Removed in one transaction. */
const BATCH = 5_000
const BLOCKS = 100
/** Then others have their turn: half a million records. */
const BATCHES_PER_RUN = 100
/** Records counted in one statement. */
const COUNTED = 50_000

const Payload = Closed({
  /** Records with lesser ids go. */
  before: Uuid,
  /** Those with lesser ids than this are only given up: they are in months that are dropped whole. */
  from: Uuid,
})

/**
 * Removes the records of one tenant whose time is over: those that are sealed. They are archived first, where that is
 * wished; then the chain gives them up, which is recorded; then they go. A run that dies anywhere is simply repeated.
 */
export const removeExpired = defineJob('audit.remove_expired', {
  payload: Payload,
  transaction: 'manual',
  leaseMs: 6 * HOURS,
  handler: (ctx, payload) => removeRecords(ctx, payload, BATCH),
})

/** `batch`: how many records one transaction removes. What a run leaves over another one is enqueued for. */
export async function removeRecords(ctx: Ctx, payload: Static<typeof Payload>, batch: number): Promise<void> {
  const removedTo = await giveUp(ctx, payload.before)
  if (removedTo === null) return
  const before = least(removedTo, payload.before)
  const isDone = (await removeBatches(ctx, { from: payload.from, before, limit: batch })) && (await removeBlocks(ctx))
  if (isDone) await forgetNames(ctx, before)
  else await ctx.transaction((ctx) => ctx.enqueue(removeExpired, payload, { dedupeKey: removeExpired.name }))
}

/** Has the chain give up what the tenant keeps no longer, of what is sealed; returns how far it has by then. */
async function giveUp(ctx: Ctx, asked: string): Promise<string | null> {
  const chain = await sealedChain(ctx, asked)
  if (!chain) return null
  const before = await ctx.transaction(async (ctx) => least(asked, await findKeptFrom(ctx)), { readOnly: true })
  const from = chain.removed_to ?? LEAST_ID
  // What is not sealed for certain waits for another day.
  if (from >= before || chain.complete_to < before) return chain.removed_to
  const archived = ctx.config.audit.archive
  if (archived) await archiveRecords(ctx, { from, before })
  const records = await countAll(ctx, { from, before })
  const after = { before: new Date(timeOfId(before)).toISOString(), records, archived }
  return ctx.transaction((ctx) => recordRemoval(ctx, { from, before }, after), { role: 'system' })
}

/** The tenant's chain, with everything sealed that can be. */
async function sealedChain(ctx: Ctx, asked: string): Promise<ChainRow | undefined> {
  const find = () => ctx.transaction(({ tx, tenantId }) => findChain(tx, tenantId), { readOnly: true })
  const chain = await find()
  if (chain && chain.complete_to >= asked) return chain
  await sealTenant(ctx)
  return find()
}

/** One fact: the chain gives up the records and says so, and so does a record. Whoever comes second leaves it as it is. */
async function recordRemoval(
  ctx: Ctx,
  { from, before }: IdRange,
  after: EventContent<Static<typeof auditRemoved.data>>['after'],
): Promise<string | null> {
  const chain = await lockChain(ctx.tx, ctx.tenantId)
  const removedTo = chain?.removed_to ?? null
  // In the meantime the tenant may have come to keep its records for longer.
  if ((removedTo ?? LEAST_ID) !== from || (await findKeptFrom(ctx)) < before) return removedTo
  await appendRemoval(ctx, before)
  await ctx.emit(auditRemoved, { storeId: null, after })
  return before
}

/** False: there is more, for another run. */
async function removeBatches(ctx: Ctx, { from, before, limit }: IdRange & { limit: number }): Promise<boolean> {
  let start: string | null = from
  for (let batch = 0; batch < BATCHES_PER_RUN && start !== null && start < before; batch++) {
    const range: IdRange & { limit: number } = { from: start, before, limit }
    start = await inTurn(ctx, async ({ tx, tenantId }) => (await deleteRecords(tx, tenantId, range)).next)
  }
  return start === null || start >= before
}

/** As above, of the blocks of the chain that seal nothing else. */
async function removeBlocks(ctx: Ctx): Promise<boolean> {
  for (let batch = 0; batch < BATCHES_PER_RUN; batch++) {
    const removed = await inTurn(ctx, ({ tx, tenantId }) => deleteBlocks(tx, tenantId, BLOCKS))
    if (removed < BLOCKS) return true
  }
  return false
}

/** In a transaction of the system role, and then a pause of the same length: half of the disk is for others. */
async function inTurn<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await ctx.transaction(work, { role: 'system' })
  await sleep(performance.now() - start)
  return result
}

/** Piece by piece, because a statement of this role may not take long. */
async function countAll(ctx: Ctx, { from, before }: IdRange): Promise<number> {
  let count = 0
  for (let start: string | undefined = from; start !== undefined; ) {
    const range: IdRange = { from: start, before }
    const piece = await ctx.transaction(({ tx, tenantId }) => countPiece(tx, tenantId, range), { readOnly: true })
    count += piece.count
    start = piece.next
  }
  return count
}

async function countPiece(tx: Tx, tenantId: string, { from, before }: IdRange) {
  const next = await findIdAt(tx, tenantId, { from, before, offset: COUNTED })
  return { next, count: await countRecords(tx, tenantId, { from, before: next ?? before }) }
}
