// A process of its own for crash.test.ts, which ends it without warning: serves requests, or works on what is due, so many
// milliseconds ahead.
import type { AddressInfo } from 'node:net'
import type { TestDatabase } from '../../testing/index.ts'
import { createWebhooksCore } from './webhooks.fixture.ts'

const [task, urls = '{}', ahead = '0'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, app, clock } = await createWebhooksCore({ database, env: { WORKER_CONCURRENCY: '2' } })
clock.advance(Number(ahead))
if (task === 'work') {
  await core.startWorker()
  process.send?.({ port: 0 })
} else {
  await app.listen({ host: '127.0.0.1', port: 0 })
  process.send?.({ port: (app.server.address() as AddressInfo).port }) // it listens on a port
}
