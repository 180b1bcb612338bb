import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { MINUTES, newId } from '#kernel'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import type { TestCore } from '../../../testing/index.ts'
import { createAuthCore, mailsTo, register } from '../auth.fixture.ts'

let t: TestCore
before(async () => {
  t = await createAuthCore({ env: { TRUSTED_PROXIES: '127.0.0.0/8' } })
})
after(() => t.close())

const BURSTS = 10
const BURST = 20

test('200 requests for a new password within an hour bring five mails at most, and the same answer each time', async () => {
  const { email } = await register(t)
  const before = (await mailsTo(t, email)).length
  const ask = async (of: string, from: string) => {
    const headers = { 'x-forwarded-for': from }
    const { status, text } = await t.request('POST', '/api/v1/auth/forgot-password', { body: { email: of }, headers })
    return `${status} ${text}`
  }
  const answers = new Set<string>()
  for (let burst = 0; burst < BURSTS; burst++) {
    // From everywhere, in any spelling, half of them at the same moment as the work on those before.
    const asked = Array.from({ length: BURST }, (_, i) =>
      ask(i % 2 ? email : email.toUpperCase(), `192.0.2.${burst * BURST + i}`),
    )
    for (const answer of await Promise.all(asked)) answers.add(answer)
    answers.add(await ask(`${newId()}@example.com`, '198.51.100.1'))
    await Promise.all([drainJobs(t.core, null), drainJobs(t.core, null)])
    t.clock.advance(5 * MINUTES + 1)
  }
  assert.deepEqual([...answers], ['202 '])
  assert.equal((await mailsTo(t, email)).length - before, 5)
})
