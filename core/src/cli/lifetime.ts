import { currentVoice } from './voice.ts'

/** After this long a process that was asked to stop ends whatever still runs. */
const DRAIN_MS = 30_000

type Release = () => Promise<void>

/**
 * Lets `begin` start something, waits for SIGINT or SIGTERM, and lets go of everything that `begin` registered, the last
 * first; also when `begin` fails, whose error is then thrown. A signal while it begins is obeyed as soon as it has begun.
 * A second signal ends the process at once.
 */
export async function runUntilSignal(
  begin: (onStop: (release: Release) => void, stopping: AbortSignal) => Promise<void>,
): Promise<number> {
  const releases: Release[] = []
  const { stopping, signalled } = listenForSignals()
  let failure: { error: unknown } | undefined
  try {
    await begin((release) => releases.unshift(release), stopping)
    await signalled
  } catch (error) {
    failure = { error }
  }
  for (const release of releases) {
    await release().catch((error: unknown) => {
      failure ??= { error }
    })
  }
  if (failure) throw failure.error
  return 0
}

function listenForSignals() {
  const controller = new AbortController()
  const { signal: stopping } = controller
  const signalled = new Promise<void>((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping.aborted) process.exit(1)
      currentVoice().say(`${signal}: finishing what runs (a second one ends it at once)`)
      setTimeout(() => process.exit(1), DRAIN_MS).unref()
      controller.abort()
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
  return { stopping, signalled }
}
