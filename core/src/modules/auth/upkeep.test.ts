import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSchedule } from '../../kernel/jobs/schedules.ts'
import { createAuthCore, login, refresh, registerUnproven, runJobs, statusOf } from './auth.fixture.ts'
import { sweep } from './upkeep.ts'

test('the sweep removes what nobody can use any more, and nothing else', async () => {
  const t = await createAuthCore()
  try {
    const old = await registerUnproven(t)
    await runJobs(t)
    await login(t, old.email, 'certainly not this one')
    const counts = async () => {
      const tables = ['sessions', 'refresh_tokens', 'user_tokens', 'login_failures', 'signing_keys', 'user_passwords']
      const found: Record<string, number> = {}
      for (const table of tables) {
        const [row] = await t.core.db.systemQuery<{ count: number }>(`select count(*) from ${table}`)
        found[table] = Number(row?.count)
      }
      return found
    }
    const run = () => runSchedule(t.core, sweep)
    const before = await counts()
    const one = { sessions: 1, refresh_tokens: 1, user_tokens: 1, signing_keys: 1, user_passwords: 1 }
    assert.deepEqual(
      before,
      { ...one, login_failures: 3 },
      'one failure of the device, in each of two ways, and one of the address',
    )
    await run()
    assert.deepEqual(await counts(), before)
    await refresh(t, old.refreshToken)
    assert.equal((await counts()).refresh_tokens, 2)
    t.clock.advance(8 * 86_400_000)
    await run()
    assert.equal((await counts()).refresh_tokens, 1, 'the spent one is gone, the live one stays')
    t.clock.advance(40 * 86_400_000)
    const fresh = await registerUnproven(t)
    await runJobs(t)
    await run()
    assert.deepEqual(await counts(), { ...one, login_failures: 0, user_passwords: 2 })
    assert.equal((await refresh(t, fresh.refreshToken)).status, 200)
    assert.equal(await statusOf(t, fresh.token), 200)
  } finally {
    await t.close()
  }
})
