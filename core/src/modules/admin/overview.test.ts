import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { addPrivatePlan, operatorsOf } from './admin.fixture.ts'

let test: TestCore
let operator: TestPerson
before(async () => {
  test = await createTestCore()
  operator = (await operatorsOf(test)).support
})
after(() => test?.close())

const read = async () => (await operator.get('/admin/overview')).body
const day = () => test.clock.now().slice(0, 10)

describe('the overview', () => {
  it('counts tenants by status, people, and those founded on each of the last 30 days', async () => {
    const before = await read()
    assert.equal(before.signups.length, 30)
    const [one, two] = [await test.foundTenant(), await test.foundTenant()]
    const founded = day()
    await operator.get('/admin/tenants')
    const { operations } = await operatorsOf(test)
    assert.equal((await operations.post(`/admin/tenants/${one.id}/suspend`, { reason: 'Unpaid' })).status, 200)
    await test.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [two.id])
    const now = await read()
    assert.deepEqual(now.tenants, { active: before.tenants.active, suspended: 1, deleted: 1 })
    assert.ok(now.users >= before.users + 2)
    const counts = new Map(now.signups.map(({ date, count }: { date: string; count: number }) => [date, count]))
    assert.equal(counts.get(founded), 2)
    const dates = now.signups.map(({ date }: { date: string }) => date)
    assert.deepEqual(dates, dates.toSorted())
    assert.equal(dates.at(-1), day())
    test.clock.advance(31 * DAYS)
    const later = await read()
    assert.equal(
      later.signups.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
      0,
    )
  })

  it('has what is paid in a month, by currency: a year by its twelfth, trials and the deleted not at all', async () => {
    const before = await read()
    const usd = (list: { currency: string; cents: number }[]) =>
      list.find(({ currency }) => currency === 'USD')?.cents ?? 0
    await addPrivatePlan(test, 'yearly-eur', { price_cents: 100_000, currency: 'EUR', interval: 'year' })
    await test.foundTenant()
    for (const plan of ['starter', 'business', 'yearly-eur', 'yearly-eur']) await test.foundTenant({ plan })
    const gone = await test.foundTenant({ plan: 'business' })
    await test.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [gone.id])
    const { mrr } = await read()
    assert.equal(usd(mrr) - usd(before.mrr), 2_900 + 9_900)
    assert.deepEqual(
      mrr.find(({ currency }: { currency: string }) => currency === 'EUR'),
      { currency: 'EUR', cents: 16_667 },
    )
  })

  it('has the bytes of all files and the jobs that were given up', async () => {
    const before = await read()
    const tenants = [await test.foundTenant(), await test.foundTenant()]
    for (const { owner } of tenants) {
      const form = { fields: {}, file: { name: 'a.txt', content: 'twelve bytes' } }
      assert.equal((await owner.request('POST', '/files', { form })).status, 201)
    }
    const job = ['nobody.knows', '{}', '{}', 'failed', 3, test.clock.now()]
    await test.core.db.systemQuery(
      'insert into tenant_jobs (tenant_id, id, task, payload, origin, status, max_attempts, run_at, created_at) values ($7, $8, $1, $2, $3, $4, $5, $6, $6) returning id',
      [...job, tenants[0]?.id, newId()],
    )
    await test.core.db.systemQuery(
      'insert into system_jobs (id, task, payload, origin, status, max_attempts, run_at, created_at) values ($7, $1, $2, $3, $4, $5, $6, $6) returning id',
      [...job, newId()],
    )
    const now = await read()
    assert.deepEqual([now.storage_bytes - before.storage_bytes, now.failed_jobs - before.failed_jobs], [24, 2])
  })
})
