import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { SECONDS } from '../clock.ts'
import { equalSecrets } from '../secrets.ts'

/** A message to a receiver. The same content always has the same id. */
export interface Message {
  /** Letters, digits, `_` and `-`, because the signed text separates its parts by dots. */
  readonly id: string
  readonly body: string | Uint8Array
}

/**
 * The kinds of signatures in Standard Webhooks: `v1` by a secret that both sides hold (HMAC-SHA256), `v1a` by a private
 * key, which the receiver checks with the public one (Ed25519, RFC 8032).
 */
export type SignatureKind = 'v1' | 'v1a'

const SECRET = 'whsec_'
const PRIVATE_KEY = 'whsk_'
const PUBLIC_KEY = 'whpk_'
const SECRET_BYTES = 32
const KEY_BYTES = 32

/** A secret of 32 random bytes in the format of Standard Webhooks: `whsec_` and base64. Signs by `v1`. */
export function newSigningSecret(): string {
  return SECRET + randomBytes(SECRET_BYTES).toString('base64')
}

/**
 * A new pair of keys in the format of Standard Webhooks: `whsk_` and the base64 of the private key's 32 bytes (the seed
 * of RFC 8032), `whpk_` and the base64 of the public key's 32 bytes. The secret signs by `v1a`.
 */
export function newSigningKeyPair(): { secret: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_HEAD.length)
  return { secret: PRIVATE_KEY + seed.toString('base64'), publicKey: textOfPublicKey(privateKey) }
}

/** The public key (`whpk_…`) of a private one (`whsk_…`). Throws for anything else. */
export function publicKeyOf(secret: string): string {
  return textOfPublicKey(privateKeyOf(secret))
}

/** The kind of signature that a secret makes. Throws for one of another form. */
export function signatureKindOf(secret: string): SignatureKind {
  if (secret.startsWith(SECRET)) return 'v1'
  if (secret.startsWith(PRIVATE_KEY)) return 'v1a'
  throw new Error(`A signing secret begins with ${SECRET} or ${PRIVATE_KEY}`)
}

/**
 * The headers of Standard Webhooks for an attempt at `ms` (since the Unix epoch), with a signature by each secret: `v1`
 * by `whsec_…`, `v1a` by `whsk_…`. Throws for an id with other characters, and for a secret of another form.
 */
export function signatureHeaders({ id, body }: Message, secrets: readonly string[], ms: number) {
  if (!/^[\w-]+$/.test(id)) throw new Error('The id of a message has letters, digits, _ and - alone')
  const timestamp = String(Math.floor(ms / SECONDS))
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => signatureBy(secret, `${id}.${timestamp}.`, body)).join(' '),
  }
}

function signatureBy(secret: string, head: string, body: string | Uint8Array): string {
  if (signatureKindOf(secret) === 'v1a')
    return `v1a,${sign(null, textOf(head, body), privateKeyOf(secret)).toString('base64')}`
  const key = bytesAfter(SECRET, secret)
  if (!key?.length) throw new Error(`A secret is ${SECRET} and base64`)
  return `v1,${hmacOf(key, head, body)}`
}

function hmacOf(key: Buffer, head: string, body: string | Uint8Array): string {
  return createHmac('sha256', key).update(head).update(body).digest('base64')
}

/** Ed25519 takes the whole text at once. */
function textOf(head: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head), typeof body === 'string' ? Buffer.from(body) : body])
}

/** The bytes in base64 after a prefix; undefined without the prefix, and for what base64 does not write in that way. */
function bytesAfter(prefix: string, text: string): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined
  const encoded = text.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded ? bytes : undefined
}

/** What stands before the 32 bytes of an Ed25519 key in its DER forms (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

function privateKeyOf(secret: string): KeyObject {
  const seed = bytesAfter(PRIVATE_KEY, secret)
  if (seed?.length !== KEY_BYTES) throw new Error(`A private key is ${PRIVATE_KEY} and ${KEY_BYTES} bytes in base64`)
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}

function textOfPublicKey(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return PUBLIC_KEY + der.subarray(SPKI_HEAD.length).toString('base64')
}

/** A message signed longer ago, or later than now, is none: it may be one that somebody else has kept. */
const TOLERANCE_MS = 5 * 60 * SECONDS
/** More signatures are not looked at, because checking one of `v1a` is work. */
const MAX_SIGNATURES = 16

/** What came with a message that is said to be signed. */
export interface SignedMessage {
  readonly id: string
  readonly timestamp: string
  /** One signature or several, each `v1,…` or `v1a,…`, with blanks between them. */
  readonly signature: string
  readonly body: Uint8Array
}

/**
 * Whether a message bears a signature of Standard Webhooks by one of the keys, made within five minutes of `ms`. A
 * secret (`whsec_…`) checks signatures of `v1`, a public key (`whpk_…`) those of `v1a`; by any other key nothing is
 * signed.
 */
export function isSigned({ id, timestamp, signature, body }: SignedMessage, keys: readonly string[], ms: number) {
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(ms - Number(timestamp) * SECONDS) > TOLERANCE_MS) return false
  const given = signature.split(' ').slice(0, MAX_SIGNATURES)
  const head = `${id}.${timestamp}.`
  return keys.some((key) => isSignedBy(key, given, head, body))
}

function isSignedBy(key: string, given: readonly string[], head: string, body: Uint8Array): boolean {
  const secret = bytesAfter(SECRET, key)
  if (secret?.length) {
    const made = `v1,${hmacOf(secret, head, body)}`
    return given.filter((part) => equalSecrets(part, made)).length > 0
  }
  const bytes = bytesAfter(PUBLIC_KEY, key)
  if (bytes?.length !== KEY_BYTES) return false
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' })
  const text = textOf(head, body)
  return given
    .map((part) => bytesAfter('v1a,', part))
    .some((made) => made !== undefined && verify(null, text, publicKey, made))
}
