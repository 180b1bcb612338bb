import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { sha256 } from './hash.ts'

/** Encrypts secrets for storage and derives keys, all from APP_SECRET. */
export interface SecretBox {
  /**
   * Encrypts with the current secret. `context` says what is sealed and for whom (`signing_key:<id>`); only the same
   * context opens it again, so that a sealed value moved to another row is useless.
   */
  seal(plain: string | Uint8Array, context: string): string
  /** @throws SecretBoxError */
  open(sealed: string, context: string): Buffer
  /** As `open`, for what was sealed as text. @throws SecretBoxError */
  openText(sealed: string, context: string): string
  /** True when a value was sealed with an earlier secret and ought to be sealed anew. */
  isStale(sealed: string): boolean
  /** A 32-byte key for one purpose (an HMAC, say), from the current secret; the same one each time. */
  derive(purpose: string): Buffer
  /** The keys for one purpose of all secrets, current first: to check what an earlier one signed. */
  deriveAll(purpose: string): Buffer[]
}

/** Why a text cannot be decrypted; contains nothing of its content. */
export class SecretBoxError extends Error {
  override name = 'SecretBoxError'
  readonly reason: 'malformed' | 'unknown_key' | 'not_authentic'

  constructor(reason: 'malformed' | 'unknown_key' | 'not_authentic', message: string) {
    super(message)
    this.reason = reason
  }
}

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const KEY_ID_BYTES = 6

interface Key {
  readonly id: string
  readonly encryption: KeyObject
  readonly root: KeyObject
  /** Cached derived keys: some are needed for every request. */
  readonly derived: Map<string, Buffer>
}

/** Purposes are constants in the code; the limit bounds the cache if they are not. */
const MAX_DERIVED = 500

/**
 * A box over one secret or several, the current one first. A sealed text reads `v1.<key id>.<base64url>`: AES-256-GCM
 * under a key derived by HKDF-SHA256, with the context as associated data.
 */
export function createSecretBox(appSecrets: string | readonly string[]): SecretBox {
  const [current, ...earlier] = [...new Set([appSecrets].flat())].map(deriveKey)
  if (!current) throw new Error('A secret box needs at least one secret')
  const keys = [current, ...earlier]
  const open = (sealed: string, context: string) => openWith(keys, sealed, context)
  return {
    seal: (plain, context) => sealWith(current, plain, context),
    open,
    openText: (sealed, context) => open(sealed, context).toString('utf8'),
    isStale: (sealed) => !sealed.startsWith(`${VERSION}.${current.id}.`),
    derive: (purpose) => derived(current, purpose),
    deriveAll: (purpose) => keys.map((key) => derived(key, purpose)),
  }
}

function deriveKey(secret: string): Key {
  if (secret === '') throw new Error('A secret box cannot work with an empty secret')
  const root = createSecretKey(secret, 'utf8')
  return {
    id: expand(root, 'key-id', KEY_ID_BYTES).toString('base64url'),
    encryption: createSecretKey(expand(root, 'seal', KEY_BYTES)),
    root,
    derived: new Map(),
  }
}

function derived(key: Key, purpose: string): Buffer {
  let found = key.derived.get(purpose)
  if (!found) {
    found = expand(key.root, `purpose:${purpose}`, KEY_BYTES)
    if (key.derived.size < MAX_DERIVED) key.derived.set(purpose, found)
  }
  // A copy: the caller may do with it what they like.
  return Buffer.from(found)
}

function expand(root: KeyObject, info: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', root, 'tenantry', info, bytes))
}

function sealWith(key: Key, plain: string | Uint8Array, context: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.encryption, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final()])
  return `${VERSION}.${key.id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
}

function openWith(keys: readonly Key[], sealed: string, context: string): Buffer {
  const [, id, encoded] = /^v1\.([\w-]{8})\.([\w-]+)$/.exec(sealed) ?? []
  const bytes = Buffer.from(encoded ?? '', 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SecretBoxError('malformed', 'This is no sealed text')
  const key = keys.find((candidate) => candidate.id === id)
  if (!key) throw new SecretBoxError('unknown_key', 'Sealed with a secret that is not configured any more')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.encryption, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
  } catch {
    throw new SecretBoxError('not_authentic', 'The sealed text was changed, or sealed for another purpose')
  }
}

/** An unguessable token of so many random bytes, in base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** The stored hash of a token. Suitable only for tokens of at least 112 random bits; passwords need a slow hash. */
export function hashToken(token: string): Buffer {
  return sha256(token)
}

/** Compares in constant time. */
export function equalSecrets(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(a), sha256(b))
}
