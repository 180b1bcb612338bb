// A process of its own for inbound.test.ts, which ends the moment a message is stored.
import { createTestCore, type TestDatabase } from '../src/testing/index.ts'
import { BANK_ENV, bank, PAYMENTS, paid } from './bank-module.ts'
import { probe } from './probe-module.ts'

const [urls, id = ''] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls ?? '{}'), drop: async () => {} }
const { core, clock, request } = await createTestCore({ modules: [probe, bank], database, env: BANK_ENV })
// The commit is confirmed; neither a worker nor the sender has heard of it.
Object.assign(core, { wake: () => process.kill(process.pid, 'SIGKILL') })
await request('POST', PAYMENTS, paid(id, clock.ms()))
