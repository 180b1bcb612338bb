import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Ctx,
  defineModule,
  defineRoute,
  ListQuery,
  Page,
  page,
  prepared,
  preparedList,
  type Tx,
  Type,
} from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { builtinAuthForTests, Toy, toy } from './toy-module.ts'

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

describe('a prepared list', () => {
  let built = 0
  const listToys = preparedList((tx, tenantId, { name }: { name?: string }) => {
    built++
    const toys = tx.selectFrom('toys').selectAll().where('tenant_id', '=', tenantId)
    return name === undefined ? toys : toys.where('name', '=', name)
  })
  let calls = 0
  const listMoodily = preparedList((tx, tenantId) =>
    tx.selectFrom('toys').selectAll().where('tenant_id', '=', tenantId).where('name', '<', `${calls++}`),
  )
  const box = (path: `/${string}`, direction: 'asc' | 'desc', list: typeof listToys = listToys) =>
    defineRoute({
      method: 'GET',
      path,
      summary: 'List what is in the box',
      access: { permission: 'toy.view' },
      query: ListQuery({ name: Type.Optional(Type.String({ description: 'Its name' })) }),
      response: { 200: Page(Toy) },
      handler: (ctx: Ctx, { query }) =>
        page(ctx, list(ctx.tx, ctx.tenantId, query), {
          by: [{ column: 'id', as: 'id', direction, notNull: true }],
        }),
    })
  const boxes = defineModule({
    name: 'boxes',
    dependsOn: [toy],
    routes: [box('/box', 'desc'), box('/old-box', 'asc'), box('/moody', 'desc', listMoodily)],
  })
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [toy, boxes] })
    for (const who of ['a', 'b'])
      for (const name of ['Ball', 'Kite', 'Rope', 'Ball'])
        await test.request('POST', '/api/v1/toys', { token: builtinAuthForTests.token(who), body: { name } })
  })
  after(() => test.close())

  const read = async (who: string, query = '', path = 'box') => {
    const answer = await test.request('GET', `/api/v1/${path}${query}`, { token: builtinAuthForTests.token(who) })
    assert.equal(answer.status, 200, answer.text)
    const data: { tenant_id: string; name: string }[] = answer.body.data
    for (const { tenant_id } of data) assert.equal(tenant_id, builtinAuthForTests.tenant(who))
    return { names: data.map(({ name }) => name).join(), next: answer.body.next_cursor }
  }

  it('is built once for each form of its pages, whoever asks and for however many rows', async () => {
    built = 0
    for (const who of ['a', 'b', 'a']) {
      const first = await read(who, '?limit=3')
      assert.equal(first.names, 'Ball,Rope,Kite')
      assert.equal((await read(who, `?limit=2&cursor=${first.next}`)).names, 'Ball')
      assert.equal((await read(who)).names, 'Ball,Rope,Kite,Ball')
    }
    assert.equal(built, 4, 'each form once, and once more to see that it is the same')
  })

  it('is refused when it depends on more than the tenant', async () => {
    assert.equal((await read('a', '', 'moody')).names, '')
    const again = await test.request('GET', '/api/v1/moody', { token: builtinAuthForTests.token('b') })
    assert.equal(again.status, 500)
    assert.ok(test.logs.some((line) => line.includes('A prepared list changes without a filter')))
  })

  it('is in the order that each of its users asks for', async () => {
    assert.equal((await read('b', '?limit=2')).names, 'Ball,Rope')
    const old = await read('b', '?limit=2', 'old-box')
    assert.equal(old.names, 'Ball,Kite')
    assert.equal((await read('b', `?limit=2&cursor=${old.next}`, 'old-box')).names, 'Rope,Ball')
  })

  it('is built anew for a filter, which the unfiltered one never takes over', async () => {
    for (const name of ['Kite', 'Rope']) assert.equal((await read('a', `?name=${name}`)).names, name)
    assert.equal((await read('a', '?name=Nothing')).names, '')
    const ball = await read('b', '?name=Ball&limit=1')
    assert.equal((await read('b', `?name=Ball&limit=1&cursor=${ball.next}`)).names, 'Ball')
    assert.equal((await read('a')).names, 'Ball,Rope,Kite,Ball')
  })
})
