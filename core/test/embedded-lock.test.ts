import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { acquireProcessLock, EmbeddedAlreadyRunning } from '../src/kernel/db/embedded-lock.ts'

const folder = await mkdtemp(join(tmpdir(), 'lock-'))
after(() => rm(folder, { recursive: true }))

test('of many that find a dead holder exactly one takes its place', async () => {
  for (let round = 0; round < 30; round++) {
    const file = join(folder, `round-${round}.lock`)
    await writeFile(file, `${process.pid}\nanother life\n0123456789abcdef\n`)
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => acquireProcessLock(file)))
    const held = attempts.filter((attempt) => attempt.status === 'fulfilled')
    assert.equal(held.length, 1)
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') assert.ok(attempt.reason instanceof EmbeddedAlreadyRunning)
    }
    await held[0]?.value.release()
  }
  assert.deepEqual(await readdir(folder), [])
})

test('a released lock can be taken again, and releasing twice does not free the next holder', async () => {
  const file = join(folder, 'again.lock')
  const first = await acquireProcessLock(file)
  await first.release()
  const second = await acquireProcessLock(file)
  await first.release()
  await assert.rejects(acquireProcessLock(file), EmbeddedAlreadyRunning)
  await second.release()
})

test('an empty or damaged lock file belongs to nobody', async () => {
  for (const content of ['', 'x', `${process.pid}\n`]) {
    const file = join(folder, 'damaged.lock')
    await writeFile(file, content)
    await (await acquireProcessLock(file)).release()
  }
})
