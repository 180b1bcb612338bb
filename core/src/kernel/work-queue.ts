/** Work that runs a few at a time, in the order it was asked for; what would wait behind too many is refused at once. */
export interface WorkQueue {
  /** Throws what `full` makes when as many wait as may, and after `close`. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** Refuses further work and resolves when all accepted work is done. */
  close(): Promise<void>
}

export interface WorkQueueOptions {
  /** At the same time. */
  concurrency: number
  /** How many may wait beyond those. */
  waiting: number
  /** The error of whoever is refused. */
  full: () => Error
}

export function createWorkQueue({ concurrency, waiting: limit, full }: WorkQueueOptions): WorkQueue {
  const waiting: (() => void)[] = []
  const idle = Promise.withResolvers<void>()
  let running = 0
  let isClosed = false

  async function run<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed || (running >= concurrency && waiting.length >= limit)) throw full()
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      leave()
    }
  }

  // Finished work passes its place to the next that waits, so that no newcomer overtakes the queue.
  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else running--
    if (isClosed && running === 0) idle.resolve()
  }

  function close(): Promise<void> {
    isClosed = true
    if (running === 0) idle.resolve()
    return idle.promise
  }

  return { run, close }
}
