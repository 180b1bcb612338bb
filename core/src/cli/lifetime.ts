import { startedByNpm } from '../kernel/config/env.ts'
import { currentVoice } from './voice.ts'

/** A stopping process ends anyway after this time. */
const DRAIN_MS = 30_000
/** Ctrl-C reaches a process of npm twice, from the terminal and from npm; nobody presses it again that fast. */
const ECHO_MS = 500
const ORPHAN_POLL_MS = 500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Release = () => Promise<void>

/** Functions for the started work. */
export interface Lifetime {
  /** Registers a clean-up; the last registered runs first. */
  onStop(release: Release): void
  /** Aborted once the process has been asked to stop. */
  readonly stopping: AbortSignal
  /** Ends the process after clean-up and throws the error: something essential was lost. */
  fail(error: Error): void
  /** Extends the time for stopping. */
  allowMs(ms: number): void
}

/**
 * Starts something with `begin`, waits for SIGINT, SIGTERM or SIGHUP (a closed terminal), and runs the registered
 * clean-ups, also when `begin` fails, whose error is then thrown. A signal during the start takes effect after it. A
 * second signal ends the process at once.
 */
export async function runUntilSignal(begin: (lifetime: Lifetime) => Promise<void>): Promise<number> {
  const releases: Release[] = []
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  failed.catch(() => {}) // looked at below, once it has begun
  let extraMs = 0
  const { stopping, signalled } = listenForSignals(() => DRAIN_MS + extraMs)
  let failure: { error: unknown } | undefined
  try {
    await begin({
      onStop: (release) => releases.unshift(release),
      stopping,
      fail: (error) => fail(error),
      allowMs: (ms) => {
        extraMs += ms
      },
    })
    await Promise.race([signalled, failed])
  } catch (error) {
    failure = { error }
    if (!stopping.aborted) boundStop(DRAIN_MS)
  }
  for (const release of releases) {
    await release().catch((error: unknown) => {
      failure ??= { error }
    })
  }
  if (failure) throw failure.error
  return 0
}

function listenForSignals(patienceMs: () => number) {
  const controller = new AbortController()
  const { signal: stopping } = controller
  const { promise: signalled, resolve } = Promise.withResolvers<void>()
  let askedAt = 0
  const stop = (why: string) => {
    askedAt = performance.now()
    currentVoice().say(`${why}: finishing what runs (a second one ends it at once)`)
    boundStop(patienceMs())
    controller.abort()
    resolve()
  }
  const onSignal = (signal: NodeJS.Signals) => {
    if (!stopping.aborted) stop(signal)
    else if (performance.now() - askedAt > ECHO_MS) process.exit(1)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  if (startedByNpm()) watchParent(() => !stopping.aborted && stop('npm has ended'))
  return { stopping, signalled }
}

/**
 * A shell between npm and this process does not forward signals, and npm may be killed: in both cases the parent
 * changes.
 */
function watchParent(onEnd: () => void): void {
  const parent = process.ppid
  const poll = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(poll)
    onEnd()
  }, ORPHAN_POLL_MS).unref()
}

function boundStop(ms: number): void {
  setTimeout(() => process.exit(1), ms).unref()
}
