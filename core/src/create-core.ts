import pino, { type Logger } from 'pino'
import { createStandingCache } from './kernel/access/standing.ts'
import { createThrottledTenants } from './kernel/access/throttles.ts'
import { type Clock, systemClock } from './kernel/clock.ts'
import type { Config } from './kernel/config/config.ts'
import type { Core } from './kernel/core.ts'
import { createContext, noOrigin, systemActor } from './kernel/create-context.ts'
import { assertRolesAreSafe, assertTablesAreSafe } from './kernel/db/catalogue.ts'
import { openDatabase } from './kernel/db/database.ts'
import { type MigrationSource, migrationSourcesOf } from './kernel/db/migrate.ts'
import { assertDeclarationsFit } from './kernel/declarations.ts'
import { buildApp, type FastifySetup } from './kernel/http/build.ts'
import { stopListening } from './kernel/http/drain.ts'
import { createWaker, startWorker } from './kernel/jobs/worker.ts'
import { createLoadMeter } from './kernel/load/meter.ts'
import { withoutRows } from './kernel/logged-errors.ts'
import type { Module, Resource } from './kernel/module.ts'
import { createOutbound } from './kernel/outbound/outbound.ts'
import { kernelModule } from './kernel/probes.ts'
import { completeProduct, type ProductOptions } from './kernel/product.ts'
import { openRates } from './kernel/rates/open.ts'
import type { RateStore } from './kernel/rates/store.ts'
import { createRegistry, type Registry } from './kernel/registry.ts'
import { openScanner } from './kernel/scanning/open.ts'
import type { Scanner } from './kernel/scanning/scanner.ts'
import { createSecretBox } from './kernel/secrets.ts'
import { createSignals } from './kernel/signals.ts'
import { openStorages } from './kernel/storage/open.ts'

export interface CoreOptions {
  /** With `database.appUrl`, `database.systemUrl` and `appSecret` set: `start` of `runCommand` fills them in on a laptop. */
  config: Config
  /** `[...builtinModules, catalog, sales]`; the order among them does not matter. */
  modules: readonly Module[]
  /** Names of the application. Default: Tenantry. */
  product?: ProductOptions
  /** Default: the system's. */
  clock?: Clock
  /** Default: JSON lines on standard output at the level of the configuration. */
  log?: Logger
  /**
   * Where rate limits are counted. Default: in Redis where REDIS_URL is set, else in the memory of this process. The
   * core closes it.
   */
  rates?: RateStore
  /** What looks for malware in uploads. Default: clamd where CLAMAV_URL is set, else nothing. */
  scanner?: Scanner
  /**
   * Called once with Fastify on the API's port before it is ready, for plugins, hooks, and routes without a tenant
   * (static files). It does not change what the modules' routes accept, nor their answers and errors.
   */
  fastify?: FastifySetup
}

/**
 * Composes a core from a configuration and modules. Nothing is connected or started except what modules keep open; the
 * schema must be current (`runCommand` has `migrate`). `app` and `startWorker` throw when database roles or tables do
 * not separate tenants, or declarations name something that does not exist.
 */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { config, clock = systemClock } = options
  const { appUrl, systemUrl, listenUrl, poolSize } = config.database
  if (!appUrl || !systemUrl || !config.appSecret)
    throw new Error('createCore needs DATABASE_URL, DATABASE_SYSTEM_URL and APP_SECRET')
  const product = completeProduct(options.product)
  const registry = createRegistry([kernelModule, ...options.modules])
  // Read now, not by the first request that needs it.
  for (const { configuration } of registry.modules) if (configuration) config.of(configuration)
  const log = withoutRows(options.log ?? pino({ level: config.log.level, base: null }))
  const load = createLoadMeter()
  const db = openDatabase({ appUrl, systemUrl, poolSize, log, load })
  const secrets = createSecretBox([config.appSecret, ...config.appSecretPrevious])
  const rates = openRates({ config, secrets, log, store: options.rates })
  const storages = openStorages(config)
  const waker = createWaker({ db, clock, log })
  const signals = createSignals({ db, log })
  const stopping = new AbortController()
  const resources = new Map<string, unknown>()
  let app: ReturnType<typeof buildApp> | undefined
  let probes: ReturnType<typeof buildApp> | undefined
  let worker: Promise<{ stop(): Promise<void> }> | undefined
  let preparing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const core: Core = {
    config,
    product,
    registry,
    db,
    secrets,
    outbound: createOutbound(config),
    storage: storages.current,
    storages,
    clock,
    log,
    standings: undefined as unknown as Core['standings'], // set just below: the cache needs the core
    throttled: undefined as unknown as Core['throttled'], // as above
    signals,
    load,
    rates,
    scanner: openScanner(config, options.scanner),
    wake: waker.wake,
    use<T>(resource: Resource<T>): T {
      if (!resources.has(resource.name))
        throw new Error(`The resource ${resource.name} belongs to no module of this core`)
      return resources.get(resource.name) as T // made by this very handle
    },
    run: (work, scope) =>
      createContext(core, {
        tenant: null,
        storeId: null,
        actor: systemActor,
        origin: noOrigin,
        caller: 'core.run',
      }).transaction(work, scope),
    prepare,
    app: () => {
      app ??= Promise.all([prepare(), rates.start()])
        .then(() => buildApp(core, 'public', options.fastify))
        .catch((error) => {
          app = undefined
          throw error
        })
      return app
    },
    probes: () => {
      probes ??= buildApp(core, 'probes')
      return probes
    },
    startWorker: async () => {
      await prepare()
      worker ??= startWorker(core, config.worker.concurrency)
      await worker
    },
    stopping: stopping.signal,
    close: () => {
      closing ??= close()
      return closing
    },
  }
  const standings = createStandingCache(core, listenUrl ?? appUrl, { signals })
  Object.assign(core, { standings })
  Object.assign(core, { throttled: createThrottledTenants(core) })
  try {
    await standings.start()
    for (const resource of resourcesOf(registry)) resources.set(resource.name, await resource.create(core))
  } catch (error) {
    // Without a core the caller cannot close it.
    await close()
    throw error
  }

  /** After a failure the next caller tries again. */
  function prepare(): Promise<void> {
    preparing ??= assertSound()
      .then(() => prepareResources(core, resources))
      .catch((error) => {
        preparing = undefined
        throw error
      })
    return preparing
  }

  function assertSound(): Promise<unknown> {
    // Checked first, because a wrong role may not even find the tables.
    return assertRolesAreSafe(db, product).then(() =>
      Promise.all([assertTablesAreSafe(db), assertDeclarationsFit(core)]),
    )
  }

  async function close(): Promise<void> {
    stopping.abort()
    await Promise.all([stopServing(), stopWorking()])
    await Promise.all([waker.idle(), signals.idle()])
    // Closed last of all servers, so that monitoring sees the stop.
    await (await probes)?.close()
    for (const resource of resourcesOf(registry).reverse())
      if (resources.has(resource.name)) await resource.close?.(resources.get(resource.name))
    await standings.close()
    await rates.close()
    await storages.close()
    await db.close()
  }
  /** A failed app or worker has nothing to stop and has reported its error. */
  async function stopServing(): Promise<void> {
    const made = await app?.catch(() => undefined)
    if (made) await stopListening(made, core)
  }
  async function stopWorking(): Promise<void> {
    const started = await worker?.catch(() => undefined)
    await started?.stop()
  }
  return core
}

async function prepareResources(core: Core, made: ReadonlyMap<string, unknown>): Promise<void> {
  for (const resource of resourcesOf(core.registry)) await resource.prepare?.(made.get(resource.name), core)
}

function resourcesOf({ modules }: Registry) {
  return modules.flatMap((module) => module.resources)
}

/** Where a core's migrations come from, the kernel's first. */
export function migrationsOf(modules: readonly Module[]): MigrationSource[] {
  return migrationSourcesOf(createRegistry(modules).modules)
}
