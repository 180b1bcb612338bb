// A process of its own for feed-races.test.ts, which ends some without warning: publishes until its input ends, and says which
// of its transactions are committed.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestCore, type TestDatabase } from '../../testing/index.ts'
import { raced, racers } from './racer.fixture.ts'

const [urls = '{}', racer = '', tenantId = ''] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, close } = await createTestCore({ modules: [racers], database, env: { LOG_LEVEL: 'silent' } })

const LANES = 4
let [begun, acknowledged] = [0, 0]
let isOver = false
void once(process.stdin.resume(), 'end').then(() => {
  isOver = true
})

async function run(): Promise<void> {
  while (!isOver) {
    const transaction = ++begun
    const events = 1 + Math.floor(Math.random() * 8)
    const known = acknowledged
    await core.run(
      async (ctx) => {
        for (let event = 1; event <= events; event++) {
          const said = { racer: Number(racer), transaction, event, acknowledged: known }
          await ctx.emit(raced, { id: null, after: said })
          if (Math.random() < 0.1) await sleep(Math.random() * 10)
        }
      },
      { tenantId },
    )
    acknowledged++
    writeSync(1, `${transaction} ${events}\n`)
  }
}

await Promise.all(Array.from({ length: LANES }, run))
await close()
