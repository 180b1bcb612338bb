import { SECONDS } from '../kernel/clock.ts'
import type { EventBody } from '../kernel/feed/event-body.ts'
import { signatureHeaders } from '../kernel/outbound/signing.ts'
import { newSigningSecret } from '../kernel/outbound/signing-keys.ts'
import { type Product, userAgentOf } from '../kernel/product.ts'
import { say, type Values } from './command.ts'
import { explain, UsageError } from './failures.ts'

/** A webhook gives up after the same time. */
const ANSWER_MS = 15 * SECONDS
const MOST_BYTES = 8 * 1024

/** What takes events on the machine of whoever writes it. */
export interface Receiver {
  url: string
  /** `whsec_…`, or `whsk_…` for signatures by a key pair. */
  secret: string
  userAgent: string
}

export const receiverOptions = { 'forward-to': { type: 'string' }, secret: { type: 'string' } } as const // the words are the type

export const RECEIVER_HELP = `  --forward-to  where to: http://localhost:4000/hook
  --secret      what signs: whsec_…, or whsk_… for v1a (default: one that is made now and shown)`

/** Says the secret where none was given. @throws UsageError */
export function readReceiver(values: Values, product: Product): Receiver {
  const url = readUrl(values['forward-to'], '--forward-to')
  const secret = values.secret === undefined ? newSigningSecret() : readSecret(String(values.secret))
  if (values.secret === undefined) say(`Signed by the secret ${secret} (--secret takes one of your own)`)
  return { url, secret, userAgent: userAgentOf(product) }
}

/** @throws UsageError */
export function readUrl(value: Values[string], option: string): string {
  if (value === undefined) throw new UsageError(`${option} is required: an address such as http://localhost:4000/hook`)
  const url = URL.parse(String(value))
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError(`${option} takes an address that begins with http:// or https://`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`${option} takes an address without a user name or password`)
  return url.href
}

function readSecret(secret: string): string {
  try {
    signatureHeaders({ id: 'x', body: '' }, [secret], 0)
  } catch {
    throw new UsageError('--secret takes a signing secret: whsec_ (or whsk_) and base64')
  }
  return secret
}

/** What became of sending an event. */
export interface Sent {
  /** Any 2xx, which alone is success. */
  isTaken: boolean
  /** The status, or why there was none. */
  result: string
  ms: number
}

/** Sends an event as a webhook of it would be sent, once. */
export async function sendEvent({ url, secret, userAgent }: Receiver, id: string, event: EventBody): Promise<Sent> {
  const body = JSON.stringify(event)
  const begun = performance.now()
  const done = (isTaken: boolean, result: string): Sent => ({
    isTaken,
    result,
    ms: Math.round(performance.now() - begun),
  })
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...signatureHeaders({ id, body }, [secret], Date.now()),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    await readAnswer(answer)
    return done(answer.ok, String(answer.status))
  } catch (error) {
    return done(false, whyNot(error))
  }
}

/** As much of it as a webhook keeps: one that breaks off before is no answer. */
async function readAnswer({ body }: Response): Promise<void> {
  let bytes = 0
  for await (const part of body ?? []) {
    bytes += part.length
    if (bytes >= MOST_BYTES) return
  }
}

/** Why there was no answer: what lies beneath the error of `fetch`. */
export function whyNot(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'no answer in time'
  return explain(error instanceof Error && error.cause ? error.cause : error)
}

/** Says what was sent: time, event, id, result, how long it took. */
export function saySent(type: string, id: string, { result, ms }: Sent): void {
  say(`${new Date().toTimeString().slice(0, 8)}  ${type.padEnd(22)}  ${id}  ${result}  ${ms} ms`)
}
