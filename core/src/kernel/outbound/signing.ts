import { createHmac, randomBytes } from 'node:crypto'
import { SECONDS } from '../clock.ts'

/** What is sent to a receiver: the same id for the same content, however often it is sent. */
export interface Message {
  /** Letters, digits, `_` and `-`: it is signed with dots around it. */
  readonly id: string
  readonly body: string | Uint8Array
}

const PREFIX = 'whsec_'
const SECRET_BYTES = 32

/** A secret of 32 random bytes, as Standard Webhooks writes it: `whsec_` and base64. */
export function newSigningSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/**
 * The headers of Standard Webhooks for an attempt at the moment `ms` (since the Unix epoch), with a signature by each of the
 * secrets. Throws for an id that could be read in two ways.
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
