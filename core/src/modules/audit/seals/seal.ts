import { type Ctx, firstIdAt, LEAST_ID, MINUTES, momentAt, newId, SECONDS, timeOfId } from '#kernel'
import { presentRecord } from '../present.ts'
import type { AuditRow } from '../queries.ts'
import type { AuditLog } from '../schema.ts'
import { indexNames } from '../search/search.ts'
import type { AuditBlockTable, ChainRow } from '../table.ts'
import { hashBlock, hashRecord, MAX_RECORDS, NO_HASH, packEntries, rangeOf } from './chain.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import { findLate } from './late-records.ts'
import {
  findGreatestHeight,
  findHeightOf,
  getRunning,
  insertBlock,
  insertChain,
  listRecordsAfter,
  listRecordsById,
  lockChain,
  updateChain,
} from './seal-queries.ts'

/** Most records are committed within this time of being created, and so are sealed in order. */
const SEAL_DELAY_MS = 5 * SECONDS
/**
 * After this time no record of an ended transaction can appear: it exceeds differences between clocks and stalls of
 * processes.
 */
const COMPLETE_MS = 15 * MINUTES
const BLOCKS_PER_RUN = 20

/** The result of a run. */
export interface Sealing {
  /** Records sealed. */
  sealed: number
  /** False: it stopped at its limit, and more is waiting. */
  isDone: boolean
  /** When to check again for late records even if nothing new is recorded; null: not needed. */
  looksAgainAt: string | null
}

/**
 * Seals the tenant's records older than 5 seconds: up to 20,000, each block of up to 1,000 in its own transaction, as
 * the system role, because no other may write the chain; the context needs none open. Simultaneous calls take turns.
 */
export async function sealTenant(ctx: Ctx): Promise<Sealing> {
  let [sealed, looksBack] = [0, true]
  for (let block = 0; block < BLOCKS_PER_RUN; block++) {
    const step = await ctx.transaction((ctx) => sealBlock(ctx, looksBack), { role: 'system' })
    sealed += step.records
    const isLast = step.records < MAX_RECORDS
    if (isLast && looksBack) return { sealed, isDone: true, looksAgainAt: step.looksAgainAt }
    // Checking for late records costs the same for each block, so a run does it at its start and its end.
    looksBack = isLast || step.late === MAX_RECORDS
  }
  return { sealed, isDone: false, looksAgainAt: null }
}

/**
 * For the system role: adds to the tenant's chain, in the transaction of `ctx`, that retention removes records with
 * smaller ids than this. From then on verification accepts that they are missing. Does nothing when that is recorded
 * already, or nothing is sealed. Throws for records that are not sealed yet.
 */
export async function appendRemoval(ctx: Ctx, removedTo: string): Promise<void> {
  const chain = await lockChain(ctx.tx, ctx.tenantId)
  if (!chain || (chain.removed_to !== null && chain.removed_to >= removedTo)) return
  if (removedTo > chain.complete_to) throw new Error('Only what is sealed may be removed from the audit log')
  const kept = (await findHeightOf(ctx.tx, ctx.tenantId, removedTo)) ?? chain.height + 1
  const block = { kind: 'removal', removed_to: removedTo, kept_from: kept } as const // the word is the kind
  const now = ctx.clock.now()
  const added = await addBlock(ctx, chain, { ...block, record_count: 0, entries: Buffer.alloc(0), now })
  const change = { ...added, removed_to: removedTo, removal_height: added.height, updated_at: now }
  await updateChain(ctx.tx, ctx.tenantId, change)
}

interface Step {
  records: number
  /** How many of them appeared after newer ones had been sealed. */
  late: number
  looksAgainAt: string | null
}

async function sealBlock(ctx: Ctx, looksBack: boolean): Promise<Step> {
  const ms = ctx.clock.ms()
  const now = momentAt(ms)
  const before = firstIdAt(ms - SEAL_DELAY_MS)
  const chain = await openChain(ctx, before, now)
  if (!chain) return { records: 0, late: 0, looksAgainAt: null }
  // Read first: everything that has ended by now is visible to the queries below.
  const running = await getRunning(ctx.tx)
  const late = looksBack ? await findLate(ctx, chain, MAX_RECORDS) : []
  const records = await readRecords(ctx, chain, late, before)
  const added = records.length === 0 ? null : await sealRecords(ctx, chain, records, now)
  const isAll = looksBack && records.length < MAX_RECORDS
  const watermark = isAll ? moveWatermark(chain, running, ms) : null
  if (added || watermark) await updateChain(ctx.tx, ctx.tenantId, { ...added, ...watermark, updated_at: now })
  return {
    records: records.length,
    late: late.length,
    looksAgainAt: nextLook({ ...chain, ...added, ...watermark }, ms),
  }
}

/** The tenant's chain, locked; created when there is something to seal, otherwise null. */
async function openChain(ctx: Ctx, before: string, now: string): Promise<ChainRow | null> {
  const { tx, tenantId } = ctx
  const chain = await lockChain(tx, tenantId)
  if (chain) return chain
  const [first] = await listRecordsAfter(tx, tenantId, { after: LEAST_ID, before, limit: 1 })
  if (!first) return null
  if ((await findGreatestHeight(tx, tenantId)) > 0) {
    // The blocks may be of another process that has created the chain since the look above.
    const made = await lockChain(tx, tenantId)
    // A new chain would contradict the existing blocks; see the check of `doctor`.
    if (!made) throw new ChainEndMissing(tenantId)
    return made
  }
  const start = { height: 0, position: 0, hash: NO_HASH, sealed_to: LEAST_ID, complete_to: LEAST_ID }
  await insertChain(tx, { tenant_id: tenantId, id: newId(), ...start, created_at: now, updated_at: now })
  return (await lockChain(tx, tenantId)) ?? null
}

/** The end of a tenant's chain is missing, so nothing more can be sealed. */
export class ChainEndMissing extends Error {
  constructor(tenantId: string) {
    super(`The end of the chain of seals of tenant ${tenantId} is missing: nothing more of its audit log can be sealed`)
  }
}

/** Late records first, then those newer than everything sealed, each in the order of their ids. */
async function readRecords(ctx: Ctx, chain: ChainRow, late: string[], before: string): Promise<AuditRow[]> {
  const { tx, tenantId } = ctx
  const rows = await listRecordsById(tx, tenantId, late)
  rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  const limit = MAX_RECORDS - rows.length
  if (limit > 0) rows.push(...(await listRecordsAfter(tx, tenantId, { after: chain.sealed_to, before, limit })))
  return rows
}

async function sealRecords(ctx: Ctx, chain: ChainRow, rows: AuditRow[], now: string): Promise<Partial<ChainRow>> {
  const records: AuditLog[] = rows.map(presentRecord)
  await indexNames(ctx, records)
  const entries = records.map((record) => ({ id: record.id, hash: hashRecord(record) }))
  const packed = { entries: packEntries(entries), record_count: entries.length }
  const range = rangeOf(entries)
  const block = {
    kind: 'records',
    removed_to: null,
    kept_from: null,
    first_id: range?.first,
    last_id: range?.last,
  } as const // as above
  const added = await addBlock(ctx, chain, { ...block, ...packed, now })
  const sealedTo = range && range.last > chain.sealed_to ? range.last : chain.sealed_to
  return { ...added, sealed_to: sealedTo }
}

type BlockContent = Pick<AuditBlockTable, 'kind' | 'record_count' | 'entries' | 'removed_to' | 'kept_from'> &
  Partial<Pick<AuditBlockTable, 'first_id' | 'last_id'>> & { now: string }

/** Adds a block to the locked chain; returns the new end of the chain. */
async function addBlock(ctx: Ctx, chain: ChainRow, { now, ...content }: BlockContent) {
  const block = {
    tenant_id: ctx.tenantId,
    height: chain.height + 1,
    first_position: chain.position + 1,
    complete_to: chain.complete_to,
    previous_hash: chain.hash,
    created_at: now,
    ...content,
  }
  const hash = hashBlock(block)
  await insertBlock(ctx.tx, { ...block, id: newId(), hash, ...ctx.use(checkpointKeys).sign(hash) })
  return { height: block.height, position: chain.position + block.record_count, hash }
}

/**
 * Moves the watermark `complete_to`, below which no record can appear any more. A candidate becomes the watermark once
 * every transaction that ran when it was noted has ended, and some time has passed, because an id is made before its
 * transaction is visible.
 */
function moveWatermark(
  chain: ChainRow,
  { xmin, next }: { xmin: string; next: string },
  ms: number,
): Partial<ChainRow> | null {
  const { candidate_to, candidate_xmax, candidate_at } = chain
  // A candidate in the future was noted by a wrong clock and is replaced.
  const isNoted =
    candidate_to !== null && candidate_xmax !== null && candidate_at !== null && !isAheadOf(ms, candidate_at)
  // Transaction numbers restart when a dump is restored elsewhere; an old candidate is then meaningless.
  if (isNoted && BigInt(next) >= BigInt(candidate_xmax)) {
    const isOver = ms - Date.parse(candidate_at) >= COMPLETE_MS && BigInt(xmin) >= BigInt(candidate_xmax)
    if (!isOver) return null
    if (candidate_to > chain.complete_to) return { complete_to: candidate_to, ...newCandidate(next, ms) }
  }
  return newCandidate(next, ms)
}

const isAheadOf = (ms: number, time: string) => Date.parse(time) > ms + COMPLETE_MS

/** Ids contain the machine's time, which may differ from the clock's. */
function newCandidate(next: string, ms: number) {
  const to = firstIdAt(Math.min(ms, timeOfId(newId())) - SEAL_DELAY_MS)
  return { candidate_to: to, candidate_xmax: next, candidate_at: momentAt(ms) }
}

/** A running transaction may delay the watermark. */
function nextLook({ complete_to, sealed_to, candidate_at }: ChainRow, ms: number): string | null {
  if (complete_to > sealed_to || candidate_at === null) return null
  return momentAt(Math.max(Date.parse(candidate_at) + COMPLETE_MS, ms + MINUTES))
}
