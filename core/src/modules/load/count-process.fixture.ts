// A process of its own for crash.test.ts: asks for a tenant, writes that down, asks more, and ends without warning.
import type { TestDatabase } from '../../testing/index.ts'
import { createCounting } from './load.fixture.ts'
import { loadWriter } from './writer.ts'

const [urls = '{}', token = '', before = '0', after = '0'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, request } = await createCounting({ database })
const ask = async (times: string) => {
  for (let i = 0; i < Number(times); i++) await request('GET', '/api/v1/stores', { token })
}
await ask(before)
await core.use(loadWriter).flush()
await ask(after)
process.kill(process.pid, 'SIGKILL')
