import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 120_000
const STEP_MS = 10

/** Waits until something is so, and fails when it does not become so: after a time that only a stuck machine needs. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(STEP_MS)
  }
}
