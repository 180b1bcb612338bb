import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { defineResource, sha256 } from '#kernel'

/** A key that seals are checked with. */
export interface CheckpointKey {
  /** The first 9 bytes of the SHA-256 of the public key, in base64url. */
  readonly key_id: string
  /** 32 bytes in base64url. */
  readonly public_key: string
  /** Whether the signature of these bytes was made with this key. */
  verifies(content: Buffer, signature: Buffer): boolean
}

/** The keys that sign and check blocks, derived from APP_SECRET. */
export interface CheckpointKeys {
  /** Current first, then those of APP_SECRET_PREVIOUS. */
  readonly all: readonly CheckpointKey[]
  sign(hash: Buffer): { key_id: string; signature: Buffer }
}

// The DER encoding of an Ed25519 key before its 32 bytes (RFC 8410).
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const KEY_BYTES = 32
const KEY_ID_BYTES = 9

export const checkpointKeys = defineResource<CheckpointKeys>({
  name: 'audit checkpoint keys',
  create: ({ secrets }) => keysFromSeeds(secrets.deriveAll('audit checkpoint')),
})

/** Keys of 32-byte seeds; the first signs. */
export function keysFromSeeds(seeds: readonly Buffer[]): CheckpointKeys {
  const secrets = seeds.map((seed) =>
    createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, seed]), format: 'der', type: 'pkcs8' }),
  )
  const all = secrets.map((secret) => keyOf(rawOf(createPublicKey(secret))))
  const [secret, current] = [secrets[0], all[0]]
  if (!secret || !current) throw new Error('Sealing needs a key')
  return { all, sign: (hash) => ({ key_id: current.key_id, signature: sign(null, hash, secret) }) }
}

/** The public key in this text; null for an invalid one. */
export function readPublicKey(text: string): CheckpointKey | null {
  const raw = Buffer.from(text, 'base64url')
  return raw.length === KEY_BYTES && raw.toString('base64url') === text ? keyOf(raw) : null
}

function keyOf(raw: Buffer): CheckpointKey {
  let key: KeyObject | undefined
  return {
    key_id: sha256(raw).subarray(0, KEY_ID_BYTES).toString('base64url'),
    public_key: raw.toString('base64url'),
    verifies: (content, signature) => {
      key ??= createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, raw]), format: 'der', type: 'spki' })
      return verify(null, content, key, signature)
    },
  }
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length)
}
