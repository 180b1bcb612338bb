import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { prepared, type Tx } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

describe('a prepared query', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [toy] })
  })
  after(() => test.close())

  it('is built once and filled in with the values of each call', async () => {
    let built = 0
    const find = prepared((tx: Tx, tenantId: string, name: string) => {
      built++
      return tx.selectFrom('toys').select('name').where('tenant_id', '=', tenantId).where('name', '=', name).limit(5)
    })
    const tenantId = builtinAuthForTests.tenant('a')
    for (const name of ['Ball', 'Kite']) {
      const made = await test.request('POST', '/api/v1/toys', { token: builtinAuthForTests.token('a'), body: { name } })
      assert.equal(made.status, 201)
    }
    const read = (name: string) => test.core.run(({ tx }) => find(tx, tenantId, name), { tenantId, readOnly: true })
    assert.deepEqual(await read('Ball'), [{ name: 'Ball' }])
    assert.deepEqual(await read('Kite'), [{ name: 'Kite' }])
    assert.deepEqual(await read('Rope'), [])
    assert.equal(built, 1)
  })

  it('is refused when a value of it did not become a parameter', async () => {
    const find = prepared((tx: Tx, tenantId: string, _name: string) =>
      tx.selectFrom('toys').select('name').where('tenant_id', '=', tenantId),
    )
    const tenantId = builtinAuthForTests.tenant('a')
    await assert.rejects(
      test.core.run(({ tx }) => find(tx, tenantId, 'Ball'), { tenantId }),
      /Value 2 of a prepared query is no parameter of it/,
    )
  })
})
