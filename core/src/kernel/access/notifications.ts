import { performance } from 'node:perf_hooks'
import { sql } from 'kysely'
import pg from 'pg'
import { SECONDS } from '../clock.ts'
import type { Core } from '../core.ts'
import { newId } from '../ids.ts'

const RECONNECT_MS = 1 * SECONDS
const CONNECT_MS = 5 * SECONDS
/** How long a start waits for the first echo. Without it nothing is cached, and everything works. */
const FIRST_ECHO_MS = 2 * SECONDS
const STEP_MS = 10

/**
 * How often the connection is tested, and how long a test is valid: the longest time that a change may go unnoticed.
 */
export interface EchoTimes {
  everyMs: number
  goodForMs: number
}

export const ECHO_TIMES: EchoTimes = { everyMs: 5 * SECONDS, goodForMs: 15 * SECONDS }

export interface NotificationOptions {
  /** What is done with the payload of one notification, as it came, by its channel. */
  channels: Readonly<Record<string, (payload: string | undefined) => void>>
  times: EchoTimes
  /** Notifications may have been missed from here on. */
  lost: () => void
}

/** Receives the notifications of all processes, and knows whether it receives them all. */
export interface Notifications {
  /** True while every notification sent until a moment ago has been received. */
  readonly hears: boolean
  /** Resolves once it listens; fails when the database cannot be reached. */
  start(): Promise<void>
  /** Waits for an echo; false when none comes back in time. */
  test(withinMs: number): Promise<boolean>
  close(): Promise<void>
}

/** A listening connection with its own channel for echoes. */
interface Line {
  client: pg.Client
  channel: string
  timer?: NodeJS.Timeout
  /** When the newest received echo was requested; none: minus infinity. */
  provenAt: number
  /** Requested echoes by their payload, in order. */
  awaited: Map<string, Echo>
}

interface Echo {
  askedAt: number
  /** When its notification was committed; null: not yet. */
  sentAt: number | null
}

/**
 * An open connection may receive nothing: behind a transaction pooler, or over a network that drops its packets. So
 * every few seconds a notification is sent through the pool, as all others are, and must come back, which proves that
 * everything sent before was received. Without a recent echo the connection counts as failed, whatever a timer or a
 * socket reports.
 */
export function createNotifications(core: Core, url: string, options: NotificationOptions): Notifications {
  const { times } = options
  let line: Line | undefined
  let isClosed = false
  let wasDeaf = false

  const isProven = (of: Line | undefined) => of !== undefined && performance.now() - of.provenAt < times.goodForMs

  async function connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'tenantry listen',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
    })
    const channel = `tenantry_echo_${newId().replaceAll('-', '')}`
    const next: Line = { client, channel, provenAt: Number.NEGATIVE_INFINITY, awaited: new Map() }
    const onEnd = (error?: Error) => abandon(next, 'the notification connection was lost', error)
    client.on('error', onEnd)
    client.once('end', onEnd)
    client.on('notification', ({ channel: on, payload }) => {
      if (on === channel) noteEcho(next, payload)
      else options.channels[on]?.(payload)
    })
    try {
      await client.connect()
      await client.query([...Object.keys(options.channels), channel].map((each) => `listen ${each}`).join('; '))
    } catch (error) {
      void hangUp(client)
      throw error
    }
    if (isClosed) return void hangUp(client)
    // Entries cached without a listener cannot be trusted. There are none, but a load may be in progress.
    options.lost()
    line = next
    next.timer = setInterval(() => prove(next), times.everyMs)
    next.timer.unref()
    prove(next)
  }

  function noteEcho(of: Line, word = ''): void {
    const echo = of.awaited.get(word)
    if (!echo) return
    of.awaited.delete(word)
    // Echoes arrive in the order of their commits. If one that was committed earlier was skipped, other notifications
    // may have been too.
    const isLost = ({ sentAt }: Echo) => sentAt !== null && sentAt < echo.askedAt
    const lost = [...of.awaited].filter(([, earlier]) => isLost(earlier))
    for (const [earlier] of lost) of.awaited.delete(earlier)
    if (lost.length > 0) {
      options.lost()
      core.log.warn('a notification was lost; all that was remembered of permissions is forgotten')
    }
    of.provenAt = Math.max(of.provenAt, echo.askedAt)
    if (wasDeaf) core.log.info('notifications come back again')
    wasDeaf = false
  }

  /** Requests an echo, unless an earlier one is so late that the connection counts as failed. */
  function prove(of: Line): void {
    const now = performance.now()
    const isDeaf = ({ askedAt, sentAt }: Echo) => sentAt !== null && now - askedAt >= times.goodForMs - times.everyMs
    if ([...of.awaited.values()].some(isDeaf)) {
      abandon(of, DEAF)
      return
    }
    const word = newId()
    const echo: Echo = { askedAt: now, sentAt: null }
    of.awaited.set(word, echo)
    core.db
      .aside(() => notify(core, of.channel, word))
      .then(() => {
        echo.sentAt = performance.now()
      })
      .catch((error: unknown) => {
        of.awaited.delete(word)
        core.log.warn({ err: error }, 'whether notifications come back could not be tried')
      })
  }

  /** Clears the cache and opens another connection. */
  function abandon(of: Line, why: string, error?: Error): void {
    clearInterval(of.timer)
    if (line !== of) return
    line = undefined
    options.lost()
    void hangUp(of.client)
    // Repeated failures are logged once.
    if (why !== DEAF || !wasDeaf) core.log.warn({ err: error }, `${why}; permissions are read anew until it is back`)
    if (why === DEAF) wasDeaf = true
    connectAgain()
  }

  function connectAgain(): void {
    const timer = setTimeout(() => {
      if (isClosed) return
      connect().catch((error: Error) => {
        core.log.warn({ err: error }, 'the notification connection is not back yet')
        connectAgain()
      })
    }, RECONNECT_MS)
    timer.unref()
  }

  async function test(withinMs: number): Promise<boolean> {
    const begun = performance.now()
    if (line) prove(line)
    while (!(line && line.provenAt >= begun)) {
      if (performance.now() - begun >= withinMs) return false
      await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    }
    return true
  }

  return {
    get hears() {
      return isProven(line)
    },
    async start() {
      await connect()
      if (await test(FIRST_ECHO_MS)) return
      wasDeaf = true
      core.log.warn(`${DEAF}; permissions are read anew until it is back`)
    },
    test,
    async close() {
      isClosed = true
      const last = line
      line = undefined
      options.lost()
      if (!last) return
      clearInterval(last.timer)
      await hangUp(last.client)
    },
  }
}

const DEAF = 'notifications do not come back on DATABASE_LISTEN_URL (a transaction pooler cannot carry them)'

async function notify(core: Core, channel: string, nonce: string): Promise<void> {
  await core.db.transaction({ tenantId: null, role: 'app' }, (tx) =>
    sql`select pg_notify(${channel}, ${nonce})`.execute(tx),
  )
}

/** Closes the connection properly, without waiting long for one that does not answer. */
async function hangUp(client: pg.Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RECONNECT_MS)
  })
  await Promise.race([client.end().catch(() => {}), late]) // it may be half open
  clearTimeout(timer)
  client.connection.stream.destroy()
}
