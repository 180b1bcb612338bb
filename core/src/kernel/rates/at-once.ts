import type { FastifyReply } from 'fastify'
import { SECONDS } from '../clock.ts'
import type { Counter } from './store.ts'

/**
 * Downloads without a credential that one address may have open at the same time. Each holds a connection to the storage
 * for as long as its client lets it; a page of pictures asks for up to a hundred at once.
 */
export const DOWNLOADS_AT_ONCE = 100
/** Its name in answers, logs and metrics. */
export const AT_ONCE = 'downloads_at_once'
/** Nobody knows when one of them ends. */
export const RETRY_MS = 5 * SECONDS

/** What is open at the moment in this process, by whoever has it open. */
export interface OpenCounts {
  /** Counts an answer until it has been sent or its client is gone. False, and uncounted, where `max` are open. */
  hold(counter: Pick<Counter, 'subject' | 'max'>, reply: Pick<FastifyReply, 'raw'>): boolean
}

export function createOpenCounts(): OpenCounts {
  const open = new Map<string, number>()
  const release = (subject: string) => {
    const left = (open.get(subject) ?? 1) - 1
    if (left > 0) open.set(subject, left)
    else open.delete(subject)
  }
  return {
    hold({ subject, max }, { raw }) {
      const held = open.get(subject) ?? 0
      if (held >= max) return false
      // A client that has gone meanwhile ends no second time.
      if (raw.destroyed) return true
      open.set(subject, held + 1)
      const end = () => {
        raw.off('finish', end).off('close', end)
        release(subject)
      }
      raw.once('finish', end).once('close', end)
      return true
    },
  }
}
