import { greatest, isUuid } from '#kernel'
import { AuditLog } from '../schema.ts'
import { hashRecord, MAX_RECORDS, unpackEntries } from './chain.ts'
import {
  badSeal,
  checkRecords,
  checkSeal,
  type Finding,
  type FoundRecord,
  type Link,
  linkOf,
  type Sealed,
} from './check.ts'
import { type CheckpointKey, readPublicKey } from './checkpoint-keys.ts'
import { readSeal } from './seal-lines.ts'

/** The result of checking a file with proof. */
export interface ExportVerdict {
  /** The first problem and its line; null: everything is as it was sealed. */
  first_invalid: Finding | null
  /** Records found correct. */
  checked: number
  seals: number
  tenant_id: string | null
  /** Positions covered by the seals; null: the file has no valid seal. */
  covers: { from: number; to: number } | null
  /** The times of the first and last record. */
  made: { first: string; last: string } | null
  /** Keys that signed, the one of the last seal at the end. `public_key` null: not in the file. */
  signed_by: { key_id: string; public_key: string | null }[]
}

/** A line of the file; null for one longer than any valid line. */
export type Line = string | null

/** Records kept until their seal: more than a block holds, so that surplus records can be named. */
const MAX_WAITING = 10 * MAX_RECORDS

interface State {
  pinned: readonly CheckpointKey[]
  verdict: ExportVerdict
  /** The number of the current line. */
  line: number
  /** Records since the last seal. */
  records: FoundRecord[]
  previous: Link | null
  isTrusted: boolean
  removedTo: string | null
  /** Removals whose signature cannot be checked, by height: later seals must vouch for them. */
  unproven: Map<number, Buffer>
}

/**
 * Checks a file of `GET /audit/export?format=ndjson&proof=true` line by line, without a database. With `pinned` keys
 * the last seal must be signed by one of them; without, the keys in the file are used, which proves only that nobody
 * without any key changed it.
 */
export async function checkExport(
  lines: AsyncIterable<Line>,
  pinned: readonly CheckpointKey[] = [],
): Promise<ExportVerdict> {
  const verdict: ExportVerdict = {
    first_invalid: null,
    checked: 0,
    seals: 0,
    tenant_id: null,
    covers: null,
    made: null,
    signed_by: [],
  }
  const start = { line: 0, records: [], previous: null, isTrusted: false, removedTo: null }
  const state: State = { pinned, verdict, ...start, unproven: new Map() }
  let isOver = false
  for await (const line of lines) {
    state.line++
    // A download may end with an empty line; nothing may follow it.
    if (line === '' && state.line > 1) {
      isOver = true
      continue
    }
    const found = isOver ? notWritten(state) : checkLine(state, line)
    if (found) return { ...verdict, first_invalid: { line: state.line, ...withoutUnknown(found) } }
  }
  return { ...verdict, first_invalid: checkEnd(state) }
}

/**
 * Everything must be written exactly as an export writes it, because other programs could read other spellings
 * differently.
 */
function checkLine(state: State, line: Line): Finding | null {
  const value = parse(line)
  if (!value || JSON.stringify(value) !== line) return notWritten(state)
  if ('seal' in value || 'removal' in value) {
    const isSeal = 'seal' in value
    const read = Object.keys(value).length === 1 ? readSeal(isSeal ? value.seal : value.removal) : null
    if (!read) return badSeal('The line is no seal that this version can read', nextPosition(state))
    return isSeal ? checkBlock(state, read.block, read.publicKey) : checkRemoval(state, read.block, read.publicKey)
  }
  return addRecord(state, value)
}

function addRecord(state: State, value: Record<string, unknown>): Finding | null {
  const names = Object.keys(AuditLog.properties)
  const isRecord =
    isUuid(value.id) && Object.keys(value).length === names.length && names.every((name) => name in value)
  if (!isRecord) return notWritten(state)
  const record = value as AuditLog // its hash tells whether it is one
  if (state.records.length === MAX_WAITING)
    return badSeal(`A seal is missing: more than ${MAX_WAITING} records follow each other`, nextPosition(state))
  state.records.push({ id: record.id, hash: hashRecord(record), line: state.line })
  const made = String(record.created_at)
  state.verdict.made = { first: state.verdict.made?.first ?? made, last: made }
  return null
}

function checkBlock(state: State, block: Sealed, publicKey: string | null): Finding | null {
  const { verdict, previous, records } = state
  if (block.tenant_id !== (verdict.tenant_id ?? block.tenant_id))
    return badSeal('The seal is of another tenant', nextPosition(state))
  const key = keyOf(state, block, publicKey)
  const mayMiss = (id: string) => state.removedTo !== null && id < state.removedTo
  const found =
    checkSeal(block, previous, key) ?? checkFit(block, records) ?? checkRecords(block, records, { previous, mayMiss })
  if (found) return found
  const unproven = state.unproven.get(block.height)
  if (unproven && !unproven.equals(block.hash)) return notTheRemoval(block)
  state.unproven.delete(block.height)
  if (block.kind === 'removal' && block.removed_to !== null)
    state.removedTo = greatest(block.removed_to, state.removedTo)
  state.previous = linkOf(block)
  state.isTrusted = isTrusted(state, key)
  state.records = []
  verdict.checked += records.length
  verdict.seals++
  verdict.tenant_id = block.tenant_id
  verdict.covers = { from: verdict.covers?.from ?? block.first_position, to: state.previous.position }
  noteKey(verdict, block.key_id, key)
  return null
}

/** A seal that matches none of the preceding records is in the wrong place. */
function checkFit(block: Sealed, records: readonly FoundRecord[]): Finding | null {
  const known = new Set(unpackEntries(block.entries).map(({ id }) => id))
  const isOther = known.size > 0 && records.length > 0 && !records.some(({ id }) => known.has(id))
  return isOther
    ? badSeal(`Block ${block.height} holds none of the records before its seal`, block.first_position)
    : null
}

/** A removal precedes the missing records and allows them to be missing. */
function checkRemoval(state: State, block: Sealed, publicKey: string | null): Finding | null {
  const key = keyOf(state, block, publicKey)
  const found = checkSeal(block, null, key)
  if (found) return found
  if (
    block.kind !== 'removal' ||
    block.removed_to === null ||
    block.tenant_id !== (state.verdict.tenant_id ?? block.tenant_id)
  )
    return notTheRemoval(block)
  if (!isTrusted(state, key)) state.unproven.set(block.height, block.hash)
  state.verdict.tenant_id = block.tenant_id
  state.removedTo = greatest(block.removed_to, state.removedTo)
  return null
}

function checkEnd({ records, verdict, isTrusted, unproven, previous, pinned }: State): Finding | null {
  const [loose] = records
  if (loose)
    return {
      problem: 'inserted',
      record_id: loose.id,
      position: null,
      detail: 'No seal follows the record',
      line: loose.line,
    }
  if (!previous) return badSeal('The file holds no seal', null)
  const last = verdict.signed_by.at(-1)?.key_id
  const which = pinned.length > 0 ? 'which is none of those given' : 'which the file does not have'
  if (!isTrusted) return badSeal(`The last seal is signed by the key ${last}, ${which}`, previous.position)
  const [height] = unproven.keys()
  return height === undefined ? null : badSeal(`Nothing proves the removal that block ${height} is said to be`, null)
}

/** The pinned key of the seal, or the one in the file; undefined when neither made it. */
function keyOf({ pinned }: State, { key_id }: Sealed, publicKey: string | null): CheckpointKey | undefined {
  const own = publicKey === null ? null : readPublicKey(publicKey)
  return [...pinned, ...(own ? [own] : [])].find((key) => key.key_id === key_id)
}

function isTrusted({ pinned }: State, key: CheckpointKey | undefined): boolean {
  return key !== undefined && (pinned.length === 0 || pinned.some(({ key_id }) => key_id === key.key_id))
}

function noteKey(verdict: ExportVerdict, keyId: string, key: CheckpointKey | undefined): void {
  if (verdict.signed_by.at(-1)?.key_id !== keyId)
    verdict.signed_by = [
      ...verdict.signed_by.filter(({ key_id }) => key_id !== keyId),
      { key_id: keyId, public_key: key?.public_key ?? null },
    ]
}

function parse(line: Line): Record<string, unknown> | null {
  try {
    const value: unknown = line === null ? null : JSON.parse(line)
    return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown> | null) : null // just looked at
  } catch {
    return null
  }
}

function notWritten(state: State): Finding {
  const detail = 'The line is not written as an export writes a record'
  return { problem: 'changed', record_id: null, position: nextPosition(state), detail }
}

function notTheRemoval({ height }: Sealed): Finding {
  return badSeal(`Block ${height} is not the removal that the file tells of`, null)
}

function nextPosition({ previous, records }: State): number | null {
  return previous ? previous.position + records.length + 1 : null
}

function withoutUnknown({ line, ...found }: Finding): Finding {
  return line === undefined ? found : { ...found, line }
}
