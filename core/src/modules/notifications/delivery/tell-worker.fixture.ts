// A process of its own for crash.test.ts: works on what is due, so many milliseconds ahead, and ends without warning before the
// nth statement of a kind is sent.
import { createTestCore, type TestDatabase } from '../../../testing/index.ts'
import { builtinModules } from '../../index.ts'
import { makeAlarms } from './gateway.fixture.ts'

const [urls = '{}', ahead = '0', pattern = '', nth = '1'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { module } = await makeAlarms()
const { core, clock } = await createTestCore({
  modules: [...builtinModules, module],
  database,
  env: { WORKER_CONCURRENCY: '1' },
})
clock.advance(Number(ahead))
let left = Number(nth)
core.db.observe((sql) => {
  if (new RegExp(pattern).test(sql) && --left === 0) process.kill(process.pid, 'SIGKILL')
})
await core.startWorker()
