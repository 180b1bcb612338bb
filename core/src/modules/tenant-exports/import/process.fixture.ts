// An import in a process of its own for interrupted.test.ts, which ends it without warning.
import type { TestDatabase } from '../../../testing/index.ts'
import { createTestCore } from '../../../testing/index.ts'
import { importInto } from './import.fixture.ts'

const [urls = '{}', dataDir = '', path = ''] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const t = await createTestCore({ database, env: { DATA_DIR: dataDir } })
await importInto(t, path)
await t.close()
