import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { until } from '../src/testing/until.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

describe('a kernel with one toy module and no built-in one', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [toy] })
  })
  after(() => test.close())

  it('answers a route of the toy module in its tenant', async () => {
    const token = builtinAuthForTests.token('a')
    const made = await test.request('POST', '/api/v1/toys', { token, body: { name: 'Ball' } })
    assert.equal(made.status, 201, made.text)
    assert.equal(made.headers.location, `/api/v1/toys/${made.body.id}`)
    const found = await test.request('GET', `/api/v1/toys/${made.body.id}`, { token })
    assert.deepEqual(found.body, made.body)
    const other = await test.request('GET', `/api/v1/toys/${made.body.id}`, { token: builtinAuthForTests.token('b') })
    assert.equal(other.status, 404)
  })

  it('pages through a list without repeating or skipping, while rows arrive', async () => {
    const token = builtinAuthForTests.token('c')
    const names = new Set<string>()
    for (let i = 0; i < 25; i++) await test.request('POST', '/api/v1/toys', { token, body: { name: `toy ${i}` } })
    let cursor: string | null = null
    do {
      const query: string = cursor ? `?limit=10&cursor=${cursor}` : '?limit=10'
      const page = await test.request('GET', `/api/v1/toys${query}`, { token })
      assert.equal(page.status, 200, page.text)
      for (const toyRow of page.body.data) {
        assert.ok(!names.has(toyRow.name))
        names.add(toyRow.name)
      }
      await test.request('POST', '/api/v1/toys', { token, body: { name: `late ${names.size}` } })
      cursor = page.body.next_cursor
    } while (cursor)
    assert.equal(names.size, 25)
  })

  it('records an event with the row, and runs its listener after commit', async () => {
    const token = builtinAuthForTests.token('d')
    const made = await test.request('POST', '/api/v1/toys', { token, body: { name: 'Kite' } })
    const rows = await test.core.db.systemQuery('select * from audit_logs where resource_id = $1', [made.body.id])
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.action, 'toy.created')
    await test.core.startWorker()
    const found = () => test.request('GET', `/api/v1/toys/${made.body.id}`, { token })
    await until('the listener ran', async () => (await found()).body.noticed)
  })

  it('makes one object of 20 parallel requests with one Idempotency-Key', async () => {
    const token = builtinAuthForTests.token('e')
    const send = () =>
      test.request('POST', '/api/v1/toys', { token, body: { name: 'Once' }, headers: { 'idempotency-key': '"one"' } })
    const answers = await Promise.all(Array.from({ length: 20 }, send))
    const made = answers.filter(({ status }) => status === 201)
    assert.ok(made.length >= 1)
    assert.equal(new Set(made.map(({ body }) => body.id)).size, 1)
    assert.ok(answers.every(({ status }) => status === 201 || status === 409))
    const again = await send()
    assert.equal(again.headers['idempotent-replayed'], 'true')
    assert.deepEqual(again.body, made[0]?.body)
    const list = await test.request('GET', '/api/v1/toys', { token })
    assert.equal(list.body.data.length, 1)
    const other = await test.request('POST', '/api/v1/toys', {
      token,
      body: { name: 'Two' },
      headers: { 'idempotency-key': 'one' },
    })
    assert.equal(other.body.code, 'idempotency_key_reused')
  })

  it('names every wrong field at once', async () => {
    const token = builtinAuthForTests.token('f')
    const answer = await test.request('POST', '/api/v1/toys?x=1', {
      token,
      body: { name: 5, more: true },
      headers: { 'x-store-id': 'zz' },
    })
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '#/more',
      '#/name',
      'headers/x-store-id',
      'query/x',
    ])
  })
})
