import { SECONDS } from '../clock.ts'
import { createMemoryRates, type MemoryRates } from './memory.ts'
import type { Counter, RateStore, Taken } from './store.ts'

/** How long a count may take before memory takes over. Within one machine or data centre it takes 1 ms. */
const PATIENCE_MS = 250
/** How long connecting may take, at the start and at each attempt to return. */
const PROBE_MS = 2 * SECONDS
const RETRY_MS = 1 * SECONDS

export interface FallbackOptions {
  memory?: MemoryRates
  patienceMs?: number
  probeMs?: number
  retryMs?: number
  /** Called when memory takes over (`isShared` false), with the reason, and when it hands back. */
  onChange?(isShared: boolean, reason: unknown): void
}

/** A store of which memory takes the place while it fails. It never throws, and makes one request wait at most. */
export interface Fallback extends RateStore {
  /** Asks the store for the first time. Resolves when it is known whether it answers. */
  start(): Promise<void>
  /** Throws why the store does not answer now. */
  check(): Promise<void>
  readonly isShared: boolean
  close(): Promise<void>
}

interface Waiting {
  counters: readonly Counter[]
  since: number
  answer(taken: Taken): void
}

/** The store did not answer in time. */
export class RateStoreTimeout extends Error {
  override name = 'RateStoreTimeout'
  readonly code = 'TIMEOUT'
}

export function withFallback(
  store: RateStore,
  {
    memory = createMemoryRates(),
    patienceMs = PATIENCE_MS,
    probeMs = PROBE_MS,
    retryMs = RETRY_MS,
    onChange,
  }: FallbackOptions = {},
): Fallback {
  const waiting = new Set<Waiting>()
  let isShared = false
  let hasFailed = false
  let isClosed = false
  let watch: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let probing: Promise<void> | undefined

  function take(counters: readonly Counter[]): Taken | Promise<Taken> {
    if (!isShared) return memory.take(counters)
    let taking: ReturnType<RateStore['take']>
    try {
      taking = store.take(counters)
    } catch (error) {
      leave(error)
      return memory.take(counters)
    }
    return taking instanceof Promise ? wait(taking, counters) : taking
  }

  function wait(taking: Promise<Taken>, counters: readonly Counter[]): Promise<Taken> {
    return new Promise((resolve) => {
      const one: Waiting = { counters, since: performance.now(), answer: resolve }
      waiting.add(one)
      watch ??= setTimeout(lookAtOldest, patienceMs)
      taking.then(
        (taken) => {
          if (waiting.delete(one)) resolve(taken)
        },
        (error) => {
          // Whoever was answered from memory meanwhile has told already.
          if (waiting.has(one)) leave(error)
        },
      )
    })
  }

  /** One timer for all: it looks at whoever waits longest. */
  function lookAtOldest(): void {
    watch = undefined
    const [oldest] = waiting
    if (!oldest) return
    const restMs = oldest.since + patienceMs - performance.now()
    if (restMs > 0) watch = setTimeout(lookAtOldest, restMs)
    // Where this process was busy itself, the answer may have arrived and only not been read yet.
    else setImmediate(() => setImmediate(() => giveUp(oldest)))
  }

  function giveUp(oldest: Waiting): void {
    if (waiting.has(oldest)) leave(new RateStoreTimeout(`No answer within ${patienceMs} ms`))
    else if (waiting.size > 0) watch ??= setTimeout(lookAtOldest, patienceMs)
  }

  /** Memory takes over, also for everybody who waits now. */
  function leave(error: unknown): void {
    if (isShared) fail(error)
    store.drop?.()
    const all = [...waiting]
    waiting.clear()
    for (const { counters, answer } of all) answer(memory.take(counters))
  }

  function fail(error: unknown): void {
    isShared = false
    hasFailed = true
    onChange?.(false, error)
    retryLater()
  }

  function retryLater(): void {
    if (isClosed) return
    retry ??= setTimeout(() => {
      retry = undefined
      probe().catch(retryLater)
    }, retryMs)
    retry.unref()
  }

  /** Connecting may take long, counting may not: a slow store would be left again by the next request, and so for ever. */
  async function ask(): Promise<void> {
    if (!store.probe) return
    await within(probeMs, store.probe())
    await within(patienceMs, store.probe())
  }

  /** Returns to the store if it is well. Memory keeps its counts: one that comes and goes does not multiply them. */
  function probe(): Promise<void> {
    probing ??= ask()
      .then(() => {
        if (isClosed) return store.drop?.()
        if (isShared) return
        isShared = true
        if (hasFailed) onChange?.(true, null)
        hasFailed = false
      })
      .catch((error) => {
        store.drop?.()
        throw error
      })
      .finally(() => {
        probing = undefined
      })
    return probing
  }

  store.onLost?.((error) => {
    if (isShared) leave(error)
  })

  return {
    take,
    async start() {
      if (isShared) return
      await probe().catch(fail)
    },
    check: () => probe(),
    get isShared() {
      return isShared
    },
    async close() {
      isClosed = true
      isShared = false
      clearTimeout(watch)
      clearTimeout(retry)
      const all = [...waiting]
      waiting.clear()
      for (const { counters, answer } of all) answer(memory.take(counters))
      await store.close?.()
    },
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new RateStoreTimeout(`No answer within ${ms} ms`))
    // What arrived while this process was busy is read first.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), ms)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
