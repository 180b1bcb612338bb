import { SECONDS } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { coreOf } from '../core-of.ts'
import { userAgentOf } from '../product.ts'
import { OutboundError } from './outbound-error.ts'
import { readRetryAfter } from './retries.ts'
import type { OutboundSession } from './session.ts'
import { type Message, signatureHeaders } from './signing.ts'
import { SecretsLost, type SigningColumns, type SigningSecrets } from './signing-secrets.ts'

/** A receiver that takes longer to answer has not accepted the message. */
const ANSWER_MS = 15 * SECONDS
/** Longer than sending a message can take; for `newLease`. */
export const DELIVERY_LEASE_MS = 60 * SECONDS
/** After this time a job lets others have its place and continues later. */
const RUN_MS = 10 * SECONDS

/** A row with the address that messages are sent to and the secrets that sign them. */
export interface Receiver extends SigningColumns {
  readonly id: string
  readonly url: string
}

export interface DeliveredMessage extends Message {
  readonly contentType: string
  /** Headers in addition to those of every message, which take precedence. */
  readonly headers?: Readonly<Record<string, string>>
  /** Maximum bytes of the answer that are read. Default: none. */
  readonly maxAnswerBytes?: number
}

/** The result of sending a message. */
export interface Outcome {
  /** Null: there was no answer. */
  readonly status: number | null
  /**
   * Null when the receiver accepted it with any 2xx; else a short sentence, the same for the same reason, without an
   * address.
   */
  readonly error: string | null
  readonly body: Buffer | null
  readonly durationMs: number | null
  /** The delay requested by `Retry-After`, however long; null without one. */
  readonly retryAfterMs: number | null
}

/**
 * Signs a message and sends it by POST, once, within 15 seconds. Not in a transaction, because receivers may be slow.
 * `session`: a session for the receiver's URL (`ctx.outbound.connect`), for many messages at once; default: a connection
 * of its own.
 */
export async function deliver(
  ctx: Pick<Ctx, 'outbound' | 'clock' | 'secrets' | 'product' | 'log' | 'tenantId'>,
  signing: SigningSecrets,
  receiver: Receiver,
  message: DeliveredMessage,
  session?: OutboundSession,
): Promise<Outcome> {
  if (session && session.url !== receiver.url) throw new Error('The session is for the URL of another receiver')
  try {
    const own = Object.entries(message.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    const { status, headers, body, durationMs } = await (session ?? ctx.outbound).send({
      url: receiver.url,
      method: 'POST',
      headers: {
        ...Object.fromEntries(own),
        'content-type': message.contentType,
        'user-agent': userAgentOf(ctx.product),
        ...signatureHeaders(message, signing.open(ctx, receiver), ctx.clock.ms()),
      },
      body: message.body,
      timeoutMs: ANSWER_MS,
      maxAnswerBytes: message.maxAnswerBytes ?? 0,
    })
    const error = status >= 200 && status < 300 ? null : `The server answered ${status}`
    return { status, error, body, durationMs, retryAfterMs: readRetryAfter(headers['retry-after'], ctx.clock) }
  } catch (error) {
    if (!(error instanceof OutboundError || error instanceof SecretsLost)) throw error
    const { reason, code } = error instanceof OutboundError ? error : { reason: 'secrets_lost', code: null }
    ctx.log.info({ tenant_id: ctx.tenantId, receiver_id: receiver.id, reason, code }, 'a receiver could not be reached')
    return { status: null, error: error.message, body: null, durationMs: null, retryAfterMs: null }
  }
}

/** The steps of sending waiting messages to a receiver, one after the other. A turn is a message and a lease. */
export interface DeliverySteps<Turn, Result = Outcome> {
  /** Takes the first turn, in a transaction; null when there is nothing to send, or another process sends. */
  begin(ctx: Ctx): Promise<Turn | null>
  /** Sends the message, outside of a transaction. */
  send(ctx: Ctx, turn: Turn): Promise<Result>
  /** Stores the result, in a transaction, and takes the next turn if there is one and `goesOn`. */
  end(ctx: Ctx, turn: Turn, result: Result, goesOn: boolean): Promise<Turn | null>
}

/** For turns of many messages: while a receiver takes everything, a turn is stored while the next one is sent. */
export interface Overlap<Turn, Result> {
  /** The turn after one that is being sent, under the same lease, in a transaction that reads; null: there is none. */
  ahead(ctx: Ctx, turn: Turn): Promise<Turn | null>
  /** Whether the next turn may be sent before this result is stored. */
  isSmooth(turn: Turn, result: Result): boolean
  /**
   * Stores the result, in a transaction, and keeps the lease. `last`: what is being sent meanwhile comes to its end before more
   * is. `lost`: another process sends by now.
   */
  store(ctx: Ctx, turn: Turn, result: Result): Promise<'on' | 'last' | 'lost'>
}

/**
 * Sends for about ten seconds, or until the process is to end, in a job that is `outbound` and `manual`. Taking a turn,
 * sending and storing the result are separate steps, so that no transaction is open while a receiver is slow. When a process
 * dies before the last step, the message is sent again under the same id; none can be lost.
 */
export async function deliverInTurns<Turn, Result = Outcome>(
  ctx: Ctx,
  { begin, send, end }: DeliverySteps<Turn, Result>,
  overlap?: Overlap<Turn, Result>,
): Promise<void> {
  const { stopping } = coreOf(ctx)
  const until = performance.now() + RUN_MS
  const goesOn = () => performance.now() < until && !stopping.aborted
  let turn = await ctx.transaction(begin)
  let storing: Promise<'on' | 'last' | 'lost'> = Promise.resolve('on')
  while (turn !== null) {
    const current: Turn = turn
    const ahead = lookAhead(ctx, current, overlap)
    const result = await send(ctx, current)
    const before = await storing
    // What was sent meanwhile is sent again by whoever took over.
    if (before === 'lost') return
    const next = await ahead
    if (overlap && next !== null && before === 'on' && overlap.isSmooth(current, result) && goesOn()) {
      storing = ctx.transaction((inner) => overlap.store(inner, current, result))
      storing.catch(() => {}) // thrown above, once the next turn was sent
      turn = next
    } else {
      turn = await ctx.transaction((inner) => end(inner, current, result, goesOn()))
      storing = Promise.resolve('on')
    }
  }
}

/** What could not be looked up ahead is looked up later. */
async function lookAhead<Turn, Result>(ctx: Ctx, turn: Turn, overlap?: Overlap<Turn, Result>): Promise<Turn | null> {
  if (!overlap) return null
  try {
    const found: Turn | null = await ctx.transaction((inner) => overlap.ahead(inner, turn), { readOnly: true })
    return found
  } catch (error) {
    ctx.log.warn({ err: error }, 'what is to be sent next could not be looked up ahead')
    return null
  }
}
