import { type Block, type Entry, hashBlock, MAX_RECORDS, NO_HASH, unpackEntries } from './chain.ts'
import type { CheckpointKey } from './checkpoint-keys.ts'

// Checks sealed records from any source: the database or an exported file.

export const PROBLEMS = ['changed', 'removed', 'inserted', 'reordered', 'seal'] as const // the words are the type

/** The first problem found. */
export interface Finding {
  problem: (typeof PROBLEMS)[number]
  record_id: string | null
  position: number | null
  detail: string
  /** The line, for a file. */
  line?: number
}

/** A block and its seal. */
export interface Sealed extends Block {
  hash: Buffer
  key_id: string
  signature: Buffer
}

/** The part of the previous block that a block refers to. */
export interface Link {
  height: number
  /** The position of the newest record sealed by then. */
  position: number
  hash: Buffer
  complete_to: string
}

export function linkOf({ height, first_position, record_count, hash, complete_to }: Sealed): Link {
  return { height, position: first_position + record_count - 1, hash, complete_to }
}

/** The finding of an invalid seal. */
export function badSeal(detail: string, position: number | null): Finding {
  return { problem: 'seal', record_id: null, position, detail }
}

/** Checks that a block is what was signed and follows the previous one (null: the previous one is unknown). */
export function checkSeal(block: Sealed, previous: Link | null, key: CheckpointKey | undefined): Finding | null {
  const { height, first_position } = block
  if (previous && height !== previous.height + 1)
    return badSeal(`Block ${previous.height + 1} is missing`, previous.position + 1)
  const wrong = (detail: string) => badSeal(detail, first_position)
  if (!hasForm(block) || !hashBlock(block).equals(block.hash))
    return wrong(`The hash of block ${height} is not that of its content`)
  if (key && !key.verifies(block.hash, block.signature)) return wrong(`The signature of block ${height} is not valid`)
  const before = previous ?? (height === 1 ? { height: 0, position: 0, hash: NO_HASH, complete_to: '' } : null)
  if (before && !block.previous_hash.equals(before.hash))
    return wrong(`Block ${height} does not follow the one before it`)
  if (before && first_position !== before.position + 1)
    return wrong(`Block ${height} begins at position ${first_position} instead of ${before.position + 1}`)
  if (before && block.complete_to < before.complete_to && !unpackEntries(block.entries).some(isBelow(before)))
    return wrong(`Block ${height} goes back behind what was complete`)
  return null
}

function hasForm({ kind, record_count, entries, removed_to, kept_from, signature }: Sealed): boolean {
  if (kind === 'removal') return record_count === 0 && entries.length === 0 && removed_to !== null && kept_from !== null
  const isFull = record_count > 0 && record_count <= MAX_RECORDS && entries.length % record_count === 0
  return isFull && unpackEntries(entries).length === record_count && signature.length > 0
}

const isBelow =
  ({ complete_to }: Pick<Link, 'complete_to'>) =>
  ({ id }: Entry) =>
    id < complete_to

/** An existing record: its id, its hash and its line in the file. */
export interface FoundRecord extends Entry {
  line?: number
}

/**
 * Checks that the existing records are those of the block, in order. `mayMiss` tells which ones retention may have
 * removed; an entry whose id was complete before was backdated.
 */
export function checkRecords(
  block: Sealed,
  present: readonly FoundRecord[],
  { previous, mayMiss }: { previous: Link | null; mayMiss: (id: string) => boolean },
): Finding | null {
  const entries = unpackEntries(block.entries)
  const completeTo = previous && previous.complete_to > block.complete_to ? previous.complete_to : block.complete_to
  const places = new Map(entries.map(({ id }, index) => [id, index]))
  const there = new Set(present.map(({ id }) => id))
  let at = 0
  for (const [index, { id, hash }] of entries.entries()) {
    const record = present[at]
    const finding = (problem: Finding['problem'], recordId: string, detail: string): Finding => {
      const position = problem === 'inserted' && recordId !== id ? null : block.first_position + index
      return { problem, record_id: recordId, position, detail, line: record?.line }
    }
    if (id < completeTo) return finding('inserted', id, BACKDATED)
    if (record?.id === id) {
      at++
      if (record.hash.equals(hash)) continue
      const isOfAnother = entries.some((entry) => entry.hash.equals(record.hash))
      return isOfAnother ? finding('reordered', id, SWAPPED) : finding('changed', id, CHANGED)
    }
    if (record && (places.get(record.id) ?? -1) < index) return finding('inserted', record.id, INSERTED)
    if (there.has(id)) return finding('reordered', id, SWAPPED)
    if (!mayMiss(id)) return finding('removed', id, REMOVED)
  }
  const more = present[at]
  return more ? { problem: 'inserted', record_id: more.id, position: null, detail: INSERTED, line: more.line } : null
}

const CHANGED = 'The record does not say what it said when it was sealed'
const REMOVED = 'The record was sealed and is not there any more'
const SWAPPED = 'The record does not stand where it was sealed: another has its place'
const BACKDATED = 'The record was sealed although records of its time were complete: it was added later'
export const INSERTED = 'The record was not sealed with those of its time: it was added later'
