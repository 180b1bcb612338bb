import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely'
import { columnIn } from './query-column.ts'
import { StoreSight } from './store-scope.ts'

interface Row {
  id: string
  store_id: string
}
const db = new Kysely<Record<'leases' | 'flats' | 'people', Row>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (given) => new PostgresIntrospector(given),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})
const column = (query: object) => columnIn(query, 'leases.store_id')

test('the rows of a route are found wherever a query reads their table', () => {
  const leases = db.selectFrom('leases').select('id')
  for (const query of [
    leases,
    db.selectFrom(['flats', 'leases']).select('flats.id'),
    db.selectFrom('flats').innerJoin('leases', 'leases.id', 'flats.id').selectAll(),
    db.selectFrom('leases as first').innerJoin('leases', 'leases.id', 'first.id').selectAll(),
    db.selectFrom(db.selectFrom('leases').selectAll().as('leases')).selectAll(),
    db
      .with('leases', (cte) => cte.selectFrom('flats').selectAll())
      .selectFrom('leases')
      .selectAll(),
    db.selectFrom(sql<Row>`(select * from leases)`.as('leases')).selectAll(),
    db.updateTable('leases').set({ id: 'x' }),
    db.updateTable('flats').from('leases').set({ id: 'x' }),
    db.deleteFrom('leases'),
    db.deleteFrom('flats').using('leases'),
  ])
    assert.equal(column(query), 'leases.store_id')
})

test('under an alias they are named by it', () => {
  assert.equal(column(db.selectFrom('leases as l').selectAll()), 'l.store_id')
  const joined = db.selectFrom('flats as f').leftJoin('leases as l', 'l.id', 'f.id').selectAll()
  assert.equal(column(joined), 'l.store_id')
  assert.equal(column(db.updateTable('leases as l').set({ id: 'x' })), 'l.store_id')
  const narrowed = new StoreSight(['s'], 'lease.view', 'leases.store_id').narrow(joined)
  assert.match(narrowed.compile().sql, /where "l"\."store_id" = any\(\$1::uuid\[\]\)$/)
})

test('a query that does not read their table is refused to everybody', () => {
  const says =
    "This route's rows are leases.store_id, and the query does not read leases: use ctx.requireStore(row.store_id) for rows of other tables"
  const flats = db.selectFrom('flats').selectAll()
  for (const stores of [null, ['s']]) {
    const sight = new StoreSight(stores, 'lease.view', 'leases.store_id')
    for (const query of [
      flats,
      db.selectFrom('people as leaseholders').innerJoin('flats', 'flats.id', 'leaseholders.id').selectAll(),
      flats.where('id', 'in', db.selectFrom('leases').select('id')),
      db.selectFrom(db.selectFrom('leases').selectAll().as('inner')).selectAll(),
      db.updateTable('flats').set({ id: 'x' }),
      db.deleteFrom('flats'),
    ])
      assert.throws(() => sight.narrow(query), { message: says })
  }
})

test('a table that is read twice under aliases leaves open which rows are meant', () => {
  const twice = db.selectFrom('leases as a').innerJoin('leases as b', 'a.id', 'b.id').selectAll()
  assert.throws(() => column(twice), /the query reads leases twice: give `rows` as SQL$/)
})
