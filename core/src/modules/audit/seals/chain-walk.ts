import { setImmediate as breathe } from 'node:timers/promises'
import { type Ctx, LEAST_ID } from '#kernel'
import { presentRecord } from '../present.ts'
import { hashRecord, rangeOf, unpackEntries } from './chain.ts'
import { badSeal, checkRecords, checkSeal, type Finding, type FoundRecord, type Link, linkOf } from './check.ts'
import { type CheckpointKey, checkpointKeys } from './checkpoint-keys.ts'
import { findSealedBlock, type Read, type SealedBlock } from './seal-queries.ts'
import { readBatches, type SealedBatch } from './sealed-batches.ts'
import { findRemoval, type SealedRange } from './sealed-range.ts'

/** Records hashed before the event loop is released. */
const HASHES = 100

/** Runs each query in its own short transaction. */
export const reading =
  (ctx: Ctx): Read =>
  (query) =>
    ctx.transaction(({ tx, tenantId }) => query(tx, tenantId), { readOnly: true })

/** Checks the blocks of a range in order, up to the first problem. */
export interface ChainWalk {
  run(): AsyncGenerator<void, Finding | null>
  /** Records found correct so far. */
  readonly checked: number
  /** The greatest id of these records. */
  reached(): string
  /** The `complete_to` of the last block found correct. */
  completeTo(): string
  /** Records with smaller ids may have been removed; null: none. */
  removedTo(): string | null
  /** Whether retention may have removed the record, possibly just now. */
  mayMiss(id: string): Promise<boolean>
}

/** The state of a walk. */
interface State {
  checked: number
  reached: string
  removal: SealedBlock | null
  /** The previous block; null: unknown. */
  previous: Link | null
  /** The next height. */
  next: number
  /** Whether the previous block is signed by a known key. */
  isSigned: boolean
  lastRemoval: number | null
}

interface Walking {
  ctx: Ctx
  read: Read
  range: SealedRange
  /** The first height; the walk continues past the last one until a block is signed by a known key. */
  from: number
  to: number
  state: State
}

export async function walkChain(ctx: Ctx, range: SealedRange): Promise<ChainWalk> {
  const read = reading(ctx)
  const removal = await findRemoval(ctx)
  // A removal whose signature cannot be checked is vouched for by the hashes of later blocks.
  const isHeldByOthers = removal !== null && !keyOf(ctx, removal)
  const from = Math.min(range.first, range.chain.height, isHeldByOthers ? removal.height : range.first)
  const to = isHeldByOthers ? range.chain.height : Math.max(range.last, from)
  const before = from > 1 ? await read((tx, tenantId) => findSealedBlock(tx, tenantId, from - 1)) : undefined
  const previous = before ? linkOf(before) : null
  const state = { checked: 0, reached: LEAST_ID, removal, previous, next: from, isSigned: false, lastRemoval: null }
  const walking = { ctx, read, range, from, to, state }
  return {
    run: () => run(walking),
    get checked() {
      return walking.state.checked
    },
    reached: () => walking.state.reached,
    completeTo: () => walking.state.previous?.complete_to ?? LEAST_ID,
    removedTo: () => walking.state.removal?.removed_to ?? null,
    mayMiss: async (id) => isRemoved(walking, id) || ((await seesMoreRemoved(walking)) && isRemoved(walking, id)),
  }
}

async function* run(walking: Walking): AsyncGenerator<void, Finding | null> {
  const { read, range, to, state } = walking
  const isOver = () => state.next > to && state.isSigned
  for await (const { blocks, rows } of readBatches(
    read,
    { from: state.next, to: range.chain.height },
    isAsked(range),
  )) {
    for (const block of blocks) {
      const found = await checkBlock(walking, block, rows)
      if (found) return found
      if (isOver()) return checkEnd(walking)
    }
    yield
  }
  return checkEnd(walking)
}

const isAsked =
  ({ first, last }: SealedRange) =>
  ({ height }: SealedBlock) =>
    height >= first && height <= last

type Rows = SealedBatch['rows']

async function checkBlock(walking: Walking, block: SealedBlock, rows: Rows): Promise<Finding | null> {
  const { ctx, range, state } = walking
  if (block.height > state.next) {
    if (!(await mayMissBefore(walking, block.height))) return missingBlock(state)
    state.previous = null
  }
  const key = keyOf(ctx, block)
  const found = checkSeal(block, state.previous, key)
  if (found) return found
  const span = rangeOf(unpackEntries(block.entries))
  if (block.first_id !== (span?.first ?? null) || block.last_id !== (span?.last ?? null))
    return badSeal(`Block ${block.height} is not filed under the ids that it holds`, block.first_position)
  if (span && isAsked(range)(block)) {
    const wrong = await checkRecordsOf(walking, block, rows)
    if (wrong) return wrong
    if (span.last > state.reached) state.reached = span.last
  }
  if (block.kind === 'removal') state.lastRemoval = block.height
  state.previous = linkOf(block)
  state.next = block.height + 1
  state.isSigned = key !== undefined
  return null
}

async function checkRecordsOf(walking: Walking, block: SealedBlock, rows: Rows): Promise<Finding | null> {
  const { state } = walking
  const present: FoundRecord[] = []
  for (const [index, { id }] of unpackEntries(block.entries).entries()) {
    const row = rows.get(id)
    if (row) present.push({ id, hash: hashRecord(presentRecord(row)) })
    if (index % HASHES === HASHES - 1) await breathe()
  }
  const mayMiss = (id: string) => isRemoved(walking, id)
  const look = () => checkRecords(block, present, { previous: state.previous, mayMiss })
  let found = look()
  if (found?.problem === 'removed' && (await seesMoreRemoved(walking))) found = look()
  if (!found) state.checked += present.length
  return found
}

/** The last block must be the end of the chain and signed by a known key. */
async function checkEnd(walking: Walking): Promise<Finding | null> {
  const { range, from, to, state } = walking
  const { chain } = range
  const end = state.previous
  if (!end || state.next <= to) return missingBlock(state)
  if (!state.isSigned) return badSeal('The last seal is signed by a key that is not known here', end.position)
  if (end.height < chain.height) return null
  const isEnd = end.position === chain.position && end.hash.equals(chain.hash) && chain.complete_to >= end.complete_to
  const knowsRemoval = from > 1 || state.lastRemoval === chain.removal_height || (await isRemovalNew(walking))
  return isEnd && knowsRemoval ? null : badSeal('The end of the chain is not that of its last block', chain.position)
}

function missingBlock({ next, previous }: State): Finding {
  return badSeal(`Block ${next} is missing`, previous ? previous.position + 1 : next === 1 ? 1 : null)
}

/** Whether blocks below a height may be missing because they held only removed records. */
async function mayMissBefore(walking: Walking, height: number): Promise<boolean> {
  const isRemoved = () => height <= (walking.state.removal?.kept_from ?? 0)
  return isRemoved() || ((await seesMoreRemoved(walking)) && isRemoved())
}

function isRemoved({ state }: Walking, id: string): boolean {
  const removedTo = state.removal?.removed_to ?? null
  return removedTo !== null && id < removedTo
}

/** Whether retention has removed more since the walk started. */
async function seesMoreRemoved({ ctx, state }: Walking): Promise<boolean> {
  const removal = await findRemoval(ctx)
  if (removal === null || removal.height <= (state.removal?.height ?? 0)) return false
  state.removal = removal
  return true
}

async function isRemovalNew(walking: Walking): Promise<boolean> {
  await seesMoreRemoved(walking)
  return (walking.state.removal?.height ?? 0) > walking.range.chain.height
}

function keyOf(ctx: Ctx, { key_id }: SealedBlock): CheckpointKey | undefined {
  return ctx.use(checkpointKeys).all.find((key) => key.key_id === key_id)
}
