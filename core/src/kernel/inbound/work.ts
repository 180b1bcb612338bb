import { isUtf8 } from 'node:buffer'
import Type, { type Static } from 'typebox'
import { Closed } from '../http/schemas.ts'
import { defineJob, type Job } from '../jobs/define.ts'
import type { InboundMessage, InboundSpec } from './source.ts'

/** A message as a job keeps it. */
export const StoredMessage = Closed({
  id: Type.String(),
  received_at: Type.String(),
  headers: Type.Record(Type.String(), Type.String()),
  body: Type.String(),
  /** The body is no text that the database can hold, and stands in base64. */
  is_base64: Type.Boolean(),
})
type StoredMessage = Static<typeof StoredMessage>

/** What works the messages of a source. */
export function jobOf(name: string, spec: InboundSpec): Job<typeof StoredMessage> {
  const { description, verify, handle, bodyLimit, contentTypes, headers, errors, ...options } = spec
  return defineJob(`inbound.${name}`, {
    ...options,
    payload: StoredMessage,
    handler: (ctx, stored) => handle(ctx, unpack(stored)),
  })
}

export function pack({ id, receivedAt, headers, body }: InboundMessage): StoredMessage {
  const isText = isUtf8(body) && !body.includes(0)
  return {
    id,
    received_at: receivedAt,
    headers: { ...headers },
    body: body.toString(isText ? 'utf8' : 'base64'),
    is_base64: !isText,
  }
}

function unpack({ id, received_at, headers, body, is_base64 }: StoredMessage): InboundMessage {
  return { id, receivedAt: received_at, headers, body: Buffer.from(body, is_base64 ? 'base64' : 'utf8') }
}
