/** What was done for somebody, as far as it was counted. What is counted as it comes only adds to these numbers. */
export interface Tally {
  /** Milliseconds that transactions took, from their first statement to their end. */
  dbMs: number
  /** Requests that were answered. */
  requests: number
  /** Rows that statements inserted, changed or deleted, as PostgreSQL counted them; also where that was undone. */
  rowsWritten: number
  /** Attempts at jobs. */
  jobs: number
  /** Bytes that came in and went out, heads included. */
  bytes: number
  /** Answers of 500 and above, and attempts at jobs that failed. */
  errors: number
}

/** What was counted since the last time. */
export interface Taken {
  /** By tenant. */
  readonly tenants: ReadonlyMap<string, Tally>
  /** What belongs to no tenant. */
  readonly outside: Tally
  /** Of further tenants, together; null: there were none. */
  readonly others: Tally | null
}

/**
 * Counts in memory what each tenant makes this process and its database do. Nothing else happens here: whoever starts it takes
 * the figures from time to time.
 */
export interface LoadMeter {
  /** Whether anything is counted. */
  readonly isOn: boolean
  start(): void
  /** Nothing is counted from here on; what was can be taken. */
  stop(): void
  /** What to add to, for a tenant or for what belongs to none. Good until the next `take`: it is not to be kept. */
  of(tenantId: string | null): Tally
  take(): Taken
  /** Counts again what was taken and could not be handed on. */
  putBack(taken: Taken): void
}

/** Tenants that are told apart between two takes; further ones count together. */
export const MOST_TENANTS = 4_000

export function createLoadMeter(most = MOST_TENANTS): LoadMeter {
  let isOn = false
  let tenants = new Map<string, Tally>()
  let outside = newTally()
  let others: Tally | null = null

  function add(given: string): Tally {
    // Ids stand in paths and credentials as their senders write them.
    const id = given.toLowerCase()
    const known = tenants.get(id)
    if (known) return known
    if (tenants.size >= most) {
      others ??= newTally()
      return others
    }
    const tally = newTally()
    tenants.set(id, tally)
    return tally
  }
  const of = (tenantId: string | null) => (isOn ? find(tenantId) : newTally())
  const find = (tenantId: string | null) => (tenantId === null ? outside : (tenants.get(tenantId) ?? add(tenantId)))

  return {
    get isOn() {
      return isOn
    },
    start() {
      isOn = true
    },
    stop() {
      isOn = false
    },
    of,
    take() {
      const taken: Taken = { tenants, outside, others }
      tenants = new Map()
      outside = newTally()
      others = null
      return taken
    },
    putBack(taken) {
      for (const [id, tally] of taken.tenants) addTally(find(id), tally)
      addTally(outside, taken.outside)
      if (!taken.others) return
      others ??= newTally()
      addTally(others, taken.others)
    },
  }
}

export const newTally = (): Tally => ({ dbMs: 0, requests: 0, rowsWritten: 0, jobs: 0, bytes: 0, errors: 0 })

/** Adds all numbers of the one to those of the other. */
export function addTally(to: Tally, more: Tally): void {
  to.dbMs += more.dbMs
  to.requests += more.requests
  to.rowsWritten += more.rowsWritten
  to.jobs += more.jobs
  to.bytes += more.bytes
  to.errors += more.errors
}
