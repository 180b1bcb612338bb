import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SECONDS } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { asKey, makeKey } from '../api-keys.fixture.ts'
import { createCounts, FLUSH_MS } from './counts.ts'

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t.close())

test('a process that is killed loses what was used since the last writing, and nothing of before', async () => {
  const { owner } = await t.foundTenant()
  const { id, key } = await makeKey(owner)
  const script = fileURLToPath(new URL('./count-worker.fixture.ts', import.meta.url))
  const { drop: _, ...urls } = t.database
  const child = spawn(process.execPath, [script, JSON.stringify(urls), key, '5', '3'], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
  const { data } = (await owner.get(`/api-keys/${id}/usage`)).body
  assert.deepEqual(
    data.map(({ requests }: { requests: number }) => requests),
    [5],
  )
  assert.equal((await asKey(t, key, 'GET', '/stores')).status, 200)
})

test('it is written by itself, more often than twice a minute', async () => {
  assert.ok(FLUSH_MS <= 30 * SECONDS)
  const { owner, id: tenant_id } = await t.foundTenant()
  const { id } = await makeKey(owner)
  const counts = createCounts(t.core, 20)
  const now = t.clock.now()
  const seen = { tenant_id, api_key_id: id, date: now.slice(0, 10), last_used_at: now, last_used_ip: null }
  for (const round of [1, 2]) {
    counts.note(seen, 200)
    const written = async () => (await owner.get(`/api-keys/${id}/usage`)).body.data[0]?.requests === round
    await until('it is written', written)
  }
  await counts.close()
})
