import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { columnsOf, pickFields } from './fields.ts'
import { Closed, Nullable, OneOf, Patch, Type, Uuid } from './index.ts'

interface Tables {
  shops: { id: string; name: string; status: 'open' | 'shut'; secret: string }
}
const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})
const Shop = Closed({ id: Uuid, name: Type.String(), status: OneOf(['open', 'shut']) })
const row = { id: '1', name: 'Harbour', status: 'open' as const, secret: 'x' }

describe('the fields of a schema', () => {
  it('are the columns that a query selects, and type its rows', async () => {
    const query = db.selectFrom('shops').select(columnsOf(Shop))
    assert.equal(query.compile().sql, 'select "id", "name", "status" from "shops"')
    const rows: Type.Static<typeof Shop>[] = await query.execute()
    assert.deepEqual(rows, [])
    // @ts-expect-error the table has no such column
    db.selectFrom('shops').select(columnsOf(Closed({ colour: Type.String() })))
    // @ts-expect-error what was not selected is not in the row
    assert.equal((await query.execute())[0]?.secret, undefined)
  })

  it('are all that is picked of a row, and a row without one of them does not compile', () => {
    assert.deepEqual(pickFields(Shop, row), { id: '1', name: 'Harbour', status: 'open' })
    const { name, ...nameless } = row
    // @ts-expect-error it has no name
    assert.equal('name' in pickFields(Shop, nameless), false, name)
    // @ts-expect-error no shop has this status
    pickFields(Shop, { ...row, status: 'sold' })
  })

  it('may each be left out of a patch, which takes nothing else', () => {
    const patch = Patch({ name: Type.String(), phone: Nullable(Type.String()) }, { title: 'ShopPatch' })
    const { required, additionalProperties, title } = JSON.parse(JSON.stringify(patch))
    assert.deepEqual([required, additionalProperties, title], [undefined, false, 'ShopPatch'])
    const given: Type.Static<typeof patch>[] = [{}, { name: 'A' }, { phone: null }]
    // @ts-expect-error no patch of a shop has a colour
    given.push({ colour: 'red' })
    assert.equal(given.length, 4)
  })
})
