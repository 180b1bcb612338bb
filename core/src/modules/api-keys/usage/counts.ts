import { type AnswerListener, type Core, defineResource, SECONDS } from '#kernel'
import { type Count, insertCounts, updateLastUsed } from './usage-queries.ts'

/** How often it is written. */
export const FLUSH_MS = 20 * SECONDS
/** Keys and days counted at a time; beyond that they are written at once. */
const MOST_COUNTED = 20_000

/** What the keys of this process were used for since it was last written down. */
export interface UsageCounts {
  /** Notes one answer, in memory. */
  note(count: Omit<Count, 'requests' | 'errors' | 'limited'>, status: number): void
  /** Writes what was noted so far. A failure is logged, and what it was about is written next time. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Written every 20 seconds, so that no request waits for it; `kill -9` loses what came since. */
export const usageCounts = defineResource<UsageCounts>({
  name: 'api_keys.usage',
  create: (core) => createCounts(core),
  close: (counts) => counts.close(),
})

/** Counts what keys were answered; never waits for anything. */
export const countAnswer: AnswerListener = (core, { principal, status, address }) => {
  if (principal?.apiKeyId === undefined || principal.tenantId === null) return
  const last_used_at = core.clock.now()
  core.use(usageCounts).note(
    {
      tenant_id: principal.tenantId,
      api_key_id: principal.apiKeyId,
      date: last_used_at.slice(0, 10),
      last_used_at,
      last_used_ip: address,
    },
    status,
  )
}

export function createCounts(core: Core, flushMs = FLUSH_MS): UsageCounts {
  let counts = new Map<string, Count>()
  let writing = Promise.resolve()
  const flush = () => {
    writing = writing.then(async () => {
      const taken = counts
      counts = new Map()
      await write(core, [...taken.values()]).catch((error: Error) => {
        core.log.warn({ err: error, keys: taken.size }, 'the use of API keys could not be written down')
        if (!isMaybeDone(error)) for (const count of taken.values()) add(counts, count)
      })
    })
    return writing
  }
  const timer = setInterval(() => void flush(), flushMs)
  timer.unref()
  return {
    note(seen, status) {
      add(counts, {
        ...seen,
        requests: 1,
        errors: status >= 400 && status !== 429 ? 1 : 0,
        limited: status === 429 ? 1 : 0,
      })
      if (counts.size >= MOST_COUNTED) void flush()
    },
    flush,
    close: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}

/** Adds to what is there: numbers add up, the last use moves forward only. */
function add(counts: Map<string, Count>, more: Count): void {
  const name = `${more.api_key_id} ${more.date}`
  const known = counts.get(name)
  if (!known) {
    counts.set(name, { ...more })
    return
  }
  known.requests += more.requests
  known.errors += more.errors
  known.limited += more.limited
  if (more.last_used_at < known.last_used_at) return
  known.last_used_at = more.last_used_at
  known.last_used_ip = more.last_used_ip
}

async function write({ db }: Core, counts: Count[]): Promise<void> {
  if (counts.length === 0) return
  // In one order, so that two processes wait for each other and do not meet crosswise.
  const rows = counts.sort((a, b) => (a.api_key_id < b.api_key_id ? -1 : 1))
  await db.transaction({ tenantId: null, role: 'system' }, async (tx) => {
    await insertCounts(tx, rows)
    await updateLastUsed(tx, rows)
  })
}

/** COMMIT was sent and not answered: to write it again could count it twice. */
const isMaybeDone = (error: object) => 'outcomeUnknown' in error && error.outcomeUnknown === true
