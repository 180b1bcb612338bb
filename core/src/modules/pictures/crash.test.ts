import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DAYS, HOURS } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../testing/index.ts'
import { formOf, kept, look, paint } from './pictures.fixture.ts'
import { sweepPictures } from './sweep.ts'

let t: TestCore
let shop: TestTenant
before(async () => {
  t = await createTestCore()
  shop = await t.foundTenant()
})
after(() => t.close())

async function dieAt(moment: string): Promise<void> {
  const { drop: _, ...urls } = t.database
  const script = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url))
  const ahead = String(t.clock.ms() - Date.now())
  const args = [script, JSON.stringify(urls), t.dataDir, shop.id, shop.owner.userId, ahead, moment]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}

test('what a process leaves that dies at any step is never shown, and goes a day later', async () => {
  const { owner } = shop
  const { body } = await owner.request('POST', '/users/me/avatar', formOf(await paint(8, 8)))
  for (const [moment, files] of [
    ['files', 3],
    ['attaching', 6],
  ] as const) {
    await dieAt(moment)
    const left = await kept(t)
    assert.deepEqual(
      [left.files.length, left.rows.map(({ state }) => state).sort()],
      [6 + files, ['attached', 'pending']],
    )
    assert.equal((await owner.get('/users/me')).body.avatar_url, body.avatar_url)
    const { id } = left.rows.find(({ state }) => state === 'pending') ?? { id: '' }
    assert.equal((await t.request('GET', `/api/v1/pictures/${id}`)).status, 404)
    // A picture that is being taken in looks the same.
    t.clock.advance(23 * HOURS)
    await t.runSchedule(sweepPictures)
    assert.equal((await kept(t)).files.length, 6 + files)
    t.clock.advance(2 * HOURS)
    await t.runSchedule(sweepPictures)
    const { files: last, rows } = await kept(t)
    assert.deepEqual([last.length, rows.map(({ state }) => state)], [6, ['attached']])
  }
  t.clock.advance(30 * DAYS)
  await t.runSchedule(sweepPictures)
  assert.equal((await look(t, body.avatar_url)).status, 200)
})
