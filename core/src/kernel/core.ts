import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { StandingCache } from './access/standing.ts'
import type { ThrottledTenants } from './access/throttles.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config/config.ts'
import type { Ctx, TransactionOptions } from './context.ts'
import type { Database } from './db/database.ts'
import type { LoadMeter } from './load/meter.ts'
import type { Resource } from './module.ts'
import type { Outbound } from './outbound/outbound.ts'
import type { Product } from './product.ts'
import type { Rates } from './rates/open.ts'
import type { Registry } from './registry.ts'
import type { Scanner } from './scanning/scanner.ts'
import type { SecretBox } from './secrets.ts'
import type { Signals } from './signals.ts'
import type { FileStorage, Storages } from './storage/storage.ts'

/** A core or a context, as far as it knows what its modules declare. */
export type Declared = Pick<Core, 'registry'>

/** A running core: what modules and processes share. Made once by `createCore`. */
export interface Core {
  readonly config: Config
  readonly product: Product
  readonly registry: Registry
  readonly db: Database
  readonly secrets: SecretBox
  readonly outbound: Outbound
  /** Where new files go. */
  readonly storage: FileStorage
  /** All storages that the settings describe: a file stays in the one that it was written to. */
  readonly storages: Storages
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly standings: StandingCache
  readonly throttled: ThrottledTenants
  /** Hints from process to process. */
  readonly signals: Signals
  /** Counts what each tenant makes this process and its database do, once somebody has started it. */
  readonly load: LoadMeter
  /** The counts of rate limits. */
  readonly rates: Rates
  /** Looks for malware in uploads; null: nothing does. */
  readonly scanner: Scanner | null
  /** A module's long-lived object. */
  use<T>(resource: Resource<T>): T
  /** Hints to some worker that a tenant (null: none) has work due at `runAt`; sent at once, lost without harm. */
  wake(tenantId: string | null, runAt: string, outbound?: boolean): void
  /** Counts an attempt at a job; filled by the metrics. */
  jobsDone?(task: string, result: 'done' | 'retried' | 'failed'): void
  /** Counts a tenant that a sweep has worked on; filled by the metrics. */
  tenantSwept?(sweep: string, result: 'done' | 'failed'): void
  /** Counts what became of an attempt at a mail; filled by the metrics. */
  mailDone?(status: string, mails: number): void
  /** Counts a request that a rate limit refused; filled by the metrics. */
  rateLimited?(policy: string): void
  /** Counts an answered request; filled by the metrics. */
  requestDone?(route: string, method: string, status: number, ms: number): void
  /** Runs work outside of any request: jobs, schedules, scripts. The actor is the system. */
  run<T>(work: (ctx: Ctx) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Looks at roles, tables and declarations, and makes ready what modules need before they serve; `app` and `startWorker` do
   * so by themselves. For a script that works with `run` alone. @throws Error saying what keeps this core from working
   */
  prepare(): Promise<void>
  /** The HTTP side; made on first use. */
  app(): Promise<FastifyInstance>
  /** The HTTP side of `WORKER_PORT`: probes and metrics; made on first use. */
  probes(): Promise<FastifyInstance>
  /** Starts working on jobs and schedules until `close`. */
  startWorker(): Promise<void>
  /** Aborted when `close` begins: what takes long ends early. */
  readonly stopping: AbortSignal
  /**
   * Says on `/health/ready` that it stops, for SHUTDOWN_DELAY where it listens; then stops accepting, finishes what runs,
   * gives jobs back, closes every connection.
   */
  close(): Promise<void>
}
