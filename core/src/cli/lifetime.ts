import { startedByNpm } from '../kernel/config/env.ts'
import { currentVoice } from './voice.ts'

/** After this long a process that was asked to stop ends whatever still runs. */
const DRAIN_MS = 30_000
/** Ctrl-C reaches a process that npm started twice: from the terminal and from npm. Nobody presses it again that fast. */
const ECHO_MS = 500
const ORPHAN_POLL_MS = 500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type Release = () => Promise<void>

/** What is offered to whatever begins. */
export interface Lifetime {
  /** Registers how to let go of something; the last is let go of first. */
  onStop(release: Release): void
  /** Aborted once the process has been asked to stop. */
  readonly stopping: AbortSignal
  /** Ends the process as well as it can, with an error that is then thrown: it lost what it cannot be without. */
  fail(error: Error): void
  /** Gives the stop more time than it has by itself. */
  allowMs(ms: number): void
}

/**
 * Lets `begin` start something, waits for SIGINT, SIGTERM or SIGHUP (a terminal that was closed), and lets go of
 * everything that `begin` registered; also when `begin` fails, whose error is then thrown. A signal while it begins is
 * obeyed as soon as it has begun. A second signal ends the process at once.
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

/** A shell between npm and this process keeps signals to itself, and npm may be killed: either way it ends alone. */
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
