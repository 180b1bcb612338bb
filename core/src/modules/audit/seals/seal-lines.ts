import { Value } from 'typebox/value'
import { Closed, Nullable, OneOf, type Static, Type } from '#kernel'
import { HASH_BYTES, VERSION } from './chain.ts'
import type { Sealed } from './check.ts'
import type { CheckpointKey } from './checkpoint-keys.ts'

// The format of a block in an exported file. Like the hashed form, it may only get new versions.

const ID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const Id = Type.String({ pattern: ID })
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Bytes = Type.String({ pattern: '^[A-Za-z0-9_-]*$' })
const Count = Type.Integer({ minimum: 0 })

export const SealLine = Closed({
  version: Type.Literal(VERSION),
  tenant_id: Id,
  height: Count,
  kind: OneOf(['records', 'removal']),
  first_position: Count,
  record_count: Count,
  /** 48 bytes for each record: 16 of its id, 32 of its hash. */
  entries: Bytes,
  complete_to: Id,
  removed_to: Nullable(Id),
  kept_from: Type.Union([Count, Type.Null()]),
  created_at: Type.String({ maxLength: 40, pattern: '^[0-9TZ:.+-]+$' }),
  previous_hash: Hash,
  hash: Hash,
  kid: Bytes,
  signature: Bytes,
  /** Null: the key is no longer configured. */
  public_key: Nullable(Bytes),
})
export type SealLine = Static<typeof SealLine>

export function writeSeal(block: Sealed, key: CheckpointKey | undefined): SealLine {
  return {
    version: VERSION,
    tenant_id: block.tenant_id,
    height: block.height,
    kind: block.kind,
    first_position: block.first_position,
    record_count: block.record_count,
    entries: block.entries.toString('base64url'),
    complete_to: block.complete_to,
    removed_to: block.removed_to,
    kept_from: block.kept_from,
    created_at: block.created_at,
    previous_hash: block.previous_hash.toString('hex'),
    hash: block.hash.toString('hex'),
    kid: block.key_id,
    signature: block.signature.toString('base64url'),
    public_key: key?.public_key ?? null,
  }
}

/** Null for anything that is no seal of this version. */
export function readSeal(value: unknown): { block: Sealed; publicKey: string | null } | null {
  if (!Value.Check(SealLine, value)) return null
  const { version, public_key, kid, ...seal } = value
  const [previous_hash, hash] = [Buffer.from(seal.previous_hash, 'hex'), Buffer.from(seal.hash, 'hex')]
  if (previous_hash.length !== HASH_BYTES || hash.length !== HASH_BYTES) return null
  const [entries, signature] = [Buffer.from(seal.entries, 'base64url'), Buffer.from(seal.signature, 'base64url')]
  return { block: { ...seal, key_id: kid, entries, signature, previous_hash, hash }, publicKey: public_key }
}
