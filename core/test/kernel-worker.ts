// A process of its own for kernel-crash.test.ts, which ends it without warning.
import { writeSync } from 'node:fs'
import { createTestCore, type TestDatabase } from '../src/testing/index.ts'
import { behaviour, inTenant, managedJob, probe } from './probe-module.ts'

const [task, urls] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls ?? '{}'), drop: async () => {} }
const { core } = await createTestCore({ modules: [probe], database, env: { WORKER_CONCURRENCY: '2' } })

if (task === 'work') {
  behaviour.job = () => {
    writeSync(1, 'working\n')
    return new Promise(() => {})
  }
  await core.startWorker()
} else {
  // The commit is confirmed, and the wake is the next thing to happen.
  Object.assign(core, { wake: () => process.kill(process.pid, 'SIGKILL') })
  await inTenant(core, 'crash', (ctx) => ctx.enqueue(managedJob, { label: 'never woken' }))
}
