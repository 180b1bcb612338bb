// A server of its own process for rate-limits.redis.test.ts: prints its port, and a line for each change of where it counts.
import type { AddressInfo } from 'node:net'
import { createTestCore, type TestDatabase } from '../src/testing/index.ts'
import { turnstile } from './turnstile-module.ts'

const [urls = '', redis = '', secret = ''] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => undefined }
const { app } = await createTestCore({
  modules: [turnstile],
  database,
  rateLimits: true,
  env: { REDIS_URL: redis, APP_SECRET: secret, TRUSTED_PROXIES: '127.0.0.0/8' },
})
await app.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`) // it listens on a port
