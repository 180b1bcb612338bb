import { setTimeout as sleep } from 'node:timers/promises'
import {
  Closed,
  type Ctx,
  defineJob,
  type EventContent,
  HOURS,
  LEAST_ID,
  least,
  momentAt,
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

/** Records removed per transaction. */
const BATCH = 5_000
const BLOCKS = 100
/** After this many (half a million records) other jobs get their turn. */
const BATCHES_PER_RUN = 100
/** Records counted per statement. */
const COUNTED = 50_000

const Payload = Closed({
  /** Records with smaller ids are removed. */
  before: Uuid,
  /** Records with smaller ids than this are only marked as removed: their months are dropped whole. */
  from: Uuid,
})

/**
 * Removes a tenant's expired records that are sealed. They are archived first if that is configured; then the chain
 * marks them as removed, which is recorded; then they are deleted. A run that dies is simply repeated.
 */
export const removeExpired = defineJob('audit.remove_expired', {
  payload: Payload,
  transaction: 'manual',
  // The archive is in the storage.
  outbound: true,
  leaseMs: 6 * HOURS,
  handler: (ctx, payload) => removeRecords(ctx, payload, BATCH),
})

/** `batch`: records removed per transaction. The rest is left to another run, which this enqueues. */
export async function removeRecords(ctx: Ctx, payload: Static<typeof Payload>, batch: number): Promise<void> {
  const removedTo = await giveUp(ctx, payload.before)
  if (removedTo === null) return
  const before = least(removedTo, payload.before)
  const isDone = (await removeBatches(ctx, { from: payload.from, before, limit: batch })) && (await removeBlocks(ctx))
  if (isDone) await forgetNames(ctx, before)
  else await ctx.transaction((ctx) => ctx.enqueue(removeExpired, payload, { dedupeKey: removeExpired.name }))
}

/** Marks sealed records that the tenant does not keep any more as removed in the chain; returns up to where. */
async function giveUp(ctx: Ctx, asked: string): Promise<string | null> {
  const chain = await sealedChain(ctx, asked)
  if (!chain) return null
  const before = await ctx.transaction(async (ctx) => least(asked, await findKeptFrom(ctx)), { readOnly: true })
  const from = chain.removed_to ?? LEAST_ID
  // What may not be completely sealed waits for another day.
  if (from >= before || chain.complete_to < before) return chain.removed_to
  const archived = ctx.config.audit.archive
  if (archived) await archiveRecords(ctx, { from, before })
  const records = await countAll(ctx, { from, before })
  const after = { before: momentAt(timeOfId(before)), records, archived }
  return ctx.transaction((ctx) => recordRemoval(ctx, { from, before }, after), { role: 'system' })
}

/** The tenant's chain after sealing everything that can be sealed. */
async function sealedChain(ctx: Ctx, asked: string): Promise<ChainRow | undefined> {
  const find = () => ctx.transaction(({ tx, tenantId }) => findChain(tx, tenantId), { readOnly: true })
  const chain = await find()
  if (chain && chain.complete_to >= asked) return chain
  await sealTenant(ctx)
  return find()
}

/**
 * The removal is recorded in the chain and in the audit log, in one transaction. If another process was faster, nothing
 * is changed.
 */
async function recordRemoval(
  ctx: Ctx,
  { from, before }: IdRange,
  after: EventContent<Static<typeof auditRemoved.data>>['after'],
): Promise<string | null> {
  const chain = await lockChain(ctx.tx, ctx.tenantId)
  const removedTo = chain?.removed_to ?? null
  // The tenant may have chosen a longer period meanwhile.
  if ((removedTo ?? LEAST_ID) !== from || (await findKeptFrom(ctx)) < before) return removedTo
  await appendRemoval(ctx, before)
  await ctx.emit(auditRemoved, { storeId: null, after })
  return before
}

/** False: there is more for another run. */
async function removeBatches(ctx: Ctx, { from, before, limit }: IdRange & { limit: number }): Promise<boolean> {
  let start: string | null = from
  for (let batch = 0; batch < BATCHES_PER_RUN && start !== null && start < before; batch++) {
    const range: IdRange & { limit: number } = { from: start, before, limit }
    start = await inTurn(ctx, async ({ tx, tenantId }) => (await deleteRecords(tx, tenantId, range)).next)
  }
  return start === null || start >= before
}

/** The same for blocks that hold nothing but removed records. */
async function removeBlocks(ctx: Ctx): Promise<boolean> {
  for (let batch = 0; batch < BATCHES_PER_RUN; batch++) {
    const removed = await inTurn(ctx, ({ tx, tenantId }) => deleteBlocks(tx, tenantId, BLOCKS))
    if (removed < BLOCKS) return true
  }
  return false
}

/**
 * Runs in a transaction of the system role, then pauses as long as it took, so that half of the disk time is left to
 * others.
 */
async function inTurn<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await ctx.transaction(work, { role: 'system' })
  await sleep(performance.now() - start)
  return result
}

/** Counts in parts, because statements of this role have a short timeout. */
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
