/** One count to be raised: the requests of a subject under a policy. */
export interface Counter {
  policy: string
  /** Whom the requests are counted for; the same text means the same count. */
  subject: string
  /** Most requests in a window; 0: none. */
  max: number
  /** The same for all counters of a policy. */
  windowMs: number
}

/** Where a count stands. */
export interface Count {
  /** Requests in this window, this one included if it was let through. */
  used: number
  /** Milliseconds until the window ends. */
  leftMs: number
}

/** The outcome for all counters of a request. */
export interface Taken {
  /** False: at least one count was at its maximum, so none was raised. */
  isAllowed: boolean
  /** In the order of the counters. */
  counts: readonly Count[]
}

/**
 * Keeps the counts of all rate limits. A core has one in memory and one in Redis; an application may bring another by
 * `rates` of `createCore`. Whatever a store throws, or how long it takes: memory stands in until it is well again.
 */
export interface RateStore {
  /**
   * Raises all counters by one, or none when any of them is at its maximum: requests that are refused use up nothing of
   * the other counts. Simultaneous calls must not let more through than the maximum. Time must not be taken from a
   * clock that can be set.
   */
  take(counters: readonly Counter[]): Taken | Promise<Taken>
  /** Resolves when the store can count; connects where needed. Called at the start, and every second while it failed. */
  probe?(): Promise<void>
  /** Calls back when the store fails between two requests. */
  onLost?(lost: (error: unknown) => void): void
  /** Gives up what it waits for: calls may be pending that never end. */
  drop?(): void
  close?(): Promise<void>
}
