import { unlessAborted } from './reach.ts'

/** So many places, given in the order in which they are asked for. */
export interface Places {
  /** Waits until a place is free. Throws OutboundError `timed_out` when aborted. */
  take(signal: AbortSignal): Promise<void>
  release(): void
}

export function createPlaces(count: number): Places {
  if (!Number.isInteger(count) || count < 1) throw new Error('There is at least one place')
  let free = count
  const waiting = new Set<() => void>()

  function release() {
    const [next] = waiting
    if (!next) {
      free++
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    async take(signal) {
      if (free > 0) {
        free--
        return
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      try {
        await unlessAborted(promise, signal)
      } catch (error) {
        // When it is no longer waiting, it was given a place at the same moment.
        if (!waiting.delete(resolve)) release()
        throw error
      }
    },
    release,
  }
}
