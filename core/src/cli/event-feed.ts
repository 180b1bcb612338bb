import { SECONDS, systemClock } from '../kernel/clock.ts'
import { isObject } from '../kernel/fields.ts'
import { readRetryAfter } from '../kernel/outbound/retries.ts'
import type { Event } from '../modules/events/index.ts'
import { whyNot } from './forward.ts'

/** The longest that the API waits for events. */
const WAIT_SECONDS = 30
/** On top of that, for the answer. */
const ANSWER_MS = 30 * SECONDS
const MOST_MS = 30 * SECONDS

/** Where events come from, and by which right. */
export interface Feed {
  /** Of the server: `http://127.0.0.1:3000`. */
  url: string
  apiKey: string
  types: string | undefined
  userAgent: string
}

export interface Page {
  events: Event[]
  cursor: string
}

/** Nothing more can be got; the message says why. */
export class FeedEnded extends Error {
  override name = 'FeedEnded'
}

/** What to ask for. `after`: a cursor, or `now`; undefined: from the oldest event that is kept. */
export interface Asked {
  after: string | undefined
  wait?: number
  limit?: number
}

/** It is asked again after this time: the message says why. */
export class AskAgain extends Error {
  override name = 'AskAgain'
  readonly afterMs: number | null

  constructor(message: string, afterMs: number | null) {
    super(message)
    this.afterMs = afterMs
  }
}

/** Asks once. Throws AskAgain where another time may help, FeedEnded where none does, and what `signal` was aborted with. */
export async function pull(feed: Feed, { after, wait = 0, limit = 100 }: Asked, signal: AbortSignal): Promise<Page> {
  const query = new URLSearchParams({ wait: String(wait), limit: String(limit) })
  if (after !== undefined) query.set('after', after)
  if (feed.types !== undefined) query.set('types', feed.types)
  const patience = AbortSignal.timeout(wait * SECONDS + ANSWER_MS)
  const answer = await fetch(`${feed.url.replace(/\/$/, '')}/api/v1/events?${query}`, {
    headers: { authorization: `Bearer ${feed.apiKey}`, 'user-agent': feed.userAgent },
    redirect: 'manual',
    signal: AbortSignal.any([signal, patience]),
  })
    .then(async (response) => ({ response, body: await readBody(response) }))
    .catch((error: unknown) => {
      if (signal.aborted) throw signal.reason
      throw new AskAgain(`${feed.url} cannot be reached (${whyNot(error)})`, null)
    })
  return readPage(feed, answer)
}

/** As above, until there is an answer. `says` gets each reason to wait, once. */
export async function pullPatiently(
  feed: Feed,
  asked: Asked,
  { says, pause, signal }: { says(text: string): void; pause(ms: number): Promise<void>; signal: AbortSignal },
): Promise<Page> {
  let said: string | undefined
  for (let delayMs = 1 * SECONDS; ; delayMs = Math.min(2 * delayMs, MOST_MS)) {
    try {
      return await pull(feed, asked, signal)
    } catch (error) {
      if (!(error instanceof AskAgain)) throw error
      if (error.message !== said) says(`${error.message}: asking again until it answers`)
      said = error.message
      await pause(error.afterMs ?? delayMs)
    }
  }
}

export const pullWaiting = (after: string): Asked => ({ after, wait: WAIT_SECONDS })

async function readBody(response: Response): Promise<unknown> {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readPage({ url }: Feed, { response, body }: { response: Response; body: unknown }): Page {
  const { status, headers } = response
  const fields: Record<string, unknown> = isObject(body) ? body : {}
  if (status === 200) {
    const { data, next_cursor: cursor } = fields
    if (!Array.isArray(data) || typeof cursor !== 'string')
      throw new FeedEnded(`${url} does not answer as this API does: is --url right?`)
    return { events: data as Event[], cursor } // as the API says
  }
  const said = `${status}${typeof fields.code === 'string' ? ` ${fields.code}` : ''}`
  const detail = sentenceOf(fields)
  const retryAfterMs = readRetryAfter(headers.get('retry-after') ?? undefined, systemClock)
  if (status === 429) throw new AskAgain(`Too many requests (${said})`, retryAfterMs ?? 5 * SECONDS)
  if (status >= 500) throw new AskAgain(`${url} has a problem (${said})`, retryAfterMs)
  if (status === 401) throw new FeedEnded(`The API key is refused (${said}): it is wrong, revoked or over`)
  if (status === 403)
    throw new FeedEnded(`The API key may not follow events (${said}): it needs the scope event.view. ${detail}`)
  if (fields.code === 'invalid_cursor') throw new FeedEnded(`The events cannot be gone on with from there: ${detail}`)
  if (status === 404) throw new FeedEnded(`There are no events under ${url} (${said}): is --url right?`)
  throw new FeedEnded(`${url} refuses (${said}): ${detail}`)
}

function sentenceOf({ detail, errors }: Record<string, unknown>): string {
  const places = Array.isArray(errors) ? errors.map((each) => `${each?.pointer} ${each?.detail}`) : []
  return [typeof detail === 'string' ? detail : 'no reason was given', ...places].join('; ')
}
