import { createHmac, type KeyObject, sign, verify } from 'node:crypto'
import { SECONDS } from '../clock.ts'
import { equalSecrets } from '../secrets.ts'
import { bytesAfter, checkingKeyOf, signingKeyOf } from './signing-keys.ts'

/** A message to a receiver. The same content always has the same id. */
export interface Message {
  /** Letters, digits, `_` and `-`, because the signed text separates its parts by dots. */
  readonly id: string
  readonly body: string | Uint8Array
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
  const { kind, key } = signingKeyOf(secret)
  return kind === 'v1'
    ? `v1,${hmacOf(key, head, body)}`
    : `v1a,${sign(null, textOf(head, body), key).toString('base64')}`
}

function hmacOf(key: KeyObject, head: string, body: string | Uint8Array): string {
  return createHmac('sha256', key).update(head).update(body).digest('base64')
}

/** Ed25519 takes the whole text at once. */
function textOf(head: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head), typeof body === 'string' ? Buffer.from(body) : body])
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

function isSignedBy(text: string, given: readonly string[], head: string, body: Uint8Array): boolean {
  const { kind, key } = checkingKeyOf(text) ?? {}
  if (key === undefined) return false
  if (kind === 'v1') {
    const made = `v1,${hmacOf(key, head, body)}`
    return given.filter((part) => equalSecrets(part, made)).length > 0
  }
  const signed = textOf(head, body)
  return given
    .map((part) => bytesAfter('v1a,', part))
    .some((made) => made !== undefined && verify(null, signed, key, made))
}
