import type { Core } from './core.ts'
import { findOverdue } from './jobs/overdue.ts'
import { timetables } from './jobs/schedules.ts'

/** What `GET /metrics` answers. */
export interface Metrics {
  /** All metrics in the Prometheus text format. */
  render(): Promise<string>
}

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MOST_COUNTED = 100_000
const MOST_PENDING = 10_000

type Instruments = Awaited<ReturnType<typeof createInstruments>>

/**
 * Measures one core: fills its hooks for answered requests and finished jobs. No metric names a tenant: their number has
 * no bound. The library is loaded with the first measurement, not with the start.
 */
export function createMetrics(core: Core): Metrics {
  let loading: Promise<Instruments> | undefined
  let instruments: Instruments | undefined
  const pending: ((into: Instruments) => void)[] = []

  const load = async () => {
    loading ??= createInstruments(core)
    instruments = await loading
    for (const measure of pending.splice(0)) measure(instruments)
    return instruments
  }
  const measure = (work: (into: Instruments) => void) => {
    if (instruments) return work(instruments)
    if (pending.length < MOST_PENDING) pending.push(work)
    if (!loading) load().catch((error: Error) => core.log.warn({ err: error }, 'requests and jobs cannot be measured'))
  }

  core.requestDone = (route, method, status, ms) =>
    measure(({ requests }) => requests.observe({ route, method, status }, ms / 1000))
  core.tenantSwept = (sweep, result) => measure(({ swept }) => swept.inc({ sweep, result }))
  core.rateLimited = (policy) => measure(({ limited }) => limited.inc({ policy }))
  core.rates.tookOver = () => measure(({ takeovers }) => takeovers.inc())
  core.mailDone = (status, many) => measure(({ mails }) => mails.inc({ status }, many))
  core.jobsDone = (task, result) => measure(({ jobs }) => jobs.inc({ task, result }))
  return { render: async () => (await load()).registry.metrics() }
}

async function createInstruments(core: Core) {
  const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client')
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'tenantry_' })
  const requests = new Histogram({
    name: 'tenantry_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['route', 'method', 'status'],
    buckets: SECONDS_BUCKETS,
    registers,
  })
  const jobs = new Counter({
    name: 'tenantry_jobs_total',
    help: 'Attempts at jobs: done, to be retried, or given up',
    labelNames: ['task', 'result'],
    registers,
  })
  const mails = new Counter({
    name: 'tenantry_mails_total',
    help: 'Attempts at mails by what came of them: sent, deferred, bounced, suppressed, failed, canceled, or queued until their address is spared no more',
    labelNames: ['status'],
    registers,
  })
  const swept = new Counter({
    name: 'tenantry_sweep_tenants_total',
    help: 'Tenants that work over all of them came to: done, or failed',
    labelNames: ['sweep', 'result'],
    registers,
  })
  const limited = new Counter({
    name: 'tenantry_rate_limited_total',
    help: 'Requests that a rate limit refused, by its name; one that several refused counts for each',
    labelNames: ['policy'],
    registers,
  })
  const takeovers = new Counter({
    name: 'tenantry_rate_limit_takeovers_total',
    help: 'How often memory had to take over counting requests, because the shared store failed',
    registers,
  })
  new Gauge({
    name: 'tenantry_rate_limits_shared',
    help: 'Whether requests are counted together with other processes (1) or by this one alone (0)',
    registers,
    collect() {
      this.set(core.rates.isShared ? 1 : 0)
    },
  })
  new Gauge({
    name: 'tenantry_jobs_failed',
    help: `Jobs that were given up, of all tenants; counted up to ${MOST_COUNTED}`,
    registers,
    async collect() {
      const failed = await countJobs(core, 'failed').catch(() => null)
      if (failed === null) this.remove()
      else this.set(failed)
    },
  })
  new Gauge({
    name: 'tenantry_schedule_overdue_seconds',
    help: 'For how long a schedule ought to have run; 0: it is in time',
    labelNames: ['schedule'],
    registers,
    async collect() {
      this.reset()
      const overdue = await findOverdue(core).catch(() => null)
      if (overdue === null) return
      for (const { name } of timetables(core.registry)) this.set({ schedule: name }, 0)
      for (const { name, seconds } of overdue) this.set({ schedule: name }, seconds)
    },
  })
  new Gauge({
    name: 'tenantry_jobs_waiting',
    help: `Jobs that wait, of all tenants; counted up to ${MOST_COUNTED}`,
    registers,
    async collect() {
      // Without an answer of the database this gauge is omitted; the others are still served.
      const waiting = await countJobs(core, 'waiting').catch(() => null)
      if (waiting === null) this.remove()
      else this.set(waiting)
    },
  })
  new Gauge({
    name: 'tenantry_db_connections',
    help: 'Open database connections of this process',
    labelNames: ['role', 'state'],
    registers,
    collect() {
      for (const [role, { total, idle }] of Object.entries(core.db.load())) {
        this.set({ role, state: 'idle' }, idle)
        this.set({ role, state: 'busy' }, total - idle)
      }
    },
  })
  new Gauge({
    name: 'tenantry_db_connections_awaited',
    help: 'Transactions that wait for a database connection',
    labelNames: ['role'],
    registers,
    collect() {
      for (const [role, { waiting }] of Object.entries(core.db.load())) this.set({ role }, waiting)
    },
  })
  return { registry, requests, jobs, mails, swept, limited, takeovers }
}

async function countJobs({ db }: Core, status: 'waiting' | 'failed'): Promise<number> {
  const count = (table: string) =>
    `(select count(*) from (select 1 from ${table} where status = '${status}' limit ${MOST_COUNTED}) counted)`
  const [row] = await db.systemQuery<{ jobs: string }>(
    `select ${count('tenant_jobs')} + ${count('system_jobs')} as jobs`,
  )
  return Number(row?.jobs ?? 0)
}
