import { setTimeout as sleep } from 'node:timers/promises'
import { SECONDS } from '../kernel/clock.ts'
import { readEnv } from '../kernel/config/env.ts'
import { userAgentOf } from '../kernel/product.ts'
import type { Event } from '../modules/events/index.ts'
import { type Command, type CommandOptions, say, type Values } from './command.ts'
import { type Feed, pull, pullPatiently, pullWaiting } from './event-feed.ts'
import { UsageError } from './failures.ts'
import { RECEIVER_HELP, type Receiver, readReceiver, readUrl, receiverOptions, saySent, sendEvent } from './forward.ts'
import { type Lifetime, runUntilSignal } from './lifetime.ts'

const API_KEY = 'TENANTRY_API_KEY'
const LOCAL = 'http://127.0.0.1:3000'
const MOST_MS = 30 * SECONDS

export const listen: Command = {
  summary: 'send the events of a tenant to a program of yours as they come, signed as webhooks are',
  help: (cli) => `Usage: ${cli} listen --forward-to <url> [--url <url>] [--api-key <key>] [--types <names>]
       [--secret <secret>] [--from now|beginning|<cursor>]

Follows GET /api/v1/events with an API key that has the scope event.view, and sends each event in its order as a webhook of it
would be sent: the same body, headers and signature. Only 2xx is success. An event that is not taken is sent again, less and
less often, up to every ${MOST_MS / SECONDS} seconds; those behind it wait, and none is passed over. Ctrl-C ends it and says
where to go on.

${RECEIVER_HELP}
  --url         the server (default ${LOCAL})
  --api-key     default: what ${API_KEY} of the environment says, which other programs do not see as easily
  --types       these events alone: store.*,user.created
  --from        now (default), beginning (the oldest event that is kept), or where an earlier run ended: --from=<cursor>`,
  options: {
    ...receiverOptions,
    url: { type: 'string' },
    'api-key': { type: 'string' },
    types: { type: 'string' },
    from: { type: 'string' },
  },
  run(values, options) {
    const feed = readFeed(values, options)
    const from = readFrom(values)
    const receiver = readReceiver(values, options.product)
    return runUntilSignal(async (lifetime) => {
      const run = new Run(feed, receiver, lifetime.stopping)
      const ended = run.follow(from)
      ended.catch((error: unknown) => lifetime.fail(error as Error)) // whatever it is, it ends the command
      lifetime.onStop(() => end(run, ended, lifetime))
    })
  },
}

function readFeed(values: Values, { product }: CommandOptions): Feed {
  const apiKey = values['api-key'] ?? readEnv().source[API_KEY]?.trim()
  if (!apiKey) throw new UsageError(`--api-key or ${API_KEY} is required: a key with the scope event.view`)
  if (!/^[\x21-\x7e]+$/.test(String(apiKey))) throw new UsageError(`--api-key or ${API_KEY} is no API key: tk_live_…`)
  const types = values.types === undefined ? undefined : String(values.types)
  return { url: readUrl(values.url ?? LOCAL, '--url'), apiKey: String(apiKey), types, userAgent: userAgentOf(product) }
}

const readFrom = ({ from = 'now' }: Values): string | undefined => (from === 'beginning' ? undefined : String(from))

async function end(run: Run, ended: Promise<void>, { stopping }: Lifetime): Promise<void> {
  await ended.catch(() => {})
  const cursor = await run.cursor()
  if (cursor !== undefined) say(`${stopping.aborted ? '' : 'It has ended. '}To go on: --from=${cursor}`)
}

/** Sends what a feed gives to a receiver, in order. */
class Run {
  readonly #feed: Feed
  readonly #receiver: Receiver
  readonly #stopping: AbortSignal
  /** The place behind which the last page began, and how many of its events were taken. */
  #after: string | undefined
  #taken = 0

  constructor(feed: Feed, receiver: Receiver, stopping: AbortSignal) {
    this.#feed = feed
    this.#receiver = receiver
    this.#stopping = stopping
  }

  /** Ends when the command is to stop. @throws FeedEnded */
  async follow(from: string | undefined): Promise<void> {
    if (from !== 'now') this.#after = from
    try {
      let page = await this.#pull({ after: from })
      say(`Sending events to ${this.#receiver.url}. Ctrl-C ends it.`)
      if (from === 'now') this.#after = page.cursor
      for (;;) {
        for (const event of page.events) {
          this.#stopping.throwIfAborted()
          await this.#deliver(event)
          this.#taken++
        }
        this.#after = page.cursor
        this.#taken = 0
        page = await this.#pull(pullWaiting(page.cursor))
      }
    } catch (error) {
      if (!this.#stopping.aborted) throw error
    }
  }

  /** Where to go on; undefined before anything was taken. */
  async cursor(): Promise<string | undefined> {
    if (this.#taken === 0) return this.#after
    try {
      // What was taken of a page is a page of its own.
      const asked = { after: this.#after, limit: this.#taken }
      return (await pull(this.#feed, asked, AbortSignal.timeout(5 * SECONDS))).cursor
    } catch {
      say(`The server does not say where the last event stands: ${this.#taken} of them will come again.`)
      return this.#after
    }
  }

  #pull(asked: Parameters<typeof pullPatiently>[1]) {
    const tools = { says: say, pause: (ms: number) => this.#pause(ms), signal: this.#stopping }
    return pullPatiently(this.#feed, asked, tools)
  }

  async #deliver({ id, ...body }: Event): Promise<void> {
    for (let delayMs = 1 * SECONDS; ; delayMs = Math.min(2 * delayMs, MOST_MS)) {
      const sent = await sendEvent(this.#receiver, id, body)
      saySent(body.type, id, sent)
      if (sent.isTaken) return
      say(
        `          not taken: sent again in ${delayMs / SECONDS} s. Nothing is passed over, what comes behind it waits.`,
      )
      await this.#pause(delayMs)
    }
  }

  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopping })
  }
}
