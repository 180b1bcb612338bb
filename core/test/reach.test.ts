import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { randomToken } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

const DOCUMENTS = [
  '/api/docs',
  '/api/docs/start.js',
  '/api/docs/style.css',
  '/api/docs/swagger-ui.css',
  '/api/openapi.json',
  '/api/openapi.yaml',
]
const PROBES = ['/health', '/health/db', '/health/ready']

describe('what stands on which port', () => {
  let told: TestCore
  let plain: TestCore
  before(async () => {
    const env = { NODE_ENV: 'production', APP_SECRET: randomToken(), PUBLIC_URL: 'https://app.test', MAIL: 'off' }
    plain = await createTestCore({ env })
    const shown = { METRICS_PUBLIC: 'true', API_DOCS_PUBLIC: 'true' }
    told = await createTestCore({ env: { ...env, ...shown }, database: plain.database })
  })
  after(async () => {
    await told?.close()
    await plain?.close()
  })

  const statusOf = async (core: TestCore, port: 'app' | 'probes', url: string) =>
    (await (await core.core[port]()).inject(url)).statusCode

  it('in production the public port has neither metrics nor documents, unless told so', async () => {
    for (const url of ['/metrics', ...DOCUMENTS]) {
      assert.equal(await statusOf(plain, 'app', url), 404, url)
      assert.equal(await statusOf(told, 'app', url), 200, url)
    }
    for (const url of PROBES) assert.equal(await statusOf(plain, 'app', url), 200, url)
  })

  it('the port for probes has metrics and probes, whatever the public one has, and nothing else', async () => {
    for (const core of [plain, told]) {
      for (const url of ['/metrics', ...PROBES]) assert.equal(await statusOf(core, 'probes', url), 200, url)
      for (const { url, reach, method } of core.core.registry.routes) {
        if (reach === 'probe' || reach === 'metrics') continue
        const answer = await (await core.core.probes()).inject({ method, url: url.replace(/:\w+/g, 'x') })
        assert.equal(answer.statusCode, 404, url)
      }
    }
  })
})
