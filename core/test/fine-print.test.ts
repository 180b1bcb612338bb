import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Closed, defineModule, defineRoute, isUuid, newId, planLimitReached, Type } from '#kernel'
import { bodyLimitOf } from '../src/kernel/http/body.ts'
import { type Person, register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { type Answered, createTestCore, type RequestOptions, type TestCore } from '../src/testing/index.ts'
import { addMember, anAddress } from './added-members.ts'

const KiB = 1024
const MiB = 1024 * KiB
const NAMED_WRONG = { name: 5, color: 'red' }

let isPlanFull = false
/** A plan, in the slot that subscriptions fill. */
const plans = defineModule({
  name: 'plans_fixture',
  allowances: {
    hasFeature: async () => true,
    overview: async () => ({ writable: true, features: [], limits: {} }),
    consumed: async (_ctx, limit) => {
      if (isPlanFull) throw planLimitReached({ members: { limit, max: 1, used: 1 } })
    },
  },
  routes: [
    defineRoute({
      method: 'POST',
      path: '/large-things',
      summary: 'Bring something large',
      access: 'self',
      body: Closed({ text: Type.String() }),
      bodyLimit: MiB,
      idempotent: false,
      response: { 200: Closed({ characters: Type.Integer() }) },
      handler: async (_ctx, { body }) => ({ characters: body.text.length }),
    }),
  ],
})

let t: TestCore
let owner: Person
before(async () => {
  t = await createTestCore({
    modules: [...builtinModules.filter(({ name }) => name !== 'subscriptions' && name !== 'admin'), plans],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
  owner = await register(t)
})
after(() => t?.close())

const request = (method: string, path: string, options: RequestOptions = {}) =>
  t.request(method, `/api/v1${path}`, { token: owner.token, ...options })
const codeOf = ({ status, body }: Answered) => (status < 300 ? status : `${status} ${body.code}`)
const unique = (word: string) => `${word} ${newId()}`
const open = async (fields = {}) =>
  (await request('POST', '/stores', { body: { name: unique('Store'), ...fields } })).body

async function countStores(): Promise<number> {
  return (await request('GET', '/stores?limit=100')).body.data.length
}

describe('a request that is wrong in every way', () => {
  test('is told of one thing after the other, in the order of the checks', async () => {
    const { token: nobody } = await addMember(t, owner)
    const [taken, mine] = [await open(), await open()]
    const json = { 'content-type': 'application/json' }
    const wrongStore = { 'x-store-id': newId() }
    const huge = { payload: '{'.repeat(2 * MiB), headers: { ...json, ...wrongStore } }
    const put = async (options: RequestOptions, path: string) => codeOf(await request('PUT', path, options))
    const unknown = `/stores/${newId()}`
    const taking = { body: { name: taken.name } }

    assert.equal(await put({ ...huge, token: null }, '/nowhere'), '404 not_found')
    assert.equal(await put({ ...huge, token: null }, `${unknown}?x=1`), '401 unauthenticated')
    assert.equal(await put({ ...huge, token: nobody }, `${unknown}?x=1`), '413 payload_too_large')
    const noJson = { payload: '{', headers: { ...json, 'x-store-id': 'no-uuid' }, token: nobody }
    assert.equal(await put(noJson, `${unknown}?x=1`), '400 invalid_json')
    const { body } = await request('PUT', `${unknown}?x=1`, { body: NAMED_WRONG, token: nobody, headers: wrongStore })
    assert.deepEqual(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '#/color',
      '#/name',
      'query/x',
    ])
    assert.equal(await put({ ...taking, token: nobody, headers: wrongStore }, unknown), '403 store_access_denied')
    assert.equal(await put({ ...taking, token: nobody }, unknown), '403 permission_denied')
    assert.equal(await put(taking, unknown), '404 not_found')
    assert.equal(await put(taking, `/stores/${mine.id}`), '409 name_taken')
    assert.equal(await put({ body: { name: mine.name } }, `/stores/${mine.id}`), 200)
  })

  test('hears of the plan last of all, and nothing is written', async () => {
    const { name } = await open()
    const before = await countStores()
    isPlanFull = true
    const taken = await request('POST', '/stores', { body: { name } })
    const refused = [
      await request('POST', '/stores', { body: { name: unique('One more') } }),
      await request('POST', '/users', { body: { email: anAddress(), name: 'One more' } }),
      await request('POST', '/users/invite', { body: { email: anAddress() } }),
    ]
    isPlanFull = false
    assert.equal(codeOf(taken), '409 name_taken')
    assert.deepEqual(
      refused.map(({ status, body }) => [status, body.code, body.limit, body.max, body.used]),
      ['stores', 'users', 'users'].map((limit) => [402, 'plan_limit_reached', limit, 1, 1]),
    )
    assert.equal(await countStores(), before)
    assert.deepEqual((await request('GET', '/users?q=One+more')).body.data, [])
  })
})

describe('a body', () => {
  const sized = (body: object, bytes: number) => ({
    payload: JSON.stringify(body).padEnd(bytes),
    headers: { 'content-type': 'application/json' },
  })

  test('of 128 KiB is read, under /auth of 16 KiB; of one byte more it is not', async () => {
    const store = { name: unique('Large') }
    assert.equal(codeOf(await request('POST', '/stores', sized(store, 128 * KiB + 1))), '413 payload_too_large')
    assert.equal(codeOf(await request('POST', '/stores', sized(store, 128 * KiB))), 201)
    const nobody = { email: anAddress(), password: 'x' }
    assert.equal(codeOf(await request('POST', '/auth/login', sized(nobody, 16 * KiB + 1))), '413 payload_too_large')
    assert.equal(codeOf(await request('POST', '/auth/login', sized(nobody, 16 * KiB))), '401 invalid_credentials')
  })

  test('of 1 MiB is read where the route says so; of one byte more it is not', async () => {
    const text = 'x'.repeat(MiB - JSON.stringify({ text: '' }).length)
    const exact = await request('POST', '/large-things', sized({ text }, MiB))
    assert.deepEqual([exact.status, exact.body], [200, { characters: text.length }])
    assert.equal(codeOf(await request('POST', '/large-things', sized({ text }, MiB + 1))), '413 payload_too_large')
  })

  test('holds others up hardly longer than it takes to read, however large and however wrong it is', async () => {
    const junk = Object.fromEntries(Array.from({ length: 35_000 }, (_, at) => [`unknown${at}`, { a: [at] }]))
    const large = JSON.stringify(junk)
    assert.ok(large.length > 900_000 && large.length < MiB)
    const headers = { 'content-type': 'application/json' }
    const send = (path: string, payload: string) => request('POST', path, { payload, headers })
    const tooLarge = await send('/auth/login', large)
    assert.deepEqual([codeOf(tooLarge), tooLarge.body.errors], ['413 payload_too_large', undefined])
    const wrong = await send('/large-things', large)
    assert.deepEqual([codeOf(wrong), wrong.body.errors.length], ['400 invalid_request', 50])
    assert.ok(wrong.text.length < 16 * KiB, `${wrong.text.length} bytes`)

    // What this thread works, of which a busy machine makes no more; others wait as long. Read to the end, and no more:
    const reading = await leastWork(() => send('/large-things', `${large}!`))
    const judging = await leastWork(() => send('/large-things', large))
    assert.ok(judging < 3 * reading, `${judging} µs, of which ${reading} for reading`)
  })

  test('may be larger than 16 KiB at no address under /auth, and larger than 128 KiB where a route says so alone', () => {
    for (const route of t.core.registry.routes) {
      const most = route.path.startsWith('/auth/') ? 16 * KiB : (route.bodyLimit ?? 128 * KiB)
      assert.ok(bodyLimitOf(route) <= most, `${route.method} ${route.path}`)
    }
  })

  test('where none is expected is no more than {}, and not looked at', async () => {
    const { id } = await open()
    for (const body of [[], [1], 'text', 5, null, { name: 'x' }, { a: 1, b: 2 }]) {
      const answer = await request('DELETE', `/stores/${id}`, { body })
      assert.deepEqual(
        [codeOf(answer), answer.body.errors],
        ['400 invalid_request', [{ pointer: '#', detail: 'no body is expected' }]],
      )
    }
    const large = { payload: JSON.stringify({ a: 'x'.repeat(KiB) }), headers: { 'content-type': 'application/json' } }
    assert.equal(codeOf(await request('DELETE', `/stores/${id}`, large)), '413 payload_too_large')
    assert.equal(codeOf(await request('DELETE', `/stores/${id}`, { body: {} })), 204)
  })

  test('that is empty is none, whatever its type says', async () => {
    const { id } = await open()
    const empty = { payload: '', headers: { 'content-type': 'application/json' } }
    assert.equal(codeOf(await request('DELETE', `/stores/${id}`, empty)), 204)
    assert.equal(codeOf(await request('POST', '/stores', empty)), '400 invalid_request')
    assert.equal(codeOf(await request('POST', '/auth/resend-verification', { body: {} })), 202)
  })
})

/** Microseconds of this thread that something takes, the least of several times. */
async function leastWork(act: () => Promise<unknown>): Promise<number> {
  let least = Infinity
  for (let time = 0; time < 7; time++) {
    const before = process.threadCpuUsage()
    await act()
    const { user, system } = process.threadCpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

describe('X-Request-ID', () => {
  test('comes back on every answer, and in the body of an error', async () => {
    for (const id of ['a', '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f', 'x'.repeat(128), 'svc:web/1.2+3@host=4']) {
      const headers = { 'x-request-id': id }
      const answers = [
        await request('GET', '/users/me', { headers }),
        await request('GET', '/nowhere', { headers }),
        await request('GET', '/users/me', { headers, token: null }),
        await request('POST', '/stores', { headers, body: {} }),
        await t.request('GET', '/health', { headers }),
      ]
      assert.deepEqual(
        answers.map(({ headers }) => headers['x-request-id']),
        answers.map(() => id),
      )
      assert.deepEqual(
        answers.slice(1, 4).map(({ body }) => body.request_id),
        [id, id, id],
      )
    }
  })

  test('is made where none came that could be kept, another one each time', async () => {
    const given = [undefined, '', 'x'.repeat(129), 'a b', 'a,b', '<script>', '"']
    const made = await Promise.all(
      given.map(
        async (id) =>
          (await request('GET', '/users/me', id === undefined ? {} : { headers: { 'x-request-id': id } })).headers[
            'x-request-id'
          ],
      ),
    )
    assert.ok(made.every(isUuid))
    assert.equal(new Set(made).size, given.length)
  })
})

describe('a list', () => {
  test('has pages of 20 unless told otherwise; a cursor does not mind how many more are asked for', async () => {
    for (let i = 0; i < 21; i++) await open()
    const first = (await request('GET', '/stores')).body
    assert.equal(first.data.length, 20)
    const second = (await request('GET', `/stores?limit=2&cursor=${first.next_cursor}`)).body
    const both = (await request('GET', '/stores?limit=22')).body.data
    assert.deepEqual([...first.data, ...second.data], both)
  })

  test('takes each query field once', async () => {
    const twice = await request('GET', '/stores?cursor=1&cursor=1')
    assert.equal(codeOf(twice), '400 invalid_cursor')
    for (const name of ['limit', 'q']) {
      const { status, body } = await request('GET', `/stores?${name}=1&${name}=1`)
      assert.deepEqual(
        [status, body.errors.map(({ pointer }: { pointer: string }) => pointer)],
        [400, [`query/${name}`]],
      )
    }
  })
})

describe('what the API document says of a route', () => {
  const routes = () => t.core.registry.routes.filter(({ hidden }) => !hidden)

  test('includes that it takes no Idempotency-Key where one would be expected', () => {
    const keyless = routes().filter(
      ({ method, access, idempotent }) => method === 'POST' && access !== 'public' && !idempotent,
    )
    assert.ok(keyless.some(({ path }) => path === '/auth/change-password'))
    for (const { path, description } of keyless.filter(({ path }) => path !== '/large-things'))
      assert.match(description ?? '', /\bno `Idempotency-Key`/, path)
  })

  test('includes the order of a list that is not newest first', () => {
    for (const path of ['/users/:id/roles', '/permissions', '/audit/sinks', '/subscriptions/plans']) {
      const route = routes().find((each) => each.method === 'GET' && each.path === path)
      if (route) assert.match(route.description ?? '', /\border\b|\bfirst\b/, path)
    }
  })
})

describe('a PUT', () => {
  test('merges objects one level deep, replaces arrays and `extra` whole, clears by null', async () => {
    const { id } = await open({ phone: '1' })
    const put = async (path: string, body: unknown) => (await request('PUT', path, { body })).body
    const [early, late] = [
      { open: '06:00', close: '11:00' },
      { open: '18:00', close: '23:00' },
    ]
    await put(`/stores/${id}/settings`, { opening_hours: { monday: [early], friday: [early] }, extra: { a: { b: 1 } } })
    const settings = await put(`/stores/${id}/settings`, { opening_hours: { monday: [late] }, extra: { a: {} } })
    assert.partialDeepStrictEqual(settings.opening_hours, { monday: [late], friday: [early], sunday: [] })
    assert.deepEqual(settings.opening_hours.monday, [late])
    assert.deepEqual(settings.extra, { a: {} })
    assert.equal((await put(`/stores/${id}`, { phone: null })).phone, null)

    const codes = ['store.view', 'role.view']
    const role = (await request('POST', '/roles', { body: { name: unique('Role'), permissions: codes } })).body
    assert.deepEqual((await put(`/roles/${role.id}`, { permissions: ['user.view'] })).permissions, ['user.view'])
  })

  test('takes null only where there may be nothing', async () => {
    const wrong: [string, object][] = [
      ['/tenants/current', { name: null, slug: null }],
      ['/tenants/current/settings', { currency: null, invoice: null, extra: null }],
      ['/users/me', { name: null, locale: null, timezone: null }],
      [`/stores/${(await open()).id}`, { name: null, code: null, status: null, is_default: null }],
      [`/users/${owner.userId}`, { name: null, status: null }],
    ]
    for (const [path, body] of wrong) {
      const answer = await request('PUT', path, { body })
      const pointers: string[] = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      assert.deepEqual(
        [...new Set(pointers)].sort(),
        Object.keys(body)
          .map((name) => `#/${name}`)
          .sort(),
      )
    }
  })
})
