// A worker of its own for crash.test.ts, which ends it without warning.
import type { TestDatabase } from '../../testing/index.ts'
import { createTestCore } from '../../testing/index.ts'

const [urls = '{}', dataDir = '', aheadMs = '0'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, clock } = await createTestCore({ database, env: { DATA_DIR: dataDir, WORKER_CONCURRENCY: '2' } })
clock.advance(Number(aheadMs))
await core.startWorker()
process.send?.('ready')
