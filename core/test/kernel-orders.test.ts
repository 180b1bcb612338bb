import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { newId } from '#kernel'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { SEED } from '../src/testing/seed.ts'
import { tills } from './till-module.ts'

interface Till {
  id: string
  coins: number
  counted_at: string | null
}

let test: TestCore
let owner: Person
before(async () => {
  test = await createTestCore({
    modules: [...builtinModules.filter(({ name }) => name !== 'subscriptions' && name !== 'admin'), tills],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
  owner = await register(test)
})
after(() => test?.close())

async function openStore(rows: readonly Omit<Till, 'id'>[]): Promise<{ storeId: string; all: Till[] }> {
  const name = newId()
  const storeId = (await test.request('POST', '/api/v1/stores', { token: owner.token, body: { name } })).body.id
  const now = test.clock.now()
  const all = rows.map(({ coins, counted_at }) => ({ id: newId(), coins, counted_at }))
  if (all.length > 0)
    await test.core.run(
      async (ctx) => {
        const row = { tenant_id: ctx.tenantId, store_id: storeId, created_at: now, updated_at: now }
        await ctx.tx
          .insertInto('tills')
          .values(all.map((till) => ({ ...row, ...till, label: till.id })))
          .execute()
      },
      { tenantId: owner.tenantId },
    )
  return { storeId, all }
}

async function readAll(storeId: string, order: string, limit: number): Promise<Till[]> {
  const rows: Till[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({ store_id: storeId, order, limit: String(limit), ...(cursor ? { cursor } : {}) })
    const { status, body, text } = await test.request('GET', `/api/v1/tills?${query}`, { token: owner.token })
    assert.equal(status, 200, text)
    rows.push(...body.data)
    cursor = body.next_cursor
  } while (cursor)
  return rows
}

/** The whole list, sorted without pages. Null is greater than everything. */
function sorted(rows: readonly Till[], order: string): Till[] {
  const columns = order.split(',').map((each) => each.replace('!', '').split(' '))
  return rows.toSorted((a, b) => {
    for (const [name = '', direction] of columns) {
      const sign = direction === 'asc' ? 1 : -1
      const [x, y] = [a, b].map((row) => new Map<string, string | number | null>(Object.entries(row)).get(name) ?? null)
      if (x === y) continue
      if (x === null || x === undefined) return sign
      if (y === null || y === undefined) return -sign
      return x < y ? -sign : sign
    }
    return 0
  })
}

describe('a list in any order', () => {
  const direction = fc.constantFrom('asc', 'desc')
  const time = fc.option(
    fc.nat(3).map((day) => `2026-01-0${day + 1}T00:00:00.000Z`),
    { nil: null },
  )
  const rows = fc.array(fc.record({ coins: fc.nat(3), counted_at: time }), { maxLength: 14 })
  const never = fc.constantFrom('', '!')

  it('read page by page is the same as sorted whole, nulls and all', async () => {
    const property = fc.asyncProperty(
      rows,
      fc.shuffledSubarray(['coins', 'counted_at']),
      fc.array(direction, { minLength: 3, maxLength: 3 }),
      fc.array(never, { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 5 }),
      async (given, columns, directions, marks, limit) => {
        const { storeId, all } = await openStore(given)
        const order = [...columns, 'id']
          .map((name, at) => `${name} ${directions[at]}${name === 'counted_at' ? '' : marks[at]}`)
          .join(',')
        const found = await readAll(storeId, order, limit)
        assert.deepEqual(
          found.map(({ id }) => id),
          sorted(all, order).map(({ id }) => id),
          order,
        )
      },
    )
    await fc.assert(property, { numRuns: 80, seed: SEED })
  })

  it('fails rather than skips when a column that is never null is', async () => {
    const { storeId } = await openStore([
      { coins: 1, counted_at: null },
      { coins: 2, counted_at: null },
    ])
    const query = new URLSearchParams({ store_id: storeId, order: 'counted_at asc!,id asc', limit: '1' })
    assert.equal((await test.request('GET', `/api/v1/tills?${query}`, { token: owner.token })).status, 500)
  })
})
