import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import type { SecretBox } from '../secrets.ts'
import { type Fallback, withFallback } from './fallback.ts'
import { createMemoryRates } from './memory.ts'
import { createRedisRates } from './redis.ts'
import type { Counter, RateStore, Taken } from './store.ts'

/** The counts of a core. */
export interface Rates {
  /** Never throws. */
  take(counters: readonly Counter[]): Taken | Promise<Taken>
  /** Awaited before requests are served. */
  start(): Promise<void>
  /** Where requests are counted, in one sentence; throws an Error when that is not where they ought to be. */
  check(): Promise<string>
  /** Whether all processes count together; null: this one counts alone, as it is told to. */
  readonly isShared: boolean | null
  /** Called when memory takes over; filled by the metrics. */
  tookOver?(): void
  close(): Promise<void>
}

interface RatesOptions {
  config: Config
  secrets: SecretBox
  log: FastifyBaseLogger
  /** An application's own store. */
  store?: RateStore
}

const LOOK_AT_REDIS = ' Look at REDIS_URL and the server that it leads to.'

/** Counts in the given store, else in Redis where REDIS_URL is set, else in memory. */
export function openRates({ config, secrets, log, store }: RatesOptions): Rates {
  const { redisUrl } = config
  if (store) return shared(store, 'the store of the application', log)
  if (redisUrl !== null) return shared(createRedisRates(redisUrl, prefixOf(secrets)), 'Redis', log, LOOK_AT_REDIS)
  return {
    take: createMemoryRates().take,
    start: async () => undefined,
    check: async () => 'Requests are counted in the memory of each process: REDIS_URL is not set.',
    isShared: null,
    close: async () => undefined,
  }
}

/** Installations that share a Redis keep their counts apart. */
function prefixOf(secrets: SecretBox): string {
  const name = secrets.derive('rate-limit-names').toString('base64url').slice(0, 12)
  // The braces put all counts into one slot where Redis is a cluster, as one script raises several.
  return `tenantry:{rates:${name}}:`
}

/** `advice` is what follows the sentence of a failed check. */
function shared(store: RateStore, name: string, log: FastifyBaseLogger, advice = ''): Rates {
  const fallback: Fallback = withFallback(store, {
    onChange(isShared, reason) {
      if (isShared) return log.info(`requests are counted in ${name}`)
      rates.tookOver?.()
      log.warn({ reason: reasonOf(reason) }, `requests are counted in memory, each process for itself: ${name} failed`)
    },
  })
  const rates: Rates = {
    take: fallback.take,
    start: fallback.start,
    async check() {
      try {
        await fallback.check()
      } catch (error) {
        throw new Error(
          `${name} does not count (${reasonOf(error)}), so each process counts requests for itself and together they let more through.${advice}`,
        )
      }
      return `Requests of all processes are counted in ${name}.`
    },
    get isShared() {
      return fallback.isShared
    },
    close: fallback.close,
  }
  return rates
}

const REASON = /^[A-Z][A-Z0-9_]{1,39}\b/

/** A code of the system, or the word that an error of Redis begins with; never its text, which may hold anything. */
function reasonOf(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string } // whatever was thrown
  if (typeof code === 'string' && REASON.test(code)) return code
  return REASON.exec(message)?.[0] ?? (error instanceof Error ? error.name : 'unknown')
}
