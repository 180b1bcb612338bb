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
  const made = await uploadMany(40, 50_000)
  const removed = made.splice(0, 6)
  /** The ids of what was sent to the bucket, one after the other. */
  const puts = () => server.asked.flatMap((each) => each.split(`PUT /files/files/${tenantId}/`)[1] ?? [])
  let isOver = false
  const readers = (async () => {
    for (let i = 0, seen = 0; !isOver; i++) {
      await until(
        'more to be moved',
        () => '',
        () => isOver || puts().length > seen || undefined,
      )
      seen = puts().length
      // The one under way, and one after the other: reading without a pause would leave the others no processor.
      for (const file of [made.find(({ id }) => id === puts().at(-1)), made[i % made.length]])
        if (file) assert.ok((await download(file.id)) === file.content, 'a file was not there, or another one')
    }
  })()
  try {
    for (const more of [8, 12]) {
      const so = puts().length
      const child = startCli(`files move --to s3 --tenant ${tenantId} --parallel 3`, { env })
      await until('some files to be moved', child.said, () => puts().length >= so + more || undefined)
      for (const { id } of removed.splice(0, 2)) {
        await owner.delete(`/files/${id}`)
        await owner.delete('/files/trash')
      }
      made.push(...(await uploadMany(1)))
      assert.equal((await child.stop('SIGKILL')).code, null)
    }
    const so = puts().length
    const stopped = startCli(`files move --to s3 --tenant ${tenantId} --parallel 1`, { env })
    await until('one more', stopped.said, () => puts().length > so || undefined)
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
