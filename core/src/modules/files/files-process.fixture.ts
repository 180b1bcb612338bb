// A server of its own for tests that end one without warning, or give it little room: says its port, and stays.
import type { AddressInfo } from 'node:net'
import type { TestDatabase } from '../../testing/index.ts'
import { createFileCore } from './files.fixture.ts'

const [urls = '{}', env = '{}'] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const { app } = await createFileCore({ database, env: JSON.parse(env) })
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`) // it listens on a port
