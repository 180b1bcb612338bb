import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/**
 * The kinds of signatures in Standard Webhooks: `v1` by a secret that both sides hold (HMAC-SHA256), `v1a` by a private
 * key, which the receiver checks with the public one (Ed25519, RFC 8032).
 */
export type SignatureKind = 'v1' | 'v1a'

const SECRET = 'whsec_'
const PRIVATE_KEY = 'whsk_'
const PUBLIC_KEY = 'whpk_'
/** Of a secret that is made here, and of either key of a pair. */
const BYTES = 32

/** A secret of 32 random bytes in the format of Standard Webhooks: `whsec_` and base64. Signs by `v1`. */
export function newSigningSecret(): string {
  return SECRET + randomBytes(BYTES).toString('base64')
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
  return textOfPublicKey(readPrivateKey(secret))
}

/** The kind of signature that a secret makes. Throws for one of another form. */
export function signatureKindOf(secret: string): SignatureKind {
  if (secret.startsWith(SECRET)) return 'v1'
  if (secret.startsWith(PRIVATE_KEY)) return 'v1a'
  throw new Error(`A signing secret begins with ${SECRET} or ${PRIVATE_KEY}`)
}

/** A key in the form in which it signs or checks. */
export interface SigningKey {
  readonly kind: SignatureKind
  readonly key: KeyObject
}

/** The key that a secret (`whsec_…`, `whsk_…`) signs with. Throws for one of another form. */
export function signingKeyOf(secret: string): SigningKey {
  return keep(secret, () => {
    const kind = signatureKindOf(secret)
    return { kind, key: kind === 'v1a' ? readPrivateKey(secret) : readSecret(secret) }
  })
}

/** The key that checks signatures (`whsec_…`, `whpk_…`); undefined for anything else, private keys too. */
export function checkingKeyOf(text: string): SigningKey | undefined {
  const bytes = bytesAfter(PUBLIC_KEY, text)
  if (bytes?.length === BYTES)
    return keep(text, () => {
      const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: 'der', type: 'spki' })
      return { kind: 'v1a', key }
    })
  return bytesAfter(SECRET, text)?.length ? signingKeyOf(text) : undefined
}

/** Making a key costs more than signing with it, so those that were used last are kept. */
const KEPT = 1000
const kept = new Map<string, SigningKey>()

function keep(text: string, make: () => SigningKey): SigningKey {
  const key = kept.get(text) ?? make()
  kept.delete(text)
  kept.set(text, key)
  const [oldest] = kept.keys()
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest)
  return key
}

function readSecret(secret: string): KeyObject {
  const bytes = bytesAfter(SECRET, secret)
  if (!bytes?.length) throw new Error(`A secret is ${SECRET} and base64`)
  return createSecretKey(bytes)
}

/** What stands before the 32 bytes of an Ed25519 key in its DER forms (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

function readPrivateKey(secret: string): KeyObject {
  const seed = bytesAfter(PRIVATE_KEY, secret)
  if (seed?.length !== BYTES) throw new Error(`A private key is ${PRIVATE_KEY} and ${BYTES} bytes in base64`)
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}

function textOfPublicKey(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return PUBLIC_KEY + der.subarray(SPKI_HEAD.length).toString('base64')
}

/** The bytes in base64 after a prefix; undefined without the prefix, and for what base64 does not write in that way. */
export function bytesAfter(prefix: string, text: string): Buffer | undefined {
  if (!text.startsWith(prefix)) return undefined
  const encoded = text.slice(prefix.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded ? bytes : undefined
}
