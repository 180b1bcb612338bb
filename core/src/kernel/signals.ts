import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Core } from './core.ts'

/** Heard of something, or may have missed something. */
export interface SignalListener {
  heard(items: readonly string[]): void
  /** Signals may have been missed from here on. */
  lost(): void
}

/**
 * Hints from process to process: where to look again, never what is to be seen there. One may be lost, with the process
 * that was to send it or with the connection, so whoever rests on them also looks from time to time.
 */
export interface Signals {
  /** Sends items to all processes, this one included. Call it after the commit of what they are about. */
  send(name: string, items: readonly string[]): void
  /** Hears what is sent under a name. Returns how to stop. */
  on(name: string, listener: SignalListener): () => void
}

/** As the core makes it. */
export interface SignalBox extends Signals {
  heard(payload: string | undefined): void
  lost(): void
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>
}

export const SIGNAL_CHANNEL = 'tenantry_signal'
/** What is sent within this time goes together: commits that notify wait for each other in PostgreSQL. */
const GATHER_MS = 10
/** PostgreSQL takes 7,999 bytes. */
const MOST_BYTES = 7_500

export function createSignals({ db, log }: Pick<Core, 'db' | 'log'>): SignalBox {
  const listeners = new Map<string, Set<SignalListener>>()
  let pending = new Map<string, Set<string>>()
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    while (pending.size > 0) {
      await sleep(GATHER_MS)
      const gathered = pending
      pending = new Map()
      for (const payload of payloadsOf(gathered))
        await db.transaction({ tenantId: null, role: 'app' }, (tx) =>
          sql`select pg_notify(${SIGNAL_CHANNEL}, ${payload})`.execute(tx),
        )
    }
  }

  async function sendAside(): Promise<void> {
    try {
      await db.aside(send)
    } catch (error) {
      log.warn({ err: error }, 'a signal could not be sent; whoever waits for it looks again later')
    } finally {
      sending = undefined
    }
  }

  return {
    send(name, items) {
      const waiting = pending.get(name) ?? new Set()
      for (const item of items) waiting.add(item)
      pending.set(name, waiting)
      sending ??= sendAside()
    },
    on(name, listener) {
      const known = listeners.get(name) ?? new Set()
      listeners.set(name, known.add(listener))
      return () => void known.delete(listener)
    },
    heard(payload) {
      const signal = readSignal(payload)
      for (const { heard } of listeners.get(signal?.name ?? '') ?? []) heard(signal?.items ?? [])
    },
    lost() {
      for (const each of listeners.values()) for (const { lost } of each) lost()
    },
    idle: async () => sending,
  }
}

function* payloadsOf(gathered: ReadonlyMap<string, ReadonlySet<string>>): Generator<string> {
  for (const [name, items] of gathered) {
    let part: string[] = []
    let bytes = 0
    for (const item of items) {
      const more = Buffer.byteLength(JSON.stringify(item)) + 1
      if (bytes + more > MOST_BYTES && part.length > 0) {
        yield JSON.stringify([name, part])
        part = []
        bytes = 0
      }
      part.push(item)
      bytes += more
    }
    yield JSON.stringify([name, part])
  }
}

/** Undefined for anything that `send` does not send: every database user may notify. */
function readSignal(payload: string | undefined): { name: string; items: string[] } | undefined {
  let value: unknown
  try {
    value = JSON.parse(payload ?? '')
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || !Array.isArray(value[1])) return undefined
  const [name, items]: unknown[] = value
  const isText = (item: unknown) => typeof item === 'string'
  return isText(name) && (items as unknown[]).every(isText)
    ? { name: name as string, items: items as string[] }
    : undefined // just looked at
}
