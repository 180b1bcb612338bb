import type { Ctx } from '#kernel'
import type { EventStream, StreamEnd } from './event-stream.ts'

/** A stream that somebody holds open. */
export interface OpenStream {
  /** Of the request that opened it. */
  readonly ctx: Ctx
  readonly tenantId: string
  readonly userId: string
  readonly body: EventStream
  /** The place in the person's list up to which it has told. */
  seq: number
  /** The number it told last; null: none yet. */
  unread: number | null
  /** It was passed over, since it had too much left to send. */
  isBehind: boolean
  /** When it has to end by itself, in milliseconds since the epoch; null: it never has to. */
  readonly endsAtMs: number | null
  /** Why it ends then: at the wish of whoever opened it, or since the credential does. */
  readonly isBounded: boolean
  /** It ends once all that is there was told. */
  readonly isOnce: boolean
}

/** Whose places it takes: whoever acts as somebody else takes none of theirs. */
export const holderOf = ({ actor, userId }: Ctx): string => actor.impersonatorId ?? userId

/** Why streams end, beside what a new request would be answered. */
export const ENDS = {
  credential: {
    code: 'access_token_expired',
    detail: 'The access token is about to expire: come back with a new one and Last-Event-ID',
  },
  stopping: { code: 'unavailable', detail: 'This server stops: come back, and another one answers' },
  unproven: { code: 'unavailable', detail: 'Whether you may go on could not be looked up: come back' },
  left: { code: 'session_revoked', detail: 'You are no active member of the tenant any more' },
} satisfies Readonly<Record<string, StreamEnd>>

export const endOf = ({ isBounded }: OpenStream): StreamEnd | null => (isBounded ? null : ENDS.credential)
