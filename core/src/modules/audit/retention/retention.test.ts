import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, firstIdAt, LEAST_ID } from '#kernel'
import { contextOf } from '../../../testing/context.ts'
import { drainJobs } from '../../../testing/drain-jobs.ts'
import type { TestCore } from '../../../testing/index.ts'
import { login, type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser } from '../audit.fixture.ts'
import { blocksOf, chainOf, sealAll } from '../seals/seal.fixture.ts'
import { forgetVerdict } from '../seals/verify.fixture.ts'
import { removeRecords } from './remove-expired.ts'
import {
  createRetentionCore,
  dropExpiredMonths,
  keepFor,
  monthAgo,
  monthsOf,
  nextDay,
  partitionsOf,
  recordInMonths,
  removalsOf,
  removeExpiredOf,
  runSchedule,
  sealMonths,
} from './retention.fixture.ts'
import { findExpired } from './retention.ts'

const MONTHS = [1, 2, 3, 4, 11, 12, 13, 14, 16]
const months = (from: number, to: number): [number, number][] =>
  MONTHS.filter((ago) => ago >= from && ago <= to).map((ago) => [ago, 5])

/** Days have gone by: it takes a new token. */
async function assertValid(test: TestCore, { email, tenantId }: Person): Promise<void> {
  const { access_token: token } = (await login(test, email)).body
  await forgetVerdict(test, tenantId)
  const { status, body, text } = await test.request('GET', '/api/v1/audit/verify', { token })
  assert.deepEqual([status, body.first_invalid, body.valid], [200, null, true], `${tenantId}: ${text}`)
  assert.ok(body.checked > 0)
}

describe('with tenants that keep their records for different times', () => {
  let core: TestCore
  let usual: Person
  let brief: Person
  let long: Person
  let deleted: Person
  before(async () => {
    core = await createRetentionCore()
    const tenants = [0, 0, 0, 0].map(() => register(core))
    ;[usual, brief, long, deleted] = (await Promise.all(tenants)) as [Person, Person, Person, Person] // as many as above
    await keepFor(core, brief.tenantId, 90)
    await keepFor(core, long.tenantId, 3650)
    await keepFor(core, deleted.tenantId, 3650)
    await asSuperuser(core, "update tenants set status = 'deleted' where id = $1", [deleted.tenantId])
    for (const { tenantId } of [usual, brief, long, deleted]) {
      await recordInMonths(core, tenantId, MONTHS)
      await sealMonths(core, tenantId)
    }
    await removeExpiredOf(core, usual.tenantId, brief.tenantId, long.tenantId, deleted.tenantId)
  })
  after(() => core.close())

  test('exactly the months go that were over so long ago', async () => {
    // On the 15th: a year ago is within the 12th month back, 90 days ago within the third.
    assert.deepEqual(await monthsOf(core, usual.tenantId), months(1, 12))
    assert.deepEqual(await monthsOf(core, brief.tenantId), months(1, 3))
    assert.deepEqual(await monthsOf(core, long.tenantId), months(1, 16))
  })

  test('a deleted tenant has what nobody set', async () => {
    assert.deepEqual(await monthsOf(core, deleted.tenantId), months(1, 12))
  })

  test('each removal is recorded once, by the system, and those who lost nothing have none', async () => {
    const removed = async ({ tenantId }: Person) =>
      (await removalsOf(core, tenantId)).map(({ actor_type, new_values }) => ({ actor_type, ...new_values }))
    const before = (ago: number) => `${monthAgo(core, ago)}T00:00:00.000Z`
    assert.deepEqual(await removed(usual), [{ actor_type: 'system', before: before(12), records: 15, archived: false }])
    assert.deepEqual(await removed(brief), [{ actor_type: 'system', before: before(3), records: 30, archived: false }])
    assert.deepEqual(await removed(long), [])
  })

  test('the chain says what it gave up', async () => {
    const { removed_to, removal_height } = await chainOf(core, brief.tenantId)
    const removal = (await blocksOf(core, brief.tenantId)).find(({ height }) => height === removal_height)
    assert.deepEqual([removal?.kind, removal?.removed_to], ['removal', removed_to])
    assert.equal((await chainOf(core, long.tenantId)).removed_to, null)
  })

  test('everybody’s records are still as they were sealed', async () => {
    for (const person of [usual, brief, long]) await assertValid(core, person)
  })

  test('a second night changes nothing', async () => {
    nextDay(core)
    await removeExpiredOf(core, usual.tenantId, brief.tenantId, long.tenantId)
    assert.deepEqual(await monthsOf(core, brief.tenantId), months(1, 3))
    assert.equal((await removalsOf(core, brief.tenantId)).length, 1)
    assert.deepEqual(await monthsOf(core, long.tenantId), months(1, 16))
  })

  test('a partition stays for as long as somebody keeps a record in it', async () => {
    await dropExpiredMonths(core)
    assert.deepEqual(
      (await partitionsOf(core)).filter((ago) => ago > 3),
      MONTHS.filter((ago) => ago > 3),
    )
  })

  test('who comes to keep less loses more, and then the partitions go', async () => {
    await keepFor(core, long.tenantId, 365)
    await removeExpiredOf(core, long.tenantId)
    await dropExpiredMonths(core)
    assert.deepEqual(await monthsOf(core, long.tenantId), months(1, 12))
    assert.deepEqual(
      (await partitionsOf(core)).filter((ago) => ago > 3),
      [4, 11, 12],
    )
  })

  test('who has come to keep more before the job runs loses nothing', async () => {
    await keepFor(core, usual.tenantId, 90)
    await runSchedule(core, findExpired)
    await keepFor(core, usual.tenantId, 365)
    await drainJobs(core.core, usual.tenantId)
    assert.deepEqual(await monthsOf(core, usual.tenantId), months(1, 12))
    assert.equal((await removalsOf(core, usual.tenantId)).length, 1)
  })
})

describe('a month that nobody keeps', () => {
  let core: TestCore
  let ada: Person
  let otto: Person
  before(async () => {
    core = await createRetentionCore()
    ada = await register(core)
    otto = await register(core)
    for (const { tenantId } of [ada, otto]) {
      await recordInMonths(core, tenantId, MONTHS)
      await sealMonths(core, tenantId)
    }
  })
  after(() => core.close())

  test('is given up first and stays whole', async () => {
    await removeExpiredOf(core, ada.tenantId)
    assert.deepEqual(await monthsOf(core, ada.tenantId), months(1, 16))
    assert.equal((await removalsOf(core, ada.tenantId))[0]?.new_values.records, 15)
    await assertValid(core, ada)
  })

  test('is not dropped before every tenant has given it up', async () => {
    await dropExpiredMonths(core)
    assert.deepEqual(await monthsOf(core, otto.tenantId), months(1, 16))
    assert.deepEqual(
      (await partitionsOf(core)).filter((ago) => ago > 11),
      [12, 13, 14, 16],
    )
  })

  test('goes on the next day record by record from those who gave it up, whoever did not', async () => {
    await core.core.db.systemQuery('delete from tenant_jobs where tenant_id = $1', [otto.tenantId])
    nextDay(core)
    await removeExpiredOf(core, ada.tenantId)
    assert.deepEqual(await monthsOf(core, ada.tenantId), months(1, 12))
    assert.equal((await removalsOf(core, ada.tenantId)).length, 1)
    assert.deepEqual(await monthsOf(core, otto.tenantId), months(1, 16))
  })

  test('is dropped once all have', async () => {
    await drainJobs(core.core, otto.tenantId)
    assert.deepEqual(await monthsOf(core, otto.tenantId), months(1, 16))
    await dropExpiredMonths(core)
    assert.deepEqual(
      (await partitionsOf(core)).filter((ago) => ago > 11),
      [12],
    )
    assert.deepEqual(await monthsOf(core, otto.tenantId), months(1, 12))
    assert.equal(core.logs.filter((line) => line.includes('could not be dropped')).length, 0)
    for (const person of [ada, otto]) await assertValid(core, person)
  })
})

describe('what is removed', () => {
  let core: TestCore
  before(async () => {
    core = await createRetentionCore()
  })
  after(() => core.close())

  test('is sealed for certain: the rest waits', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [13, 14])
    await removeExpiredOf(core, tenantId)
    assert.equal((await monthsOf(core, tenantId)).length, 2, 'not sealed at all')
    await sealAll(core, tenantId)
    await removeExpiredOf(core, tenantId)
    assert.equal((await removalsOf(core, tenantId)).length, 0, 'something older might come to light')
    await sealMonths(core, tenantId)
    await removeExpiredOf(core, tenantId)
    assert.equal((await removalsOf(core, tenantId)).length, 1)
  })

  test('is less when the tenant comes to keep more before its turn', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [5, 13])
    await sealMonths(core, tenantId)
    await keepFor(core, tenantId, 90)
    await runSchedule(core, findExpired)
    await keepFor(core, tenantId, 365)
    await drainJobs(core.core, tenantId)
    assert.deepEqual(
      (await removalsOf(core, tenantId)).map(({ new_values }) => new_values.records),
      [5],
    )
    assert.deepEqual((await monthsOf(core, tenantId))[0], [5, 5])
  })

  test('goes too where it lies outside of all months', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [30], { partitioned: false })
    await sealMonths(core, tenantId)
    await removeExpiredOf(core, tenantId)
    nextDay(core)
    await removeExpiredOf(core, tenantId)
    assert.deepEqual(await monthsOf(core, tenantId), [])
  })

  test('is removed over several runs when it is much', async () => {
    const { tenantId } = await register(core)
    await recordInMonths(core, tenantId, [20], { count: 2_500 })
    await sealMonths(core, tenantId)
    const [before, ctx] = [firstIdAt(core.clock.ms() - 400 * DAYS), contextOf(core.core, tenantId)]
    // A hundred times ten in a run.
    await removeRecords(ctx, { before, from: LEAST_ID }, 10)
    assert.deepEqual(await monthsOf(core, tenantId), [[20, 1_500]])
    await drainJobs(core.core, tenantId)
    assert.deepEqual(await monthsOf(core, tenantId), [])
    assert.equal((await removalsOf(core, tenantId))[0]?.new_values.records, 2_500)
  })

  test('leaves no block behind that sealed nothing else', async () => {
    const person = await register(core)
    const { tenantId } = person
    await recordInMonths(core, tenantId, [20, 19], { count: 1_500 })
    await sealMonths(core, tenantId)
    const heights = async () => (await blocksOf(core, tenantId)).map(({ height, kind }) => [Number(height), kind])
    assert.equal((await heights()).length, 4, 'three and a bit')
    await removeRecords(
      contextOf(core.core, tenantId),
      { before: firstIdAt(Date.parse(monthAgo(core, 19))), from: LEAST_ID },
      5_000,
    )
    // The second block has records of both months.
    assert.deepEqual(await heights(), [
      [2, 'records'],
      [3, 'records'],
      [4, 'records'],
      [5, 'removal'],
    ])
    await removeExpiredOf(core, tenantId)
    // And the last of them has records of today.
    assert.deepEqual((await heights()).slice(0, 2), [
      [4, 'records'],
      [5, 'removal'],
    ])
    await assertValid(core, person)
  })
})
