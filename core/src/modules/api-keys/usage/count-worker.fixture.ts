// A process of its own for crash.test.ts: uses a key, writes that down, uses it more, and ends without warning.
import { createTestCore, type TestDatabase } from '../../../testing/index.ts'
import { usageCounts } from './counts.ts'

const [urls = '{}', key = '', before = '0', after = '0'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { core, request } = await createTestCore({ database })
const use = async (times: string) => {
  for (let i = 0; i < Number(times); i++) await request('GET', '/api/v1/stores', { token: key })
}
await use(before)
await core.use(usageCounts).flush()
await use(after)
process.kill(process.pid, 'SIGKILL')
