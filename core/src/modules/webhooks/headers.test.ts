import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { MINUTES } from '#kernel'
import { createSecretBox } from '../../kernel/secrets.ts'
import type { TestCore } from '../../testing/index.ts'
import {
  asSuperuser,
  createOwner,
  createWebhooksCore,
  type Owner,
  type Receiver,
  startReceiver,
} from './webhooks.fixture.ts'

let core: TestCore
let receiver: Receiver
let owner: Owner
before(async () => {
  core = await createWebhooksCore()
})
after(() => core?.close())
beforeEach(async () => {
  receiver = await startReceiver()
  owner = await createOwner(core)
})
afterEach(() => receiver?.close())

const change = (id: string, headers: object) => owner.send('PUT', `/webhooks/${id}`, { headers })

/** Of the headers of the next request, those that a webhook may have. */
async function next(): Promise<Record<string, unknown>> {
  const before = receiver.received.length
  await owner.openStore()
  await owner.drain()
  const { headers } = receiver.received[before] ?? assert.fail('nothing came')
  return Object.fromEntries(Object.entries(headers).filter(([name]) => /^(?:x-|authorization)/.test(name)))
}

describe('a header', () => {
  test('comes with each request, and its value is not shown', async () => {
    const headers = { Authorization: 'Bearer hidden-value', 'X-Shop': 'a b' }
    const { id, headers: made } = await owner.addWebhook(receiver.url, { headers })
    const masked = { Authorization: '***', 'X-Shop': '***' }
    assert.deepEqual(made, masked)
    for (let round = 0; round < 2; round++)
      assert.deepEqual(await next(), { authorization: 'Bearer hidden-value', 'x-shop': 'a b' })
    const { data } = await owner.send('GET', '/webhooks')
    const shown = [await owner.look(id), data[0], await owner.send('PUT', `/webhooks/${id}`, { description: 'x' })]
    assert.deepEqual(
      shown.map((each) => each.headers),
      [masked, masked, masked],
    )
  })

  test('is sealed for its webhook', async () => {
    const { id } = await owner.addWebhook(receiver.url, { headers: { 'X-Key': 'hidden-value' } })
    const [row] = await asSuperuser<{ headers: string }>(core, 'select * from webhooks where id = $1', [id])
    assert.ok(row && !JSON.stringify(row).includes('hidden-value'))
    assert.equal(core.core.secrets.openText(row.headers, `webhook_headers:${id}`), '{"X-Key":"hidden-value"}')
    assert.throws(() => core.core.secrets.openText(row.headers, `webhook_headers:${owner.tenantId}`))
  })

  test('is changed without the others, and null takes it away', async () => {
    const { id } = await owner.addWebhook(receiver.url, { headers: { 'X-One': '1', 'X-Two': '2' } })
    assert.deepEqual((await change(id, { 'x-TWO': '22', 'X-Three': '3' })).headers, {
      'X-One': '***',
      'x-TWO': '***',
      'X-Three': '***',
    })
    assert.deepEqual(await next(), { 'x-one': '1', 'x-two': '22', 'x-three': '3' })
    await change(id, {})
    await change(id, { 'X-Nowhere': null })
    assert.deepEqual((await change(id, { 'x-one': null })).headers, { 'x-TWO': '***', 'X-Three': '***' })
    assert.deepEqual(await next(), { 'x-two': '22', 'x-three': '3' })
    assert.deepEqual((await change(id, { 'X-Two': null, 'X-Three': null })).headers, {})
    assert.deepEqual(await next(), {})
    const [row] = await asSuperuser(core, 'select headers from webhooks where id = $1', [id])
    assert.equal(row?.headers, null)
  })

  test('may not be one of HTTP or of the signature, in whatever case', async () => {
    const names =
      'Host CONTENT-LENGTH content-type Transfer-Encoding connection Keep-Alive upgrade TE Trailer Expect User-Agent Accept-Encoding Cookie webhook-id WEBHOOK-Signature Webhook-Timestamp webhook-anything Proxy-Authorization X-Forwarded-For sec-fetch-mode :path'
    const { id } = await owner.addWebhook(receiver.url)
    for (const name of [...names.split(' '), 'a b', 'a:', '', 'ä', 'X\n', 'a/b', `x${'y'.repeat(100)}`])
      for (const send of [
        () => owner.post('/webhooks', { url: receiver.url, events: ['*'], headers: { [name]: 'x' } }),
        () => owner.put(`/webhooks/${id}`, { headers: { [name]: 'x' } }),
      ]) {
        const { status, body } = await send()
        const pointers = body.errors?.map((each: { pointer: string }) => each.pointer)
        const place = encodeURIComponent(name.replaceAll('/', '~1'))
        assert.equal(status, 400, name)
        assert.equal(pointers.length, 1, name)
        assert.match(pointers[0], /^#\/headers\//, place)
      }
    assert.deepEqual((await owner.look(id)).headers, {})
  })

  test('has a value that a header can have', async () => {
    for (const value of ['', ' x', 'x ', 'a\r\nX-Evil: 1', 'a\nb', 'a\0', 'ü', 'x'.repeat(4097), 1, true, ['a']]) {
      const body = { url: receiver.url, events: ['*'], headers: { 'X-Key': value } }
      const answer = await owner.post('/webhooks', body)
      assert.deepEqual([answer.status, answer.body.errors?.[0]?.pointer], [400, '#/headers/X-Key'], String(value))
    }
    const twice = { url: receiver.url, events: ['*'], headers: { 'X-Key': '1', 'x-key': '2' } }
    assert.equal((await owner.post('/webhooks', twice)).body.errors[0].pointer, '#/headers/x-key')
  })

  test('is one of twenty, with 8 KiB together', async () => {
    const many = (count: number, from = 0) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${from + index}`, '1']))
    const wide = { 'X-A': 'a'.repeat(4096), 'X-B': 'b'.repeat(4096) }
    const { id } = await owner.addWebhook(receiver.url, { headers: many(20) })
    assert.equal(Object.keys(await next()).length, 20)
    for (const headers of [many(21), wide]) {
      const { status, body } = await owner.post('/webhooks', { url: receiver.url, events: ['*'], headers })
      assert.deepEqual([status, body.errors[0].pointer], [400, '#/headers'])
    }
    const cleared = Object.fromEntries(Object.keys(many(20)).map((name) => [name, null]))
    for (const headers of [many(1, 20), many(21), { ...cleared, ...wide }]) {
      const { status, body } = await owner.put(`/webhooks/${id}`, { headers })
      assert.deepEqual([status, body.errors[0].pointer], [400, '#/headers'])
    }
    assert.equal(Object.keys((await owner.look(id)).headers).length, 20)
  })
})

describe('headers that cannot be opened any more', () => {
  /** As after another APP_SECRET took the place of the one that they were sealed with. */
  async function lose(id: string): Promise<void> {
    const sealed = createSecretBox(`another-${'x'.repeat(40)}`).seal('{"X-Key":"old"}', `webhook_headers:${id}`)
    await asSuperuser(core, 'update webhooks set headers = $2 where id = $1', [id, sealed])
  }

  for (const [name, headers, sent] of [
    ['all of them anew', { 'X-Other': 'new' }, { 'x-other': 'new' }],
    ['none', { 'X-Key': null }, {}],
  ] as const)
    test(`make attempts fail until there are ${name}`, async () => {
      const { id } = await owner.addWebhook(receiver.url, { headers: { 'X-Key': 'old' } })
      await lose(id)
      await owner.openStore()
      await owner.drain()
      const { attempts, status } = await owner.newest(id)
      assert.deepEqual([attempts.length, status, receiver.received.length], [1, 'pending', 0])
      assert.equal(attempts[0].error, 'The headers cannot be read any more: set them anew')
      await change(id, headers)
      core.clock.advance(MINUTES)
      assert.deepEqual(await next(), sent)
      assert.equal((await owner.newest(id)).status, 'delivered')
      assert.equal((await owner.look(id)).last_error, null)
    })
})
