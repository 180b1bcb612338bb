// A process of its own for crash.test.ts, which ends it without warning: works on what is due, so many milliseconds ahead.
import { createTestCore, type TestDatabase } from '../../testing/index.ts'
import { mail } from './index.ts'
import { letters } from './letters.fixture.ts'

const [urls = '{}', ahead = '0', SMTP_URL = ''] = process.argv.slice(2)
const database: TestDatabase = { ...JSON.parse(urls), drop: async () => {} }
const env = { SMTP_URL, MAIL_FROM: 'Test <test@example.com>' }
const { core, clock } = await createTestCore({ modules: [mail, letters], database, env })
clock.advance(Number(ahead))
await core.startWorker()
