import { createHmac, randomBytes } from 'node:crypto'
import { SECONDS } from '../clock.ts'
import { equalSecrets } from '../secrets.ts'

/** A message to a receiver. The same content always has the same id. */
export interface Message {
  /** Letters, digits, `_` and `-`, because the signed text separates its parts by dots. */
  readonly id: string
  readonly body: string | Uint8Array
}

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A secret of 32 random bytes in the format of Standard Webhooks: `whsec_` and base64. */
export function newSigningSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/**
 * The headers of Standard Webhooks for an attempt at `ms` (since the Unix epoch), with a signature by each secret.
 * Throws for an id with other characters.
 */
export function signatureHeaders({ id, body }: Message, secrets: readonly string[], ms: number) {
  if (!/^[\w-]+$/.test(id)) throw new Error('The id of a message has letters, digits, _ and - alone')
  const timestamp = String(Math.floor(ms / SECONDS))
  const signature = (secret: string) =>
    createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${signature(secret)}`).join(' '),
  }
}

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(PREFIX)) throw new Error(`A signing secret begins with ${PREFIX}`)
  return Buffer.from(secret.slice(PREFIX.length), 'base64')
}

/** A message signed longer ago, or later than now, is none: it may be one that somebody else has kept. */
const TOLERANCE_MS = 5 * 60 * SECONDS

/** What came with a message that is said to be signed. */
export interface SignedMessage {
  readonly id: string
  readonly timestamp: string
  /** One signature or several, each `v1,…`, with blanks between them. */
  readonly signature: string
  readonly body: Uint8Array
}

/** Whether a message bears a signature of Standard Webhooks by one of the secrets, made within five minutes of `ms`. */
export function isSigned({ id, timestamp, signature, body }: SignedMessage, secrets: readonly string[], ms: number) {
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(ms - Number(timestamp) * SECONDS) > TOLERANCE_MS) return false
  const given = signature.split(' ').filter((part) => part.startsWith('v1,'))
  return secrets.some((secret) => {
    const made = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest('base64')
    return given.filter((part) => equalSecrets(part, `v1,${made}`)).length > 0
  })
}
