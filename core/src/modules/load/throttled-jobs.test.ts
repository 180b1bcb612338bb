import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestCore, TestPerson, TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { atOnce, createCounting, inner, outer } from './load.fixture.ts'

let first: TestCore
let second: TestCore
let operator: TestPerson
before(async () => {
  first = await createCounting({ worker: true })
  second = await createCounting({ worker: true, database: first.database })
  operator = await first.addOperator(['operations'])
})
after(async () => {
  await second?.close()
  await first?.close()
})

/** Has ten jobs run, of both kinds; how many did so at once at most. */
async function work({ id, run }: TestTenant): Promise<number> {
  atOnce.delete(id)
  for (let i = 0; i < 10; i++) await run((ctx) => ctx.enqueue(i % 2 ? inner : outer, {}))
  await until('all are done', () => atOnce.get(id)?.done === 10)
  return atOnce.get(id)?.most ?? 0
}

describe('the jobs of a throttled tenant', () => {
  it('run one at a time over all processes, none is lost, and side by side again afterwards', async () => {
    const tenant = await first.foundTenant()
    const body = { requests_per_minute: 1_000, reason: 'Too many jobs' }
    assert.equal((await operator.post(`/admin/tenants/${tenant.id}/throttle`, body)).status, 200)
    // Who has just been asked about the tenant may not have heard yet.
    const { id } = tenant
    await until('both know', async () => (await first.core.throttled.has(id)) && (await second.core.throttled.has(id)))
    assert.equal(await work(tenant), 1)
    const claims = () => first.core.db.systemQuery("select name from runs where name like 'throttled %'")
    await until('nobody claims it', async () => (await claims()).length === 0)
    assert.equal((await operator.delete(`/admin/tenants/${id}/throttle`)).status, 204)
    await until(
      'both know',
      async () => !(await first.core.throttled.has(id)) && !(await second.core.throttled.has(id)),
    )
    assert.ok((await work(tenant)) > 1)
  })

  it('of one kind do not keep those of the other waiting to the end', async () => {
    const tenant = await first.foundTenant()
    const body = { requests_per_minute: 1_000, reason: 'Too many jobs' }
    assert.equal((await operator.post(`/admin/tenants/${tenant.id}/throttle`, body)).status, 200)
    const { id } = tenant
    await until('both know', async () => (await first.core.throttled.has(id)) && (await second.core.throttled.has(id)))
    const left = async ({ name }: { name: string }) => {
      const sql = 'select count(*)::int as rows from tenant_jobs where tenant_id = $1 and task = $2'
      return (await first.core.db.systemQuery<{ rows: number }>(sql, [id, name]))[0]?.rows
    }
    await tenant.run(async (ctx) => {
      for (let i = 0; i < 60; i++) await ctx.enqueue(inner, {})
    })
    await until('the first of them runs', () => atOnce.has(id))
    await tenant.run((ctx) => ctx.enqueue(outer, {}))
    await until('the other one is done', async () => (await left(outer)) === 0)
    assert.notEqual(await left(inner), 0)
    await until('all are done', () => atOnce.get(id)?.done === 61)
    assert.equal(atOnce.get(id)?.most, 1)
  })
})
