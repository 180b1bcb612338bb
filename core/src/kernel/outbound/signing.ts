import { createHmac, randomBytes } from 'node:crypto'
import { SECONDS } from '../clock.ts'

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
