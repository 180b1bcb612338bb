import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { MINUTES } from '../clock.ts'
import { stopLeftovers } from './embedded-leftovers.ts'
import { hasEnded, type ServerOptions, startServer, stopServer } from './embedded-server.ts'

/** A running server and its options. */
export interface Running {
  child: ChildProcess
  server: ServerOptions
}

/** Options for restarting a server that ended unexpectedly. */
export interface WatchOptions {
  /** Pauses before each restart; one failure more than there are pauses is the last. */
  pausesMs?: readonly number[]
  log: (line: string) => void
  /** Called once when restarting is given up. */
  onLost: (error: Error) => void
}

const PAUSES_MS = [100, 500, 2_000, 5_000]
/** A server that ran this long was healthy: its next failure counts as the first. */
const CALM_MS = 10 * MINUTES

/**
 * Restarts the server on the same port whenever it ends unexpectedly, for example by the out-of-memory killer. Returns
 * a function that stops it for good at any time.
 */
export function watchServer(running: Running, options: WatchOptions): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const watching = keepAlive(running, options, signal).catch(options.onLost)
  let ending: Promise<void> | undefined
  const end = async () => {
    stopping.abort()
    // Also stops a server that is being started.
    await Promise.all([watching, stopServer(running.child, running.server)])
    await stopServer(running.child, running.server)
  }
  return () => {
    ending ??= end()
    return ending
  }
}

async function keepAlive(running: Running, options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { log, pausesMs = PAUSES_MS } = options
  const { logFile } = running.server
  for (let attempt = 0; ; attempt++) {
    const begun = performance.now()
    await untilEnded(running.child, signal)
    if (signal.aborted) return
    if (performance.now() - begun > CALM_MS) attempt = 0
    log(`PostgreSQL has ended unexpectedly; see ${logFile}`)
    let failure: unknown
    for (; attempt < pausesMs.length; attempt++) {
      await sleep(pausesMs[attempt], undefined, { signal }).catch(() => {}) // woken by the stop
      if (signal.aborted) return
      failure = await restart(running, log, signal).then(
        () => undefined,
        (error: unknown) => error ?? new Error('it did not say why'),
      )
      if (failure === undefined) break
    }
    if (attempt === pausesMs.length)
      throw new Error(`PostgreSQL has ended and cannot be started again; see ${logFile}`, { cause: failure })
    if (!signal.aborted) log('PostgreSQL runs again')
  }
}

/** Children and files of the ended server would prevent a new one. */
async function restart(running: Running, log: (line: string) => void, signal: AbortSignal): Promise<void> {
  const { server } = running
  await stopLeftovers(server.folder, server.binaries.pgCtl, log)
  if (signal.aborted) return
  await startServer(server, (child) => {
    running.child = child
  })
}

async function untilEnded(child: ChildProcess, signal: AbortSignal): Promise<void> {
  if (hasEnded(child)) return
  await once(child, 'exit', { signal }).catch(() => {}) // no longer waited for
}
