import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createGunzip } from 'node:zlib'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import type { TestCore } from '../../../testing/index.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import type { AuditLog } from '../schema.ts'
import { checkExport } from '../seals/check-export.ts'
import { checkpointKeys } from '../seals/checkpoint-keys.ts'
import { readLines } from '../seals/lines.ts'
import { chainOf } from '../seals/seal.fixture.ts'
import { archiveKey } from './archive.ts'
import {
  createRetentionCore,
  dropExpiredMonths,
  keepFor,
  monthAgo,
  monthsOf,
  nextDay,
  recordInMonths,
  removalsOf,
  removeExpiredOf,
  sealMonths,
} from './retention.fixture.ts'

const COUNT = 2_300

let core: TestCore
let ada: Person
before(async () => {
  core = await createRetentionCore({ env: { AUDIT_ARCHIVE: 'true' } })
  const keeper = await register(core)
  await keepFor(core, keeper.tenantId, 3650)
  await recordInMonths(core, keeper.tenantId, [1])
  await sealMonths(core, keeper.tenantId)
})
beforeEach(async () => {
  ada = await register(core)
  await recordInMonths(core, ada.tenantId, [12, 13, 15], { count: COUNT })
  await sealMonths(core, ada.tenantId)
})
after(() => core.close())

const ourKeys = () => core.core.use(checkpointKeys).all
const keyOf = (months: number) => archiveKey(ada.tenantId, monthAgo(core, months).slice(0, 7))

/** What the API exports of a month, oldest first. */
async function exported(months: number): Promise<AuditLog[]> {
  const [from, to] = [`${monthAgo(core, months)}T00:00:00Z`, `${monthAgo(core, months - 1)}T00:00:00Z`]
  const url = `/api/v1/audit/export?${new URLSearchParams({ format: 'ndjson', from, to })}`
  const { status, text } = await core.request('GET', url, { token: ada.token })
  assert.equal(status, 200, text)
  return linesIn(text)
    .map((line) => JSON.parse(line))
    .toReversed()
}

const unzipped = (months: number) => core.core.storage.read(keyOf(months)).pipe(createGunzip())

async function linesOf(months: number): Promise<string[]> {
  return linesIn(Buffer.concat(await unzipped(months).toArray()).toString())
}

/** The records of that month in its file; those of the months beside it, in blocks of both, are left out. */
async function archived(months: number): Promise<AuditLog[]> {
  const month = monthAgo(core, months).slice(0, 7)
  const values: (AuditLog | { seal: unknown })[] = (await linesOf(months)).map((line) => JSON.parse(line))
  return values.filter((value) => 'created_at' in value).filter(({ created_at }) => created_at.startsWith(month))
}

function linesIn(text: string): string[] {
  assert.ok(text.endsWith('\n'))
  return text.trimEnd().split('\n')
}

async function files(): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of core.core.storage.list(`audit/${ada.tenantId}`)) keys.push(key)
  return keys
}

/** Fails every statement that has this in it, until told to stop; then says whether there was one. */
function failAt(part: string): () => boolean {
  let isMet = false
  const stop = core.core.db.observe((sql) => {
    if (!sql.includes(part)) return
    isMet = true
    throw new Error('the process died')
  })
  return () => {
    stop()
    return isMet
  }
}

describe('the archive', () => {
  test('has exactly what is removed, a file for each month', async () => {
    const [older, newer] = [await exported(15), await exported(13)]
    assert.deepEqual([older.length, newer.length], [COUNT, COUNT])
    await removeExpiredOf(core, ada.tenantId)
    assert.deepEqual(await monthsOf(core, ada.tenantId), [[12, COUNT]])
    assert.deepEqual(await files(), [keyOf(15), keyOf(13)])
    assert.deepEqual(await archived(15), older)
    assert.deepEqual(await archived(13), newer)
    for (const months of [15, 13]) {
      const verdict = await checkExport(
        readLines(core.core.storage.read(keyOf(months)).compose(createGunzip())),
        ourKeys(),
      )
      assert.deepEqual([verdict.first_invalid, verdict.tenant_id], [null, ada.tenantId])
      assert.ok(verdict.checked >= COUNT)
    }
    assert.match(keyOf(13), /^audit\/[0-9a-f-]{36}\/\d{4}-\d\d\.ndjson\.gz$/)
    assert.deepEqual((await removalsOf(core, ada.tenantId))[0]?.new_values.archived, true)
  })

  test('stays as it is when there is nothing more to remove', async () => {
    await removeExpiredOf(core, ada.tenantId)
    nextDay(core)
    await removeExpiredOf(core, ada.tenantId)
    await keepFor(core, ada.tenantId, 330)
    await removeExpiredOf(core, ada.tenantId)
    assert.deepEqual(await files(), [keyOf(15), keyOf(13), keyOf(12)])
    for (const months of [15, 13, 12]) {
      assert.equal((await archived(months)).length, COUNT)
      const [begin] = await linesOf(months)
      assert.equal(begin?.startsWith('{"removal":'), months === 12, 'tells what an earlier file has')
    }
    // Its first block is the last one of the file before, whose records of that time are gone.
    assert.equal((await checkExport(readLines(unzipped(12)), ourKeys())).first_invalid, null)
  })

  test('is written before anything is given up; a run that dies in between is repeated', async () => {
    for (const statement of ['insert into "audit_blocks"', 'insert into "audit_logs"', 'update "audit_chains"']) {
      const died = failAt(statement)
      await removeExpiredOf(core, ada.tenantId)
      assert.ok(died(), statement)
      assert.deepEqual(await files(), [keyOf(15), keyOf(13)])
      assert.equal((await monthsOf(core, ada.tenantId)).length, 3)
      assert.equal((await removalsOf(core, ada.tenantId)).length, 0)
      assert.equal((await chainOf(core, ada.tenantId)).removed_to, null)
    }
    const older = await exported(15)
    core.clock.advance(600_000)
    await drainJobs(core.core, ada.tenantId)
    assert.deepEqual(await monthsOf(core, ada.tenantId), [[12, COUNT]])
    assert.equal((await removalsOf(core, ada.tenantId)).length, 1)
    assert.deepEqual(await archived(15), older)
  })

  test('is of no use to a tenant that came to keep more meanwhile: nothing is given up', async () => {
    const { storage } = core.core
    const { write } = storage
    storage.write = async (key, content) => {
      const written = await write(key, content)
      await keepFor(core, ada.tenantId, 3650)
      return written
    }
    try {
      await removeExpiredOf(core, ada.tenantId)
    } finally {
      storage.write = write
    }
    assert.equal((await monthsOf(core, ada.tenantId)).length, 3)
    assert.equal((await removalsOf(core, ada.tenantId)).length, 0)
  })

  test('that cannot be written keeps everything', async () => {
    const { storage } = core.core
    const { write } = storage
    storage.write = async (_key, content) => {
      for await (const chunk of content) if (chunk) throw new Error('the disk is full')
      return { bytes: 0, sha256: '' }
    }
    try {
      await removeExpiredOf(core, ada.tenantId)
    } finally {
      storage.write = write
    }
    assert.equal((await monthsOf(core, ada.tenantId)).length, 3)
    assert.equal((await removalsOf(core, ada.tenantId)).length, 0)
    assert.ok(core.logs.some((line) => line.includes('the disk is full')))
  })

  test('is whole though another process removes the records meanwhile', async () => {
    const other = await createRetentionCore({ env: { AUDIT_ARCHIVE: 'true' }, database: core.database })
    // More than is read ahead of the file.
    ada = await register(core)
    for (const [months, count] of [
      [12, 5],
      [13, 12_000],
      [15, 5],
    ] as const)
      await recordInMonths(core, ada.tenantId, [months], { count })
    await sealMonths(core, ada.tenantId)
    try {
      const [older, newer] = [await exported(15), await exported(13)]
      const { storage } = core.core
      const { write } = storage
      other.clock.advance(core.clock.ms() - other.clock.ms())
      // The same folder for both. This process is slow: before its second file, the other one does all of it.
      Object.assign(other.core, { storage: { ...storage, write } })
      storage.write = async (key, content) => {
        if (key === keyOf(13)) {
          await core.core.db.systemQuery('update tenant_jobs set locked_until = null where tenant_id = $1', [
            ada.tenantId,
          ])
          await drainJobs(other.core, ada.tenantId)
          assert.deepEqual(await monthsOf(core, ada.tenantId), [[12, 5]])
        }
        return write(key, content)
      }
      try {
        await removeExpiredOf(core, ada.tenantId)
      } finally {
        storage.write = write
      }
      assert.deepEqual(await archived(15), older)
      const kept = await archived(13)
      assert.equal(kept.length, newer.length)
      assert.deepEqual(kept, newer)
      assert.equal((await removalsOf(core, ada.tenantId)).length, 1)
    } finally {
      await other.close()
    }
  })

  test('holds what goes with a whole month too', async () => {
    const alone = await createRetentionCore({ env: { AUDIT_ARCHIVE: 'true' } })
    try {
      const { tenantId } = await register(alone)
      await recordInMonths(alone, tenantId, [14], { count: 3 })
      await sealMonths(alone, tenantId)
      await removeExpiredOf(alone, tenantId)
      await dropExpiredMonths(alone)
      assert.deepEqual(await monthsOf(alone, tenantId), [])
      assert.equal(await alone.core.storage.has(archiveKey(tenantId, monthAgo(alone, 14).slice(0, 7))), true)
    } finally {
      await alone.close()
    }
  })
})
