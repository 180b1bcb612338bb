import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { newId } from '#kernel'
import { createContext, noOrigin, systemActor } from '../../../kernel/create-context.ts'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { sweepTenant } from './sweep.ts'
import { insertFiles } from './upkeep.fixture.ts'

const COUNT = 10_000
const MiB = 1024 ** 2
/** Of what is in use: the names in one folder of a disk, and pages of rows. All rows would be 5 MiB. */
const MOST_BYTES = 4 * MiB

let t: TestCore
before(async () => {
  t = await createTestCore()
})
after(() => t?.close())

test(`a sweep over ${COUNT} files takes no more memory than pages of them do`, async (test) => {
  const { id: tenantId } = await t.foundTenant({ plan: 'business' })
  const ids = Array.from({ length: COUNT }, newId)
  await insertFiles(t, tenantId, ids, 'a note')
  const folder = join(t.dataDir, 'files', 'files', tenantId)
  await mkdir(folder, { recursive: true })
  for (let at = 0; at < COUNT; at += 500)
    await Promise.all(ids.slice(at, at + 500).map((id) => writeFile(join(folder, id), 'a note')))
  const before = inUse()
  let most = 0
  const look = () => {
    most = Math.max(most, inUse() - before)
  }
  const { list } = t.core.storage
  let listed = 0
  // By how far it is, not by the clock: each look collects garbage, which takes longer than what it watches.
  t.core.storage.list = async function* (folder) {
    for await (const file of list.call(t.core.storage, folder)) {
      if (listed++ % 500 === 0) look()
      yield file
    }
  }
  const startedAt = performance.now()
  const ctx = createContext(t.core, { tenant: tenantId, storeId: null, actor: systemActor, origin: noOrigin })
  const found = await sweepTenant(ctx, { mends: true })
  look()
  assert.deepEqual([found.files, found.objects, found.missing, found.orphans], [COUNT, COUNT, 0, 0])
  assert.equal(found.drift, -COUNT * 'a note'.length)
  assert.ok(listed >= COUNT)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  test.diagnostic(`${COUNT} files in ${seconds} s, with ${(most / MiB).toFixed(0)} MiB`)
  assert.ok(most < MOST_BYTES, `${most} bytes`)
})

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

function inUse(): number {
  collect()
  return process.memoryUsage().heapUsed
}
