import { SECONDS } from '../clock.ts'
import type { Ctx } from '../context.ts'
import { userAgentOf } from '../product.ts'
import { OutboundError } from './outbound-error.ts'
import { readRetryAfter } from './retries.ts'
import { type Message, signatureHeaders } from './signing.ts'
import { SecretsLost, type SigningColumns, type SigningSecrets } from './signing-secrets.ts'

/** A receiver that needs longer to answer has not taken the message. */
const ANSWER_MS = 15 * SECONDS
/** Longer than one message can take: give it to `newLease`. */
export const DELIVERY_LEASE_MS = 60 * SECONDS
/** After so long a job gives the worker's place to others and goes on later. */
const RUN_MS = 10 * SECONDS

/** A row that says where messages go and what signs them. */
export interface Receiver extends SigningColumns {
  readonly id: string
  readonly url: string
}

export interface DeliveredMessage extends Message {
  readonly contentType: string
  /** Of the receiver's own; those that every message has stand above them. */
  readonly headers?: Readonly<Record<string, string>>
  /** How much of the answer is read, in bytes. Default: nothing. */
  readonly maxAnswerBytes?: number
}

/** What a receiver made of a message. */
export interface Outcome {
  /** Null: there was no answer. */
  readonly status: number | null
  /** Null when the receiver has taken it, which any 2xx says; else a short sentence, the same for the same reason, that names no address. */
  readonly error: string | null
  readonly body: Buffer | null
  readonly durationMs: number | null
  /** How long it asks to be left alone, by `Retry-After`, be it for years; null when it does not. */
  readonly retryAfterMs: number | null
}

/** Signs a message and sends it by POST, once, within 15 seconds. Not in a transaction: receivers take their time. */
export async function deliver(
  ctx: Pick<Ctx, 'outbound' | 'clock' | 'secrets' | 'product' | 'log' | 'tenantId'>,
  signing: SigningSecrets,
  receiver: Receiver,
  message: DeliveredMessage,
): Promise<Outcome> {
  try {
    const own = Object.entries(message.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    const { status, headers, body, durationMs } = await ctx.outbound.send({
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

/** The steps of sending what waits for a receiver, one message after the other. A turn is a message and a lease. */
export interface DeliverySteps<Turn> {
  /** Takes the first turn, in a transaction; null when there is nothing to do, or somebody else is at it. */
  begin(ctx: Ctx): Promise<Turn | null>
  /** Sends, in no transaction. */
  send(ctx: Ctx, turn: Turn): Promise<Outcome>
  /** Writes down what came of it, in a transaction, and takes the next turn if there is one and `goesOn`. */
  end(ctx: Ctx, turn: Turn, outcome: Outcome, goesOn: boolean): Promise<Turn | null>
}

/**
 * Works for ten seconds or so, in a job that is `outbound` and `manual`. Taking a turn, sending and writing down are three
 * steps, so that no transaction is open while a receiver takes its time: a process that dies after the second leaves the
 * message to be sent again, under the same id; none can be left out.
 */
export async function deliverInTurns<Turn>(ctx: Ctx, { begin, send, end }: DeliverySteps<Turn>): Promise<void> {
  const until = performance.now() + RUN_MS
  let turn = await ctx.transaction(begin)
  while (turn !== null) {
    const current: Turn = turn
    const outcome = await send(ctx, current)
    turn = await ctx.transaction((inner) => end(inner, current, outcome, performance.now() < until))
  }
}
