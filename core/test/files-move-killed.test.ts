import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DAYS } from '#kernel'
import { keyOf } from '../src/modules/files/upkeep/upkeep.fixture.ts'
import { openPlace, openTenant, type Place } from './moved-files.fixture.ts'
import { startCli, until } from './run-cli.ts'

let place: Place
before(async () => {
  place = await openPlace()
})
after(() => place?.close())

test('a move that is killed at any moment goes on when it is run again, while people upload, download and remove', async () => {
  const { server, t, env } = place
  const tenant = await openTenant(place)
  const { id: tenantId, owner, run, move, files, download, backendOf, hourLater, uploadMany } = tenant
  const made = await uploadMany(60, 50_000)
  const removed = made.splice(0, 6)
  const puts = () => server.asked.filter((each) => each.startsWith(`PUT /files/files/${tenantId}`)).length
  let isOver = false
  const readers = (async () => {
    for (let i = 0; !isOver; i++) {
      const { id, content } = made[i % made.length] ?? { id: '', content: '' }
      assert.ok((await download(id)) === content, 'a file was not there, or another one')
    }
  })()
  try {
    for (const least of [8, 25]) {
      const child = startCli(`files move --to s3 --tenant ${tenantId} --parallel 3`, { env })
      await until('some files to be moved', child.said, () => puts() >= least || undefined)
      for (const { id } of removed.splice(0, 2)) {
        await owner.delete(`/files/${id}`)
        await owner.delete('/files/trash')
      }
      made.push(...(await uploadMany(1)))
      assert.equal((await child.stop('SIGKILL')).code, null)
    }
    const stopped = startCli(`files move --to s3 --tenant ${tenantId} --parallel 1`, { env })
    await until('one more', stopped.said, () => puts() >= 32 || undefined)
    const { code, out } = await stopped.stop('SIGINT')
    assert.equal(code, 1)
    assert.match(out, /Interrupted\. Nothing is lost: run it again to go on\.$/m)
    for (const { id } of removed) await owner.delete(`/files/${id}`)
    await owner.delete('/files/trash')
    assert.equal((await move('s3')).code, 0)
  } finally {
    isOver = true
  }
  await readers
  await hourLater()
  for (const { id, content } of made) {
    assert.equal(await backendOf(id), 's3')
    assert.ok((await download(id)) === content)
  }
  // What was copied in the moment of a kill, and removed before it could be settled, the sweep finds.
  t.clock.advance(2 * DAYS)
  await run(`files check --tenant ${tenantId} --mend`)
  const keys = made.map(({ id }) => keyOf(tenantId, id)).sort()
  assert.deepEqual([(await files('s3')).sort(), await files('local')], [keys, []])
  assert.equal(await server.openUploads(), 0)
})
