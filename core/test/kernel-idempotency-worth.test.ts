import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import {
  type Allowances,
  Closed,
  type Ctx,
  conflict,
  defineModule,
  defineRoute,
  type ErrorKind,
  type Module,
  newId,
  payloadTooLarge,
  permissionDenied,
  randomToken,
  rateLimited,
  subscriptionInactive,
  Type,
  unauthenticated,
} from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { behaviour, countProbes, probe, tenantOf, tokenOf } from './probe-module.ts'

const BOTH = ['probes', 'manual-probes']
const plan = { ended: false }
const allowances: Allowances = {
  consumed: async () => {},
  hasFeature: async () => true,
  overview: async () => ({ writable: !plan.ended, features: [], limits: {} }),
  requireWritable: async () => {
    if (plan.ended) throw subscriptionInactive()
  },
}

/** Hands out a secret, so that nothing of it may be kept. */
const vault: Module = defineModule({
  name: 'vault',
  allowances,
  routes: [
    defineRoute({
      method: 'POST',
      path: '/vault',
      summary: 'Get a token',
      access: 'self',
      response: { 200: Closed({ token: Type.String({ secret: true }) }) },
      handler: () => ({ token: randomToken() }),
    }),
  ],
})

const STORES = { one: newId(), other: newId() }
const stores: Module = defineModule({
  name: 'shops',
  stores: async () => true,
})

describe('an answer kept for an Idempotency-Key', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe, vault, stores] })
  })
  after(() => test.close())
  afterEach(() => {
    behaviour.route = undefined
    behaviour.permissions = undefined
    plan.ended = false
    forgetAll(test)
  })

  const forgetAll = ({ core }: TestCore) => core.standings.forget({ tenantId: tenantOf('a') })
  interface Sent {
    path?: string
    body?: unknown
    query?: string
    store?: string
    on?: TestCore
  }
  const send = (key: string, { path = 'probes', body, query = '', store, on = test }: Sent = {}) => {
    const headers = { 'idempotency-key': key, ...(store ? { 'x-store-id': store } : {}) }
    const given = path === 'vault' ? undefined : (body ?? { label: key })
    return on.request('POST', `/api/v1/${path}${query}`, { token: tokenOf('a'), body: given, headers })
  }
  const isReplay = (answer: { headers: Record<string, unknown> }) => answer.headers['idempotent-replayed'] === 'true'
  const holding = (...permissions: string[]) => {
    behaviour.permissions = () => permissions
    forgetAll(test)
  }
  const rows = () =>
    test.core.db.systemQuery<{ id: string; request_hash: string }>('select id, request_hash from idempotency_keys')

  for (const path of BOTH) {
    for (const kind of [unauthenticated, subscriptionInactive, permissionDenied, payloadTooLarge, rateLimited]) {
      it(`is none for a ${kind.status}, which passes: the key is free (/${path})`, async () => {
        const key = `${kind.status} ${path}`
        behaviour.route = () => Promise.reject(refusal(kind))
        assert.equal((await send(key, { path })).status, kind.status)
        behaviour.route = undefined
        const again = await send(key, { path })
        assert.deepEqual([again.status, isReplay(again)], [201, false])
        assert.equal((await send(key, { path })).body.id, again.body.id)
      })
    }

    it(`is given again only to who may still do what the handler asked for (/${path})`, async () => {
      const key = `asked ${path}`
      behaviour.route = async (ctx) => ctx.require('probe.read')
      holding('probe.write', 'probe.read')
      const first = await send(key, { path })
      assert.equal(first.status, 201)
      holding('probe.write')
      const refused = await send(key, { path })
      assert.deepEqual([refused.status, refused.body.permission], [403, 'probe.read'])
      holding('probe.write', 'probe.read')
      const again = await send(key, { path })
      assert.deepEqual([again.status, isReplay(again), again.body.id], [201, true, first.body.id])
      assert.equal(await countProbes(test.core, key), 1)
    })
  }

  it('is given again only to who still has the roles that the handler looked at', async () => {
    for (const look of [(ctx: Ctx) => ctx.grants.length, (ctx: Ctx) => ctx.storesWith('probe.read')]) {
      const key = newId()
      behaviour.route = async (ctx) => look(ctx)
      holding('probe.write', 'probe.read')
      await send(key)
      const kept = await send(key)
      assert.ok(isReplay(kept))
      // The probe gives one role; without any there is none that the handler could have looked at.
      behaviour.permissions = undefined
      const lesser = await asLesser(() => send(key))
      assert.equal(lesser.status, 403)
    }
  })

  /** The permission of the route is left, but in another role than before. */
  async function asLesser<T>(work: () => Promise<T>): Promise<T> {
    behaviour.roleId = 'y'
    behaviour.permissions = () => ['probe.write']
    forgetAll(test)
    try {
      return await work()
    } finally {
      behaviour.roleId = undefined
    }
  }

  it('is not given again once the subscription has ended', async () => {
    const first = await send('ended')
    plan.ended = true
    const refused = await send('ended')
    assert.deepEqual([refused.status, refused.body.code], [402, 'subscription_inactive'])
    plan.ended = false
    assert.equal((await send('ended')).body.id, first.body.id)
    assert.equal(await countProbes(test.core, 'ended'), 1)
  })

  it('belongs to the store and the query too: another is another request', async () => {
    await send('placed', { store: STORES.one })
    const elsewhere = await send('placed', { store: STORES.other })
    assert.deepEqual([elsewhere.status, elsewhere.body.code], [422, 'idempotency_key_reused'])
    assert.ok(isReplay(await send('placed', { store: STORES.one })))
  })

  it('is never kept where a secret is handed out', async () => {
    const before = (await rows()).length
    const answers = [await send('token', { path: 'vault' }), await send('token', { path: 'vault' })]
    assert.ok(answers.every((answer) => answer.status === 200 && !isReplay(answer)))
    assert.notEqual(answers[0]?.body.token, answers[1]?.body.token)
    assert.equal((await rows()).length, before)
    const route = test.core.registry.routes.find(({ path }) => path === '/vault')
    assert.equal(route?.idempotent, false)
  })

  it('is none where the handler looks at the session, which the key does not belong to', async () => {
    for (const path of BOTH) {
      behaviour.route = async (ctx) => ctx.principal?.sessionId
      assert.equal((await send(`session ${path}`, { path })).status, 500)
      behaviour.route = async (ctx) => ctx.principal?.userId
      assert.equal((await send(`session ${path}`, { path })).status, 201)
    }
    assert.ok(test.logs.some((line) => line.includes('POST /api/v1/probes looks at the session')))
  })

  it('stands beside a hash that tells nobody without the secret what the request was', async () => {
    const body = { label: 'a password' }
    await send('hashed', { body })
    for (const { request_hash } of await rows())
      for (const content of [JSON.stringify(body), JSON.stringify([body, {}, null])])
        for (const encoding of ['base64url', 'hex', 'base64'] as const)
          assert.ok(!request_hash.includes(createHash('sha256').update(content).digest(encoding)))
  })

  it('outlives the change of the secret where the earlier one is given, and counts as expired where it is not', async () => {
    const first = await send('rotated')
    const secret = randomToken()
    const previous = test.core.config.appSecret ?? ''
    const rotated = await createTestCore({
      modules: [probe, vault, stores],
      database: test.database,
      env: { APP_SECRET: secret, APP_SECRET_PREVIOUS: previous },
    })
    const again = await send('rotated', { on: rotated })
    assert.deepEqual([again.status, isReplay(again), again.body.id], [201, true, first.body.id])
    assert.equal((await send('rotated', { body: { label: 'other' }, on: rotated })).status, 422)
    await rotated.close()
    const lost = await createTestCore({
      modules: [probe, vault, stores],
      database: test.database,
      env: { APP_SECRET: randomToken() },
    })
    const anew = await send('rotated', { on: lost })
    assert.deepEqual([anew.status, isReplay(anew)], [201, false])
    assert.equal((await send('rotated', { on: lost })).body.id, anew.body.id)
    await lost.close()
  })

  it('counts as expired when it was tampered with', async () => {
    const first = await send('broken')
    await test.core.db.systemQuery(`update idempotency_keys set answer = answer || 'AAAA'`)
    const anew = await send('broken')
    assert.deepEqual([anew.status, isReplay(anew)], [201, false])
    assert.notEqual(anew.body.id, first.body.id)
  })

  it('is kept for what lasts', async () => {
    behaviour.route = () => Promise.reject(conflict())
    await send('lasting')
    behaviour.route = undefined
    const again = await send('lasting')
    assert.deepEqual([again.status, isReplay(again)], [409, true])
  })
})

const refusal = (kind: ErrorKind) => kind({ headers: kind.status === 429 ? { 'retry-after': '1' } : {} })
