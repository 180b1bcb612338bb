import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { newId } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { SEED } from '../src/testing/seed.ts'
import { inTenant, probe, tenantOf, tokenOf } from './probe-module.ts'

interface Row {
  id: string
  at: number
  label: string
}

describe('a list read page by page', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe] })
  })
  after(() => test.close())

  const iso = (at: number) => new Date(Date.UTC(2026, 0, 1) + at).toISOString()
  const insert = (tenant: string, rows: Row[]) =>
    inTenant(test.core, tenant, async ({ tx, tenantId }) => {
      const values = rows.map(({ id, at, label }) => ({
        tenant_id: tenantId,
        id,
        label,
        created_at: iso(at),
        updated_at: iso(at),
      }))
      if (values.length > 0) await tx.insertInto('probes').values(values).execute()
    })
  const remove = (tenant: string, ids: string[]) =>
    inTenant(test.core, tenant, async ({ tx, tenantId }) => {
      if (ids.length > 0)
        await tx.deleteFrom('probes').where('tenant_id', '=', tenantId).where('id', 'in', ids).execute()
    })
  const get = (tenant: string, query: string, path = 'probes', user = 'anna') =>
    test.request('GET', `/api/v1/${path}?${query}`, { token: tokenOf(tenant, user) })

  it('neither repeats nor skips a row that survives, while others come and go', async () => {
    let runs = 0
    // Few distinct times, so that many rows share one.
    const time = fc.integer({ min: 0, max: 6 })
    const step = fc.record({ add: fc.array(time, { maxLength: 3 }), remove: fc.array(fc.nat(40), { maxLength: 3 }) })
    const property = fc.asyncProperty(
      fc.array(time, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(step, { maxLength: 8 }),
      async (times, limit, steps) => {
        const tenant = `p${runs++}`
        const initial = times.map((at) => ({ id: newId(), at, label: 'x' }))
        await insert(tenant, initial)
        const gone = new Set<string>()
        const seen: { id: string; created_at: string }[] = []
        let cursor: string | null = null
        do {
          const page = await get(tenant, `limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`)
          assert.equal(page.status, 200, page.text)
          assert.ok(page.body.data.length <= limit)
          seen.push(...page.body.data)
          cursor = page.body.next_cursor
          const { add, remove: picks } = steps.shift() ?? { add: [], remove: [] }
          await insert(
            tenant,
            add.map((at) => ({ id: newId(), at, label: 'x' })),
          )
          const ids = picks.flatMap((pick) => initial[pick]?.id ?? [])
          for (const id of ids) gone.add(id)
          await remove(tenant, ids)
        } while (cursor)
        assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length, 'a row was repeated')
        for (const { id } of initial) assert.ok(gone.has(id) || seen.some((row) => row.id === id), 'a row was skipped')
        const order = seen.map(({ created_at, id }) => `${created_at} ${id}`)
        assert.deepEqual(order, [...order].sort().reverse(), 'newest first')
      },
    )
    await fc.assert(property, { numRuns: 40, seed: SEED })
  })

  it('ends with a page that is exactly full', async () => {
    await insert(
      'full',
      Array.from({ length: 10 }, (_, at) => ({ id: newId(), at, label: 'x' })),
    )
    const first = await get('full', 'limit=5')
    const second = await get('full', `limit=5&cursor=${first.body.next_cursor}`)
    assert.deepEqual([first.body.data.length, second.body.data.length, second.body.next_cursor], [5, 5, null])
    assert.deepEqual((await get('none', 'limit=5')).body, { data: [], next_cursor: null })
  })

  it('refuses the cursor of another list, filter, tenant or person, and one that was touched', async () => {
    for (const tenant of ['mine', 'yours'])
      await insert(
        tenant,
        Array.from({ length: 10 }, (_, at) => ({ id: newId(), at, label: 'x' })),
      )
    const { next_cursor: cursor } = (await get('mine', 'limit=3')).body
    assert.equal((await get('mine', `limit=4&cursor=${cursor}`)).status, 200, 'the size of a page may change')
    const refused = [
      await get('mine', `cursor=${cursor}`, 'other-probes'),
      await get('mine', `label=x&cursor=${cursor}`),
      await get('yours', `cursor=${cursor}`),
      await get('mine', `cursor=${cursor}`, 'probes', 'bert'),
      await get('mine', `cursor=${cursor.slice(0, -1)}`),
      await get('mine', `cursor=${cursor.slice(0, 10)}`),
      await get('mine', `cursor=${cursor}A`),
      await get('mine', 'cursor=x'),
      await get('mine', 'cursor='),
      await get('mine', `cursor=${'x'.repeat(600)}`),
      await get('mine', `cursor=${cursor}&cursor=${cursor}`),
      await get('mine', 'cursor=%00'),
      await get('mine', `cursor=${encodeURIComponent('%00é')}`),
      await get('mine', `cursor=${Buffer.from(JSON.stringify([iso(3), tenantOf('x')])).toString('base64url')}`),
    ]
    for (const [index, answer] of refused.entries())
      assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_cursor'], `no. ${index}`)
    for (let at = 0; at < cursor.length; at++) {
      const flipped = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1)
      if (Buffer.from(flipped, 'base64url').equals(Buffer.from(cursor, 'base64url'))) continue
      assert.equal((await get('mine', `cursor=${flipped}`)).body.code, 'invalid_cursor', `character ${at}`)
    }
  })
})
