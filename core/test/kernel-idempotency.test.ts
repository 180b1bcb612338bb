import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { conflict, HOURS, MINUTES } from '#kernel'
import { noGrounds } from '../src/kernel/access/grounds.ts'
import { createContext, noOrigin, systemActor } from '../src/kernel/create-context.ts'
import { claimKey, type KeptAnswer } from '../src/kernel/http/idempotency.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, countProbes, probe, tenantOf, tokenOf, until } from './probe-module.ts'

describe('an Idempotency-Key', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe] })
  })
  after(() => test.close())
  afterEach(() => {
    behaviour.route = undefined
    test.clock.start()
  })

  interface Sent {
    path?: string
    token?: string
    label?: string
  }
  const send = (key: string, { path = 'probes', token = tokenOf('a'), label = key }: Sent = {}) =>
    test.request('POST', `/api/v1/${path}`, { token, body: { label }, headers: { 'idempotency-key': key } })
  const isReplay = (answer: { headers: Record<string, unknown> }) => answer.headers['idempotent-replayed'] === 'true'

  for (const path of ['probes', 'manual-probes']) {
    it(`makes one object of 20 requests at the same time (/${path})`, async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(`parallel ${path}`, { path })))
      assert.ok(answers.every(({ status }) => status === 201 || status === 409))
      assert.equal(answers.filter((answer) => answer.status === 201 && !isReplay(answer)).length, 1)
      assert.equal(await countProbes(test.core, `parallel ${path}`), 1)
      const again = await send(`parallel ${path}`, { path })
      const first = answers.find(({ status }) => status === 201)
      assert.ok(isReplay(again))
      assert.deepEqual([again.status, again.body, again.headers.location], [201, first?.body, first?.headers.location])
    })
  }

  it('belongs to one body, person, tenant and route', async () => {
    const first = await send('own', { label: 'x' })
    const other = await send('own', { label: 'y' })
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
    const strangers = [
      await send('own', { label: 'x', token: tokenOf('a', 'bert') }),
      await send('own', { label: 'x', token: tokenOf('b') }),
      await send('own', { label: 'x', path: 'manual-probes' }),
    ]
    for (const stranger of strangers) {
      assert.equal(stranger.status, 201)
      assert.notEqual(stranger.body.id, first.body.id)
    }
    assert.equal(await countProbes(test.core, 'x'), 4)
    assert.equal((await send('"own"', { label: 'x' })).body.id, first.body.id, 'quoted or bare, it is the same key')
  })

  it('is good for 24 hours', async () => {
    test.clock.stop()
    const first = await send('day')
    test.clock.advance(24 * HOURS)
    assert.equal((await send('day')).body.id, first.body.id)
    test.clock.advance(1)
    const later = await send('day', { label: 'another body' })
    assert.equal(later.status, 201)
    assert.ok(!isReplay(later))
    assert.equal((await send('day', { label: 'another body' })).body.id, later.body.id)
  })

  it('is taken over from a process that ended, which makes no second object should it come back', async () => {
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>()
    let entered = false
    behaviour.route = () => {
      entered = true
      return held
    }
    const first = send('lost')
    await until('the first is at work', () => entered)
    behaviour.route = undefined
    const early = await send('lost')
    assert.deepEqual(
      [early.status, early.body.code, early.headers['retry-after']],
      [409, 'idempotency_key_in_use', '1'],
    )
    test.clock.advance(2 * MINUTES + 1)
    const second = await send('lost')
    assert.equal(second.status, 201)
    goOn()
    assert.equal((await first).status, 409)
    assert.equal(await countProbes(test.core, 'lost'), 1)
    assert.equal((await send('lost')).body.id, second.body.id, 'the answer of the second stays')
  })

  for (const path of ['probes', 'manual-probes']) {
    it(`repeats an error below 500, and tries again after one above (/${path})`, async () => {
      behaviour.route = () => Promise.reject(conflict({ detail: 'not now' }))
      const refused = await send(`refused ${path}`, { path })
      behaviour.route = undefined
      const again = await send(`refused ${path}`, { path })
      assert.equal(again.status, 409)
      assert.ok(isReplay(again))
      assert.equal(again.headers['content-type'], refused.headers['content-type'])
      assert.deepEqual(again.body, { ...refused.body, request_id: again.headers['x-request-id'] })
      behaviour.route = () => Promise.reject(new Error('a mistake of ours'))
      assert.equal((await send(`broken ${path}`, { path })).status, 500)
      behaviour.route = undefined
      const cured = await send(`broken ${path}`, { path })
      assert.equal(cured.status, 201)
      assert.ok(!isReplay(cured))
    })
  }

  it('is 1 to 255 printable ASCII characters', async () => {
    for (const key of ['', '""', 'x'.repeat(256), 'tab\there', 'caf\u00e9', '\u007f']) {
      const answer = await send(key, { label: 'invalid' })
      assert.equal(answer.status, 400, JSON.stringify(key))
      assert.equal(answer.body.errors[0].pointer, 'headers/idempotency-key')
    }
    assert.equal(await countProbes(test.core, 'invalid'), 0)
    assert.equal((await send('x'.repeat(255))).status, 201)
  })

  it('keeps answers sealed', async () => {
    await send('sealed', { label: 'a secret of mine' })
    const rows = await test.core.db.systemQuery('select * from idempotency_keys')
    assert.ok(rows.length > 0)
    assert.ok(!JSON.stringify(rows).includes('a secret of mine'))
    assert.ok(!JSON.stringify(rows).includes('sealed'), 'nor is the key itself to be read')
  })

  it('is not given back when a commit of unknown outcome has kept an answer', async () => {
    for (const tenant of [tenantOf('a'), null]) {
      const base = createContext(test.core, { tenant, storeId: null, actor: systemActor, origin: noOrigin })
      const parts = { query: {}, body: {}, contentType: null, headers: {}, cookies: {} }
      const request = { key: 'unknown', method: 'POST', path: '/x', storeId: null, ...parts }
      const answer: KeptAnswer = { status: 201, body: '"kept"', headers: {}, problem: false, grounds: noGrounds() }
      const claim = await claimKey(base, request)
      assert.ok('keep' in claim)
      await base.transaction((ctx) => claim.keep(ctx, answer))
      await base.transaction((ctx) => claim.release(ctx))
      assert.deepEqual(await claimKey(base, request), answer)
    }
  })
})
