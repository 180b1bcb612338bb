import { formatUuid, sha256 } from '#kernel'
import type { AuditLog } from '../schema.ts'
import type { BlockKind } from '../table.ts'

// Defines what is hashed and how. Records are checked against it for as long as they are kept, also by other programs,
// so it must never change: a new form needs a new version next to this one. docs/audit.md describes it to the byte.

/** A block without its seal. */
export interface Block {
  tenant_id: string
  height: number
  kind: BlockKind
  first_position: number
  record_count: number
  entries: Buffer
  complete_to: string
  removed_to: string | null
  kept_from: number | null
  created_at: string
  previous_hash: Buffer
}

/** A record as a block names it. */
export interface Entry {
  id: string
  hash: Buffer
}

export const VERSION = 1
export const MAX_RECORDS = 1_000
export const HASH_BYTES = 32
const ID_BYTES = 16
const ENTRY_BYTES = ID_BYTES + HASH_BYTES

/** The previous hash of the first block. */
export const NO_HASH: Buffer = Buffer.alloc(HASH_BYTES)

/**
 * Fields in the order of hashing. The id is not among them: the entry has it, so that a swap of records is detected.
 */
const HASHED = [
  'tenant_id',
  'user_id',
  'actor',
  'action',
  'resource_type',
  'resource_id',
  'resource_label',
  'store_id',
  'old_values',
  'new_values',
  'ip_address',
  'user_agent',
  'request_id',
  'created_at',
] as const satisfies readonly (keyof AuditLog)[] // the literal names are checked

/** SHA-256 over the canonical JSON (RFC 8785) of the version and the record's fields but for its id. */
export function hashRecord(record: Omit<AuditLog, 'id'>): Buffer {
  return sha256(canonicalJson([VERSION, ...HASHED.map((name) => record[name])]))
}

/** JSON without spaces, the keys of each object in the order of their UTF-16 code units (RFC 8785). */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonicalJson(each)}`).join(',')}}`
}

/** SHA-256 over the block's header: a text of twelve lines. */
export function hashBlock(block: Block): Buffer {
  const lines = [
    `tenantry audit block ${VERSION}`,
    `tenant ${block.tenant_id}`,
    `height ${block.height}`,
    `kind ${block.kind}`,
    `first_position ${block.first_position}`,
    `record_count ${block.record_count}`,
    `complete_to ${block.complete_to}`,
    `removed_to ${block.removed_to ?? '-'}`,
    `kept_from ${block.kept_from ?? '-'}`,
    `created_at ${block.created_at}`,
    `previous_hash ${block.previous_hash.toString('hex')}`,
    `entries ${sha256(block.entries).toString('hex')}`,
  ]
  return sha256(lines.map((line) => `${line}\n`).join(''))
}

/** The bytes of a block's entries. */
export function packEntries(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.flatMap(({ id, hash }) => [Buffer.from(id.replaceAll('-', ''), 'hex'), hash]))
}

/** The entries in these bytes; an incomplete last one is ignored. */
export function unpackEntries(bytes: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES)
    entries.push({ id: idOf(bytes, at), hash: bytes.subarray(at + ID_BYTES, at + ENTRY_BYTES) })
  return entries
}

/** The least and the greatest id of a block's entries. */
export function rangeOf(entries: readonly Entry[]): { first: string; last: string } | null {
  let [first, last] = [entries[0]?.id, entries[0]?.id]
  if (first === undefined || last === undefined) return null
  for (const { id } of entries) {
    if (id < first) first = id
    if (id > last) last = id
  }
  return { first, last }
}

function idOf(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + ID_BYTES)
  return formatUuid(hex)
}
