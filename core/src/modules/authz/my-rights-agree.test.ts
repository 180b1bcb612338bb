import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type Ctx, newId, release } from '#kernel'
import { claim } from '../../kernel/access/sign-in.fixture.ts'
import { type Answered, createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { makeKey } from '../api-keys/api-keys.fixture.ts'
import { apiKeys } from '../api-keys/index.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { assignRole, createRole } from '../roles/index.ts'
import { type Company, foundCompany, narrowedSignIn } from '../roles/roles.fixture.ts'
import { subscriptions } from '../subscriptions/index.ts'
import { authz } from './index.ts'
import { PROBES, probePath, SURPLUS, yard } from './yard.fixture.ts'

const modules = [...authModules, apiKeys, subscriptions, authz, yard, narrowedSignIn]
const codes = [...new Set(modules.flatMap(({ permissions }) => Object.keys(permissions)))].sort()
const ofStores = modules.flatMap(({ permissions }) =>
  Object.entries(permissions).flatMap(([code, { scope }]) => (scope === 'store' ? [code] : [])),
)
/** What keys can be given: nothing whose every route is for people. */
const codesOfKeys = codes.filter((code) => {
  const needing = modules.flatMap(({ routes }) => routes).filter(({ access }) => Object(access).permission === code)
  return needing.length === 0 || needing.some(({ callers }) => callers === 'all')
})
const WORLDS = 22

let core: TestCore
let acme: Company
let places: [name: string, storeId: string | null][]
before(async () => {
  core = await createTestCore({ modules, env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn' } })
  acme = await foundCompany(core)
  await subscribe({ plan: 'business', state: 'active', stacked: 0 })
  places = [
    ['the tenant', null],
    ['the main store', acme.mainStoreId],
    ['another store', await acme.addStore('Harbour')],
  ]
})
after(() => core.close())

interface Booked {
  plan: string
  state: 'active' | 'canceled' | 'expired' | 'lapsed'
  /** How many of the limit per period are used up. */
  stacked: number
}

/** `lapsed`: it has ended, and nothing has stored that yet. */
async function subscribe({ plan, state, stacked }: Booked): Promise<void> {
  const isEnded = state === 'canceled' || state === 'expired'
  const begin = core.clock.now().replace(/\d\d\d\dZ/, '000Z')
  const end = new Date(core.clock.ms() + (state === 'lapsed' ? 0 : 30 * 86_400_000)).toISOString()
  await core.core.db.systemQuery(
    `update subscriptions s set plan_id = p.id, pending_plan_id = null, status = $2, trial_ends_at = null, anchored_at = $3,
       current_period_start = $3, current_period_end = $4, cancel_at_period_end = $5, canceled_at = $6, next_change_at = $7
       from plans p where p.code = $1 and s.tenant_id = $8`,
    [
      plan,
      state === 'lapsed' ? 'active' : state,
      begin,
      end,
      state === 'lapsed',
      state === 'canceled' ? begin : null,
      isEnded ? null : end,
      acme.id,
    ],
  )
  await core.core.db.systemQuery('delete from limit_usage where tenant_id = $1', [acme.id])
  await core.core.db.systemQuery(
    `insert into limit_usage (tenant_id, limit_name, period_start, used)
     select tenant_id, 'stacks', current_period_start, $2 from subscriptions where tenant_id = $1`,
    [acme.id, stacked],
  )
}

/** What a random caller is and has. */
const Worlds = fc.record({
  isOwner: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  roles: fc.array(
    fc.record({
      permissions: fc.oneof(
        { weight: 3, arbitrary: fc.subarray(codes) },
        { weight: 1, arbitrary: fc.constantFrom('manager', 'staff', 'viewer') },
      ),
      place: fc.nat(2),
    }),
    { maxLength: 4 },
  ),
  scopes: fc.option(fc.subarray(codes), { freq: 2 }),
  key: fc.option(fc.record({ scopes: fc.subarray(codesOfKeys, { minLength: 1 }), isOfStore: fc.boolean() }), {
    freq: 1,
  }),
  booked: fc.record({
    plan: fc.constantFrom('free', 'starter', 'business'),
    state: fc.constantFrom<Booked['state']>('active', 'active', 'lapsed', 'canceled', 'expired', 'lapsed'),
    stacked: fc.nat(6),
  }),
  isSuspended: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})
type World = typeof Worlds extends fc.Arbitrary<infer W> ? W : never

async function addCaller({ isOwner, roles }: World): Promise<TestPerson> {
  if (isOwner) return acme.owner
  const person = await acme.member()
  await acme.run(async (ctx) => {
    for (const { permissions, place } of roles) {
      const storeId = places[place]?.[1] ?? null
      const scope = storeId === null ? 'tenant' : 'store'
      const roleId =
        typeof permissions === 'string' ? acme.roleIds[permissions] : await newRole(ctx, scope, permissions)
      assert.ok(roleId)
      await assignRole(ctx, { userId: person.userId, roleId, storeId }, { preauthorized: true })
    }
  })
  return person
}

async function newRole(ctx: Ctx, scope: 'tenant' | 'store', all: string[]): Promise<string> {
  const permissions = scope === 'tenant' ? all : all.filter((code) => ofStores.includes(code))
  return (await createRole(ctx, { name: `Role ${newId()}`, scope, permissions })).id
}

/** Sends a request of the caller; `storeId` as `X-Store-ID`. */
type Send = (method: string, path: string, options?: { body?: unknown; storeId?: string | null }) => Promise<Answered>

async function senderOf(person: TestPerson, { scopes, key }: World): Promise<Send> {
  const token = key
    ? await newKey(key)
    : scopes
      ? claim({ userId: person.userId, tenantId: acme.id, scopes })
      : await person.token()
  return (method, path, { body, storeId } = {}) =>
    core.request(method, `/api/v1${path}`, {
      token,
      ...(body === undefined ? {} : { body }),
      headers: storeId ? { 'x-store-id': storeId } : {},
    })
}

async function newKey({ scopes, isOfStore }: NonNullable<World['key']>): Promise<string> {
  const inStore = scopes.filter((code) => ofStores.includes(code))
  const isNarrow = isOfStore && inStore.length > 0
  const fields = isNarrow ? { scopes: inStore, store_ids: [acme.mainStoreId] } : { scopes }
  return (await makeKey(acme.owner, fields)).key
}

/** Codes for which some route that needs exactly them lets a request through. What that used up is given back. */
async function probe(send: Send, storeId: string | null): Promise<string[]> {
  const through = new Set<string>()
  for (const [code, needs] of Object.entries(PROBES))
    for (const [at, { method = 'GET', limit }] of needs.entries()) {
      const { status, text } = await send(method, probePath(code, at), { storeId })
      assert.ok([200, 402, 403].includes(status), text)
      if (status !== 200) continue
      through.add(code)
      if (limit === 'stacks') await acme.run((ctx) => release(ctx, limit))
      if (limit === 'yards') await core.core.db.systemQuery('delete from stores where name = $1', [SURPLUS])
    }
  return [...through].sort()
}

async function explained(send: Send, storeId: string | null): Promise<string[]> {
  const answers = await Promise.all(
    codes.map((permission) => send('POST', '/authz/explain', { body: { permission, store_id: storeId } })),
  )
  for (const { status, text } of answers) assert.equal(status, 200, text)
  return codes.filter((_, at) => answers[at]?.body.allowed)
}

/** The rest of an answer by its version, and the other way round: of all answers that this file has seen. */
const contents = new Map<string, string>()

async function assertAgreement(send: Send, world: World): Promise<number> {
  const barred = world.isSuspended && (world.scopes === null || world.key !== null)
  let allowed = 0
  for (const [place, storeId] of places) {
    const { status, body, headers } = await send('GET', `/authz/me${storeId ? `?store_id=${storeId}` : ''}`)
    if (barred) {
      assert.deepEqual([status, body.code], [403, 'tenant_suspended'])
      continue
    }
    const { version, ...rest } = body
    assert.equal(headers.etag, `"${version}"`)
    assert.deepEqual(rest.permissions, await explained(send, storeId), `the explanations in ${place}`)
    // A credential without a session is not refused by the routes of a suspended tenant; the explanation says why it should.
    if (!world.isSuspended) {
      const probed = rest.permissions.filter((code: string) => (PROBES[code]?.length ?? 0) > 0)
      assert.deepEqual(probed, await probe(send, storeId), `the routes in ${place}`)
      assert.deepEqual(rest.limits, await limitsOf(), 'the usage')
    }
    const text = JSON.stringify(rest)
    assert.equal(contents.get(version) ?? text, text, 'one version for two contents')
    assert.equal(contents.get(text) ?? version, version, 'two versions for one content')
    contents.set(version, text).set(text, version)
    allowed += rest.permissions.length
  }
  return allowed
}

async function limitsOf(): Promise<unknown> {
  const { body } = await acme.owner.get('/subscriptions/current/usage')
  const pairs = Object.entries<{ used: number; max: number | null }>(body)
  return Object.fromEntries(pairs.map(([limit, { used, max }]) => [limit, { used, max }]))
}

const setStatus = (status: 'active' | 'suspended') =>
  core.core.db.systemQuery('update tenants set status = $1 where id = $2', [status, acme.id])

test('what one may do is what the explanation says of each permission, and what routes do', async (context) => {
  let allowed = 0
  const property = fc.asyncProperty(Worlds, async (world) => {
    // Nobody joins beyond the plan.
    await subscribe({ plan: 'business', state: 'active', stacked: 0 })
    const send = await senderOf(await addCaller(world), world)
    await subscribe(world.booked)
    await setStatus(world.isSuspended ? 'suspended' : 'active')
    try {
      allowed += await assertAgreement(send, world)
    } finally {
      await setStatus('active')
    }
  })
  await fc.assert(property, { seed: SEED, numRuns: WORLDS, endOnFailure: true })
  context.diagnostic(`seed ${SEED}, ${WORLDS} callers, ${allowed} permissions allowed`)
  assert.ok(allowed > WORLDS, 'hardly anything was allowed')
})
