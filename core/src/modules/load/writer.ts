import { type Core, defineResource, MINUTES, momentAt, SECONDS } from '#kernel'
import { loadConfiguration } from './configuration.ts'
import { listTenantIds, upsertMinute } from './queries.ts'
import { type Figures, type LoadRow, OTHERS, OUTSIDE } from './table.ts'

/** How often it is written. */
export const FLUSH_MS = 15 * SECONDS

/** Writes down what this process has counted of each tenant. */
export interface LoadWriter {
  /** Whether this process counts. */
  readonly isOn: boolean
  /** Writes what was counted so far. A failure is logged, and what it was about is written next time. */
  flush(): Promise<void>
}

interface RunningWriter extends LoadWriter {
  start(): void
  close(): Promise<void>
}

/** Written every 15 seconds, so that no request waits for it; `kill -9` loses what came since. */
export const loadWriter = defineResource<RunningWriter>({
  name: 'load.writer',
  create: (core) => createWriter(core),
  // Not before: a command that neither serves nor works has nothing to tell, and may find no tables yet.
  prepare: async (writer) => writer.start(),
  close: (writer) => writer.close(),
})

export function createWriter(core: Core, flushMs = FLUSH_MS): RunningWriter {
  const isOn = core.config.of(loadConfiguration).LOAD_BY_TENANT === 'on'
  let writing = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    writing = writing.then(async () => {
      const taken = core.load.take()
      await write(core, rowsOf(taken)).catch((error: Error) => {
        core.log.warn({ err: error, tenants: taken.tenants.size }, 'the load of tenants could not be written down')
        if (!isMaybeDone(error)) core.load.putBack(taken)
      })
    })
    return writing
  }
  return {
    isOn,
    start() {
      if (!isOn || timer) return
      core.load.start()
      timer = setInterval(() => void core.db.aside(flush), flushMs).unref()
    },
    flush,
    close: async () => {
      clearInterval(timer)
      core.load.stop()
      await flush()
    },
  }
}

type Taken = ReturnType<Core['load']['take']>
type Tally = Taken['outside']

function rowsOf({ tenants, outside, others }: Taken): LoadRow[] {
  // Whoever names the id that stands for others is one more stranger.
  const nameOf = (id: string) => (id === OTHERS ? OUTSIDE : id)
  const rows = [...tenants].map(([id, tally]) => ({ tenant_id: nameOf(id), ...figuresOf(tally) }))
  rows.push({ tenant_id: OUTSIDE, ...figuresOf(outside) })
  if (others) rows.push({ tenant_id: OTHERS, ...figuresOf(others) })
  return rows.filter(({ tenant_id: _, ...figures }) => Object.values(figures).some((value) => value > 0))
}

const figuresOf = ({ dbMs, requests, rowsWritten, jobs, bytes, errors }: Tally): Figures => ({
  db_us: Math.round(dbMs * 1_000),
  requests,
  rows_written: rowsWritten,
  jobs,
  bytes,
  errors,
})

async function write({ db, clock }: Core, rows: LoadRow[]): Promise<void> {
  if (rows.length === 0) return
  const startsAt = momentAt(Math.floor(clock.ms() / MINUTES) * MINUTES)
  await db.transaction({ tenantId: null, role: 'system', loadOf: 'uncounted' }, async (tx) => {
    const named = rows.map(({ tenant_id }) => tenant_id).filter((id) => id !== OUTSIDE && id !== OTHERS)
    const known = new Set(named.length === 0 ? [] : await listTenantIds(tx, named))
    await upsertMinute(tx, startsAt, withoutStrangers(rows, known))
  })
}

/**
 * Ids that are no tenant's count as of none: whoever has no credential can make up any number of them, and the table is not to
 * grow by it.
 */
function withoutStrangers(rows: readonly LoadRow[], known: ReadonlySet<string>): LoadRow[] {
  const { kept = [], outside = [] } = Object.groupBy(rows, ({ tenant_id }) =>
    known.has(tenant_id) || tenant_id === OTHERS ? 'kept' : 'outside',
  )
  return [...kept, outside.reduce(add, { tenant_id: OUTSIDE, ...NOTHING })]
}

const NOTHING: Figures = { db_us: 0, requests: 0, rows_written: 0, jobs: 0, bytes: 0, errors: 0 }

const add = (sum: LoadRow, more: LoadRow): LoadRow => ({
  tenant_id: sum.tenant_id,
  db_us: sum.db_us + more.db_us,
  requests: sum.requests + more.requests,
  rows_written: sum.rows_written + more.rows_written,
  jobs: sum.jobs + more.jobs,
  bytes: sum.bytes + more.bytes,
  errors: sum.errors + more.errors,
})

/** COMMIT was sent and not answered: to write it again could count it twice. */
const isMaybeDone = (error: object) => 'outcomeUnknown' in error && error.outcomeUnknown === true
