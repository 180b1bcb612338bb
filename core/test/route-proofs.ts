import assert from 'node:assert/strict'
import { isUuid, newId, operatorRolesOf } from '#kernel'
import { sampleOf } from '../src/kernel/http/openapi-samples.ts'
import type { RegisteredRoute } from '../src/kernel/registry.ts'
import type { Answered } from '../src/testing/index.ts'
import { routeName } from '../src/testing/isolation/catalogue.ts'
import type { PeopledWorld } from './route-people.ts'
import { countRecords, proveInputRefused, takesAnything } from './route-proofs-input.ts'
import { provePaging } from './route-proofs-lists.ts'
import { prepare, type Sent, send, urlOf, withoutRequestId } from './route-requests.ts'

/** One thing that is to be proven of every route whose declaration asks for it. */
export interface Proof {
  needed(route: RegisteredRoute): boolean
  prove(world: PeopledWorld, route: RegisteredRoute): Promise<void>
}

const isPermission = ({ access }: RegisteredRoute) => typeof access === 'object' && 'permission' in access
const isOperators = ({ access }: RegisteredRoute) => operatorRolesOf(access) !== null
const isSignedIn = ({ access }: RegisteredRoute) => access !== 'public'

/** Any other parameter may be whatever it likes. */
const ID_PARAM = /\/:(?:\w+_)?id(?=\/|$)/

/** Every kind of proof, in the order in which they run. */
export const proofs: Readonly<Record<string, Proof>> = {
  '400': { needed: (route) => !takesAnything(route), prove: proveInputRefused },
  '401': { needed: isSignedIn, prove: proveCredential },
  '403 permission': { needed: (route) => isPermission(route) || isOperators(route), prove: provePermission },
  '403 tenant': { needed: isPermission, prove: proveTenantRequired },
  '403 store': { needed: isSignedIn, prove: proveStoreContext },
  '404': { needed: ({ path }) => ID_PARAM.test(path), prove: proveNotFound },
  '2xx': { needed: () => true, prove: proveSuccess },
  HEAD: { needed: ({ method }) => method === 'GET', prove: proveHead },
  replay: { needed: (route) => asksToPost(route) && route.idempotent, prove: proveReplay },
  'no replay': { needed: (route) => asksToPost(route) && !route.idempotent, prove: proveNoReplay },
  pages: {
    needed: (route) =>
      route.query !== undefined && 'cursor' in route.query.properties && !SHORT.includes(routeName(route)),
    prove: provePaging,
  },
  'empty PUT': { needed: isReadBack, prove: proveEmptyPut },
}

/** `GET /stores: 404` for every proof that a route asks for and that did not run, and for every one that ran for no route. */
export function missingProofs(routes: readonly RegisteredRoute[], ran: ReadonlySet<string>): string[] {
  const needed = new Set(routes.flatMap((route) => kindsFor(route).map((kind) => `${routeName(route)}: ${kind}`)))
  const stray = [...ran].filter((name) => !needed.has(name)).map((name) => `${name} belongs to no route`)
  return [...[...needed].filter((name) => !ran.has(name)), ...stray].sort()
}

/** The kinds of proof that a route's declaration asks for. */
export const kindsFor = (route: RegisteredRoute): string[] =>
  Object.keys(proofs).filter((kind) => proofs[kind]?.needed(route))

/** A request that is right in every respect but for who sends it, to ids that never were. */
const sample = ({ body, query, headers }: RegisteredRoute): Sent & { headers: Record<string, string> } => ({
  ...(body ? { body: sampleOf(body) } : {}),
  query: requiredOf(query),
  headers: requiredOf(headers),
})

function requiredOf(part: RegisteredRoute['query']): Record<string, string> {
  const required: string[] = Object(part).required ?? []
  return Object.fromEntries(required.map((name) => [name, String(sampleOf(part!.properties[name]!, name))])) // required names are properties
}

/** Before anything else: the rest of the request is as wrong as can be. */
async function proveCredential(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const credentials: [Record<string, string>, ...codes: string[]][] = [
    [{}, 'unauthenticated'],
    [bearer(world.expired), 'access_token_expired'],
    [bearer(world.revoked), 'session_revoked'],
    [bearer('garbage'), 'invalid_access_token'],
    [bearer(`${world.a.owner.slice(0, -3)}${world.a.owner.at(-3) === 'A' ? 'B' : 'A'}AA`), 'invalid_access_token'],
    [{ authorization: `Basic ${btoa('ada:secret')}` }, 'invalid_access_token'],
    [{ 'x-api-key': 'tk_live_00000000_garbage' }, 'invalid_api_key'],
  ]
  for (const [headers, ...codes] of credentials) {
    const answer = await world.test.request(route.method, urlOf(route, { query: { no_such_field: '1' } }), {
      headers: { ...headers, 'content-type': 'application/json' },
      ...(route.method === 'GET' ? {} : { payload: '{"' }),
    })
    assert.equal(answer.status, 401, answer.text)
    assert.ok(codes.includes(answer.body.code), answer.text)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  }
}

/** Nobody but its holders, and whoever asks learns nothing of what exists. */
async function provePermission(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { access } = route
  const permission = typeof access === 'object' && 'permission' in access ? access.permission : undefined
  const refused = permission === undefined ? [world.a.owner] : [world.nobody, await world.withAllBut(permission)]
  for (const token of refused) {
    const { status, body } = await send(world, route, { ...sample(route), token })
    assert.deepEqual([status, body.code, body.permission], [403, 'permission_denied', permission])
  }
}

async function proveTenantRequired(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { status, body } = await send(world, route, { ...sample(route), token: world.tenantless })
  assert.deepEqual([status, body.code], [403, 'tenant_required'])
}

/** `X-Store-ID` of a store that is unknown, another tenant's, closed, or not the caller's. */
async function proveStoreContext(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { owner } = world.a
  const wrong: [token: string, storeId: string][] = [
    [owner, newId()],
    [owner, await world.b.id('/stores')],
    [owner, world.closedStoreId],
    [world.clerk, world.otherStoreId],
  ]
  const answers: unknown[] = []
  for (const [token, storeId] of wrong) {
    const { headers, ...sent } = sample(route)
    const answer = await send(world, route, { ...sent, token, headers: { ...headers, 'x-store-id': storeId } })
    assert.deepEqual([answer.status, answer.body.code], [403, 'store_access_denied'])
    answers.push(withoutRequestId(answer))
  }
  for (const answer of answers) assert.deepEqual(answer, answers[0])
}

/** Another tenant's id, one that never was and one that is none get the same answer. */
async function proveNotFound(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  for (const [name, collection] of world.collections.ofPath(route.path)) {
    const { sent } = await prepare(world, route)
    if (collection === '/stores') await proveStoreHidden(world, route)
    if (isSignedIn(route)) assert.ok(collection, `tenant B has nothing that :${name} could name`)
    // Operators see every tenant.
    const theirs = isOperators(route) ? null : collection && (await world.b.id(collection))
    const ids = [newId(), crypto.randomUUID(), 'no-uuid', ...(theirs ? [theirs, theirs.toUpperCase()] : [])]
    const answers: Answered[] = []
    for (const id of ids) answers.push(await send(world, route, { ...sent, params: { ...sent.params, [name]: id } }))
    for (const answer of answers) {
      assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'])
      assert.deepEqual(withoutRequestId(answer), withoutRequestId(answers[0]))
    }
  }
}

/** Who acts in one store cannot tell the tenant's other stores from what never was. */
async function proveStoreHidden(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const ask = (id: string) => send(world, route, { ...sample(route), token: world.clerk, params: { id } })
  const [other, never] = [await ask(world.otherStoreId), await ask(newId())]
  assert.ok([403, 404].includes(other.status), other.text)
  assert.deepEqual(withoutRequestId(other), withoutRequestId(never))
}

async function proveSuccess(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { sent, filled, tenant } = await prepare(world, route)
  const answer = await send(world, route, sent)
  assert.equal(answer.status, Number(Object.keys(route.response)[0]), answer.text)
  const { see } = world.cases.routes[routeName(route)] ?? {}
  assert.ok(see, 'its case does not say what to see')
  await see(answer, filled, tenant)
  if (answer.status === 201) assertLocation(world, answer)
  assertWire(answer)
  // What only begins is accepted.
  if (route.method === 'DELETE' && !(202 in route.response)) assert.deepEqual([answer.status, answer.text], [204, ''])
  if (Array.isArray(answer.body.data)) assertListShape(route, answer)
}

/** A path at which the new object can be read, changed or deleted. */
function assertLocation({ test }: PeopledWorld, { headers, body }: Answered): void {
  const location = String(headers.location)
  assert.match(location, /^\/api\/v1\/[\w/-]+$/)
  const known = test.core.registry.routes.some(({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}$`)
    return method !== 'POST' && pattern.test(location)
  })
  assert.ok(known, `no route answers at ${location}`)
  if (location.split('/').length === 5 && body.id && !location.endsWith('current') && !location.endsWith('me'))
    assert.ok(location.endsWith(body.id), location)
}

/** Names are snake_case, ids UUIDs, times ISO 8601 in UTC with milliseconds, at any depth. */
function assertWire({ body, headers }: Answered): void {
  if (!String(headers['content-type']).startsWith('application/json') || body.openapi) return
  const walk = (value: unknown, place = ''): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [name, item] of Object.entries(value)) {
      // A JSON Schema has words of its own.
      if (name === 'schema') continue
      // Headers have names of their own.
      if (!Array.isArray(value) && place !== 'headers') assert.match(name, /^[a-z][a-z0-9_]*$/)
      if (/(^|_)id$/.test(name) && item !== null) assert.ok(isUuid(item), `${name}: ${item}`)
      if (name.endsWith('_at') && item !== null) assert.match(item, TIME)
      walk(item, name)
    }
  }
  walk(body)
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** The lists that stay short; everything else can grow and is paged. */
const SHORT = [
  'GET /users/me/tenants',
  'GET /permissions',
  'GET /users/:id/roles',
  'GET /subscriptions/plans',
  'GET /audit/sinks',
  'GET /audit/keys',
  'GET /api-keys/:id/usage',
  'POST /api-keys/import',
  'GET /notifications/preferences',
  'GET /webhooks/events',
  'PUT /notifications/preferences',
]

function assertListShape(route: RegisteredRoute, { body }: Answered): void {
  // What became of each of many is no list that goes on.
  const more = 'dry_run' in body ? ['dry_run'] : ['next_cursor']
  const members = SHORT.includes(routeName(route)) ? ['data'] : ['data', ...more]
  assert.deepEqual(Object.keys(body).sort(), members)
}

/** The same answer without its body, and nothing happens; also to those whom GET refuses. */
async function proveHead(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { sent } = await prepare(world, route)
  for (const token of [sent.token, null]) {
    const get = await send(world, route, { ...sent, token })
    const before = await countRecords(world)
    const head = await send(world, { ...route, method: 'HEAD' }, { ...sent, token })
    assert.equal(await countRecords(world), before, 'HEAD has an effect')
    assert.deepEqual([head.status, head.text], [get.status, ''])
    assert.equal(head.headers['content-type'], get.headers['content-type'])
  }
}

const asksToPost = ({ method, access }: RegisteredRoute) => ['POST', 'PATCH'].includes(method) && access !== 'public'

/** What hands out a secret, or hangs on the session, is done each time, key or not. */
async function proveNoReplay(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { sent } = await prepare(world, route)
  const headers = { ...sent.headers, 'idempotency-key': newId() }
  for (const [index, token] of [() => sent.token, sent.again ?? (() => sent.token)].entries()) {
    const answer = await send(world, route, { ...sent, token: await token(), headers })
    // What can be done once is refused the second time, which is no repetition of the answer either.
    assert.ok(answer.status < 300 || (index > 0 && answer.status === 409), answer.text)
    assert.equal(answer.headers['idempotent-replayed'], undefined)
  }
}

/** A repeated POST is answered from memory, whichever token of the person it comes with; another body is refused. */
async function proveReplay(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { sent } = await prepare(world, route)
  const headers = { 'idempotency-key': newId() }
  const first = await send(world, route, { ...sent, headers })
  assert.ok(first.status < 300, first.text)
  assert.equal(first.headers['idempotent-replayed'], undefined)
  const token = sent.again ? await sent.again() : world.ownerElsewhere
  const second = await send(world, route, { ...sent, token, headers })
  assert.deepEqual([second.status, second.text], [first.status, first.text])
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.equal(second.headers.location, first.headers.location)
  if (!route.body && !route.form) return
  const changed = route.body ? { body: sampleOf(route.body) } : { file: { name: 'other.txt', content: 'Buy bread' } }
  const other = await send(world, route, { ...sent, ...changed, token, headers })
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency_key_reused'])
}

/** A PUT is partial, so that one of nothing changes nothing. */
/** A payment method is set and shown within the subscription; it has no address of its own to be read from. */
function isReadBack({ method, path, body }: RegisteredRoute): boolean {
  return method === 'PUT' && body !== undefined && path !== '/subscriptions/current/payment-method'
}

async function proveEmptyPut(world: PeopledWorld, route: RegisteredRoute): Promise<void> {
  const { sent } = await prepare(world, route)
  const before = await send(world, { ...route, method: 'GET' }, { ...sent, body: undefined })
  const after = await send(world, route, { ...sent, body: {} })
  assert.deepEqual([before.status, after.status], [200, 200])
  assert.deepEqual(after.body, before.body)
}
