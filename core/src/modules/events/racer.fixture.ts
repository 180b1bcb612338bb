import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { defineEvent, defineModule, Type } from '#kernel'
import type { TestDatabase } from '../../testing/index.ts'

const SCRIPT = fileURLToPath(new URL('./racer-process.fixture.ts', import.meta.url))

/** What a process says of itself in each of its events. */
export interface Said {
  racer: number
  /** The process numbers its transactions as they begin… */
  transaction: number
  /** …and the events of each. */
  event: number
  /** How many of its transactions it knew to be committed when this one began. */
  acknowledged: number
}

export const raced = defineEvent('racer.passed', {
  description: 'A process has come by',
  data: Type.Object({
    racer: Type.Integer(),
    transaction: Type.Integer(),
    event: Type.Integer(),
    acknowledged: Type.Integer(),
  }),
  published: true,
})
export const racers = defineModule({ name: 'racers', events: [raced] })

/** A process that publishes in transactions of differing length until it is told to stop. */
export interface Racer {
  child: ChildProcess
  /** Its committed transactions in the order in which it heard of them, and how many events each has. */
  acknowledged: { transaction: number; events: number }[]
  /** Lets it end what it does. */
  stop(): Promise<void>
}

export function startRacer({ drop: _, ...urls }: TestDatabase, racer: number, tenantId: string): Racer {
  const args = [SCRIPT, JSON.stringify(urls), String(racer), tenantId]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const acknowledged: Racer['acknowledged'] = []
  const lines = createInterface(child.stdout!) // it is piped
  lines.on('line', (line) => {
    const [transaction = 0, events = 0] = line.split(' ').map(Number)
    acknowledged.push({ transaction, events })
  })
  child.stdin?.on('error', () => {}) // killed
  // All that it has said is read once the lines end.
  const ended = Promise.all([once(child, 'close'), once(lines, 'close')])
  return {
    child,
    acknowledged,
    async stop() {
      child.stdin?.end()
      await ended
    },
  }
}
