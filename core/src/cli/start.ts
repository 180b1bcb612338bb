import { createCore } from '../create-core.ts'
import { SECONDS } from '../kernel/clock.ts'
import type { Core } from '../kernel/core.ts'
import { errorCode } from '../kernel/system-errors.ts'
import type { Command, CommandOptions } from './command.ts'
import { assertConnects } from './connections.ts'
import { type Environment, sharedEnvironment, startEnvironment } from './environment.ts'
import { runUntilSignal } from './lifetime.ts'
import { counted, migrateSchema } from './migrate.ts'
import { assertReady } from './ready.ts'
import { assertKeptSecretOpens } from './seals.ts'
import { speakAsConfigured } from './voice.ts'
import { welcome } from './welcome.ts'

export const start: Command = {
  summary: 'run everything in one process: database (unless configured), server and worker',
  help: (cli) => `Usage: ${cli} start

Without DATABASE_URL it starts the embedded PostgreSQL on DATA_DIR (default .data), made on the first start and kept
afterwards. Brings the schema up to date where DATABASE_OWNER_URL allows it, then serves HTTP on HOST:PORT and works on
jobs. SIGTERM, SIGHUP and Ctrl-C drain: nothing new is accepted, what runs is finished, jobs are given back. An embedded
PostgreSQL that ends is started again; where that fails, the process ends with exit code 1.`,
  run: (_values, options) => run(startEnvironment, options, { migrate: true, serve: true, work: true }),
}

export const serve: Command = {
  summary: 'serve HTTP only; run any number of these behind a balancer',
  help: (cli) => `Usage: ${cli} serve

Needs DATABASE_URL and DATABASE_SYSTEM_URL, and a schema that is up to date (${cli} migrate). Holds no state worth
keeping. Jobs are worked on by "${cli} worker".`,
  run: (_values, options) => run(() => sharedEnvironment('serve', options), options, { serve: true }),
}

export const worker: Command = {
  summary: 'work on jobs only; run any number of these',
  help: (cli) => `Usage: ${cli} worker

Needs DATABASE_URL and DATABASE_SYSTEM_URL, and a schema that is up to date (${cli} migrate). Works on WORKER_CONCURRENCY
jobs at a time, fairly among tenants, and on schedules, once however many workers run. With WORKER_PORT set, probes and
metrics answer there.`,
  run: (_values, options) => run(() => sharedEnvironment('worker', options), options, { work: true }),
}

function run(
  open: (options: CommandOptions, onLost: (error: Error) => void) => Promise<Environment>,
  options: CommandOptions,
  what: { migrate?: boolean; serve?: boolean; work?: boolean },
): Promise<number> {
  return runUntilSignal(async ({ onStop, stopping, fail, allowMs }) => {
    const environment = await open(options, fail)
    onStop(environment.release)
    const { config } = environment
    const voice = speakAsConfigured(config)
    if (what.serve) allowMs(config.http.shutdownDelaySeconds * SECONDS)
    await assertConnects(config, options.product)
    if (what.migrate && config.database.ownerUrl) {
      const applied = await migrateSchema(config, options.modules)
      if (applied > 0) voice.say(`Applied ${counted(applied, 'migration')}`)
    }
    const core = await createCore({ ...options, config })
    onStop(() => close(core))
    await assertReady(core)
    if (environment.keepsSecret) await assertKeptSecretOpens(core)
    if (what.serve) for (const module of core.registry.modules) await module.mayServe?.(core)
    if (stopping.aborted) return
    if (what.serve) await listen(core)
    if (config.http.probePort !== null) await listenForProbes(core, config.http.probePort)
    if (what.work) await core.startWorker()
    await welcome(core, environment, { voice, serve: what.serve === true, work: what.work === true })
  })
}

async function listen(core: Core): Promise<void> {
  const { host, port } = core.config.http
  const app = await core.app()
  await app.listen({ host, port }).catch((error: unknown) => {
    throw new Error(explainListening('PORT', { host, port }, error), { cause: error })
  })
}

async function listenForProbes(core: Core, port: number): Promise<void> {
  const { host } = core.config.http
  const app = await core.probes()
  await app.listen({ host, port }).catch((error: unknown) => {
    throw new Error(explainListening('WORKER_PORT', { host, port }, error), { cause: error })
  })
}

function explainListening(setting: string, { host, port }: { host: string; port: number }, error: unknown): string {
  const code = errorCode(error)
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program. Stop that one, or set ${setting}.`
  if (code === 'EACCES') return `This user may not listen on port ${port}. Set ${setting} to one above 1023.`
  return `Nothing can listen on ${host}, port ${port} (${code ?? error}). HOST must be an address of this machine.`
}

async function close(core: Core): Promise<void> {
  await core.close()
  // The embedded database ends next; connections that it has not closed yet would report a loss.
  core.log.level = 'silent'
}
