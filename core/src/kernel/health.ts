import { sql } from 'kysely'
import { SECONDS } from './clock.ts'
import type { Core } from './core.ts'
import { findMissingMigrations, type MigrationSource } from './db/migrate.ts'
import { unavailable } from './errors.ts'
import { checkSchedules } from './jobs/overdue.ts'
import type { HealthCheck } from './module.ts'

/** Probes give up after this time. */
const PATIENCE_MS = 4 * SECONDS

export interface DatabaseHealth {
  status: 'ok'
  /** How long one round trip of the application's role took. */
  milliseconds: number
  migrations: 'current'
}

/** Answers of probes. Concurrent requests share one, so that many probes cause no load. */
export interface Health {
  /** Throws 503 `unavailable` when the database cannot be reached or its schema is not current. */
  checkDatabase(): Promise<DatabaseHealth>
  /** Throws 503 `unavailable` naming what is not ready. */
  checkReady(): Promise<{ status: 'ok'; checks: CheckResult[] }>
}

export interface CheckResult {
  name: string
  status: 'ok' | 'failed'
}

/** Creates the health checks of a core; `worker` is one of them once the core works. */
export function createHealth(core: Core): Health {
  const worker = watchWorker(core)
  const checkDatabase = shared(() => within(PATIENCE_MS, readDatabase(core)))
  const checkChecks = shared(async () => {
    const ready = core.registry.modules.flatMap(({ checks }) => checks.filter((check) => check.ready))
    const checks = await Promise.all([
      attempt(core, 'database', checkDatabase),
      ...ready.map((check: HealthCheck) => attempt(core, check.name, () => within(PATIENCE_MS, check.check(core)))),
      // A process that only serves does not depend on workers: removing it as well would turn a late sweep into an
      // outage.
      ...(worker.started
        ? [
            attempt(core, 'worker', worker.check),
            attempt(core, 'schedules', () => within(PATIENCE_MS, checkSchedules(core))),
          ]
        : []),
    ])
    const failed = checks.filter(({ status }) => status === 'failed').map(({ name }) => name)
    if (failed.length > 0) throw unavailable({ detail: `Not ready: ${failed.join(', ')}`, members: { checks } })
    return { status: 'ok' as const, checks }
  })
  return {
    checkDatabase,
    // Checked first, so that no shared answer hides it from the load balancer.
    checkReady: async () => {
      if (!core.stopping.aborted) return checkChecks()
      const checks = [{ name: 'stopping', status: 'failed' }] satisfies CheckResult[]
      throw unavailable({ detail: 'Not ready: this process is stopping', members: { checks } })
    },
  }
}

async function readDatabase(core: Core): Promise<DatabaseHealth> {
  const begun = performance.now()
  let missing: string[]
  try {
    await core.db.transaction({ tenantId: null, role: 'app', readOnly: true }, (tx) => sql`select 1`.execute(tx))
    const milliseconds = Math.round((performance.now() - begun) * 100) / 100
    missing = await findMissingMigrations(
      async (query) => ({ rows: await core.db.systemQuery(query) }),
      sourcesOf(core),
    )
    if (missing.length === 0) return { status: 'ok', milliseconds, migrations: 'current' }
  } catch (error) {
    // Addresses and roles are only logged.
    throw unavailable({
      detail: 'The database does not answer, or its schema is not the one of this code',
      cause: error,
    })
  }
  throw unavailable({
    detail: `Migrations are missing: ${missing.join(', ')}. Run \`${core.product.command} migrate\`.`,
  })
}

function sourcesOf({ registry }: Core): MigrationSource[] {
  return [
    { module: 'kernel', folder: new URL('./migrations/', import.meta.url) },
    ...registry.modules.flatMap(({ name, migrations }) => (migrations ? [{ module: name, folder: migrations }] : [])),
  ]
}

async function attempt(core: Core, name: string, check: () => Promise<unknown>): Promise<CheckResult> {
  try {
    await check()
    return { name, status: 'ok' }
  } catch (error) {
    core.log.warn({ err: error, check: name }, 'a health check failed')
    return { name, status: 'failed' }
  }
}

function watchWorker(core: Core) {
  const start = core.startWorker
  let starting: Promise<void> | undefined
  core.startWorker = () => {
    starting ??= start()
    return starting
  }
  return {
    get started() {
      return starting !== undefined
    },
    check: () => within(PATIENCE_MS, starting ?? Promise.resolve()),
  }
}

/** Runs `work` once for all callers while it runs. */
function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= work().finally(() => {
      running = undefined
    })
    return running
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable({ detail: `No answer within ${ms} ms` })), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
