// A process of its own for crash.test.ts, which ends it without warning: works on what is due, so many milliseconds ahead.
import type { TestDatabase } from '../../testing/index.ts'
import { createSinksCore } from './audit-sinks.fixture.ts'

const [urls = '{}', ahead = '0'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, clock } = await createSinksCore({ database, env: { WORKER_CONCURRENCY: '2' } })
clock.advance(Number(ahead))
await core.startWorker()
