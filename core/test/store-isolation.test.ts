import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  defineModule,
  defineRoute,
  ListQuery,
  type Module,
  Page,
  page,
  type RegisteredRoute,
  RegistryError,
  type Route,
  sql,
  type Type,
} from '#kernel'
import { catalog } from '../../examples/catalog/index.ts'
import { selectArticles } from '../../examples/catalog/queries.ts'
import { Article } from '../../examples/catalog/schema.ts'
import { storeRuleOf } from '../src/kernel/access/store-scope.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { register } from '../src/modules/auth/auth.fixture.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, IsolationError } from '../src/testing/index.ts'
import { runStoreKit } from '../src/testing/isolation/run.ts'

const modules = [...builtinModules, catalog]

const named = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`

/** The modules with one route's access changed. */
const changed = (name: string, store: object): Module[] =>
  modules.map((module) => ({
    ...module,
    routes: module.routes.map((route) =>
      named(route) === name && typeof route.access === 'object'
        ? { ...route, access: { ...route.access, store: store as { shared: string } } } // what is planted
        : route,
    ),
  }))

async function findingsOf(planted: readonly Module[], name: string): Promise<string[]> {
  const isTried = (route: RegisteredRoute) => named(route) === name
  const error = await runStoreKit({ modules: planted, isTried }).then(
    () => new IsolationError([]),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof IsolationError)) throw error
  return [...error.findings]
}

const narrowed = modules
  .flatMap(({ routes }) => routes)
  .filter(({ access }) => storeRuleOf(access) !== null && !storeRuleOf(access)?.shared)
  .map(named)

/** Their operations ask for the right in the store once more, as inviting does by the same rule. */
const HELD_TWICE = [
  'POST /users/:id/roles',
  'DELETE /users/:id/roles/:role_id',
  'POST /stores/:id/users',
  // Files of a store ask for the right in that store as well; of others a test of their module tells.
  'GET /files',
  'POST /files/tus',
  // Whoever waited for events may have lost a store meanwhile.
  'GET /events',
  // Who has begun an upload goes on with it alone.
  'POST /files/uploads/:id/complete',
  'GET /files/tus/:id',
  'PATCH /files/tus/:id',
  'DELETE /files/tus/:id',
]

describe('the stores of one tenant', () => {
  it('are told apart by the routes of an application as by those of the built-in modules', () => {
    const known = ['GET /stores', 'GET /users', 'GET /articles', 'GET /till/articles']
    assert.deepEqual(
      known.filter((name) => !narrowed.includes(name)),
      [],
    )
  })

  for (const name of narrowed) {
    const holds = HELD_TWICE.includes(name)
    it(`${name} without its narrowing ${holds ? 'is still held by its operation' : 'is noticed'}`, async () => {
      const findings = await findingsOf(changed(name, { shared: 'planted' }), name)
      assert.equal(findings.length === 0, holds, findings.join('\n'))
      assert.ok(findings.every((finding) => finding.startsWith(name) || finding.startsWith('a row of the other store')))
    })
  }

  it('a narrowing that lets through more than the caller’s stores is noticed', async () => {
    const everything = { rows: () => sql<boolean>`true` }
    for (const name of ['GET /stores', 'GET /users', 'GET /articles'])
      assert.notDeepEqual(await findingsOf(changed(name, everything), name), [])
  })
})

const route = (access: Route['access'], handler: Route['handler']): Module =>
  defineModule({
    name: 'shelves',
    routes: [
      {
        ...defineRoute({
          method: 'GET',
          path: '/shelves',
          summary: 'List the articles on the shelves',
          access,
          query: ListQuery({}),
          response: { 200: Page(Article) },
          handler: () => ({ data: [] as Type.Static<typeof Article>[], next_cursor: null }),
        }),
        handler,
      },
    ],
  })

describe('a route of stores', () => {
  it('that declares where its rows stand and does not narrow them answers nobody', async () => {
    const forgetful = route({ permission: 'article.view', store: { rows: 'articles.store_id' } }, async (ctx) => ({
      data: await selectArticles(ctx.tx, ctx.tenantId).execute(),
      next_cursor: null,
    }))
    const findings = await runStoreKit({
      modules: [...modules, forgetful],
      isTried: ({ path }) => path === '/shelves',
    }).catch((error: Error) => error)
    assert.ok(findings instanceof IsolationError)
    assert.match(
      findings.message,
      /GET \/shelves as clerk, deputy, storeKey with what stands in their own store: it is answered 500\n {6}Error: Rows were not narrowed .*\(at StoreSight.*\)$/,
    )
  })

  it('that narrows a query on other tables than its rows answers nobody, not even who sees every store', async () => {
    const mistaken = route({ permission: 'article.view', store: { rows: 'articles.store_id' } }, async (ctx) =>
      page(ctx, ctx.tx.selectFrom('stores').selectAll().where('tenant_id', '=', ctx.tenantId)),
    )
    const test = await createTestCore({ modules: [...modules, mistaken] })
    try {
      const { token } = await register(test)
      const { status } = await test.request('GET', '/api/v1/shelves', { token })
      const logged = test.logs.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'a request failed')
      assert.deepEqual([status, logged.length], [500, 1])
      const [{ err, method, route }] = logged
      assert.match(
        err.message,
        /rows are articles\.store_id, and the query does not read articles: use ctx\.requireStore/,
      )
      assert.deepEqual([method, route], ['GET', '/api/v1/shelves'])
    } finally {
      await test.close()
    }
  })

  it('is refused at start when nobody can hold its permission in a store', () => {
    const anywhere = modules.map((module) => ({
      ...module,
      permissions: {
        ...module.permissions,
        ...(module.name === 'catalog' ? { 'shelf.count': { description: 'x' } } : {}),
      },
    }))
    const start = (store: { rows: string } | { shared: string }) => () =>
      createRegistry([
        ...anywhere,
        route({ permission: 'shelf.count', store }, () => ({ data: [], next_cursor: null })),
      ])
    for (const store of [{ rows: 'articles.store_id' }, { shared: 'shelves are alike' }])
      assert.throws(start(store), /has a store, but nobody can hold shelf\.count in one: give it `scope: 'store'`/)
  })

  it('is refused at start when it is a list that nothing narrows, or says nothing that can be understood', () => {
    const start = (store: unknown) => () =>
      createRegistry([
        ...modules,
        route({ permission: 'article.view', store: store as 'id' }, async (ctx) =>
          page(ctx, selectArticles(ctx.tx, ctx.tenantId)),
        ),
      ])
    const refusal = (text: RegExp) => (error: unknown) => error instanceof RegistryError && text.test(error.message)
    assert.throws(start('header'), refusal(/GET \/api\/v1\/shelves .*is a list that stores narrow/))
    assert.throws(start('any'), refusal(/has the unknown store: 'any'/))
    assert.throws(start({}), refusal(/does not say where its store stands/))
    assert.throws(start({ named: 'params/id', rows: 'articles.store_id' }), refusal(/has no :id in its path/))
    assert.throws(start({ named: 'cookie/store', rows: 'articles.store_id' }), refusal(/unknown place cookie\/store/))
    assert.doesNotThrow(start({ rows: 'articles.store_id' }))
  })

  it('narrows nothing for whoever holds the permission in the whole tenant', async () => {
    const test = await createTestCore({ modules })
    try {
      const fields = { name: 'Ada', tenant_name: 'Bakery', password: 'seven lanterns over the harbour' }
      const registered = await test.request('POST', '/api/v1/auth/register', {
        body: { email: 'ada@example.com', ...fields },
      })
      const token = registered.body.access_token
      const send = (method: string, path: string, body?: unknown) =>
        test.request(method, `/api/v1${path}`, { token, body })
      const other = await send('POST', '/stores', { name: 'Harbour' })
      const [first, second] = (await send('GET', '/stores')).body.data
      for (const { id } of [first, second])
        await send('POST', '/articles', { store_id: id, name: 'Rye', price_cents: 1 })
      const { body } = await send('GET', '/articles')
      assert.deepEqual(
        body.data.map((article: { store_id: string }) => article.store_id).sort(),
        [first.id, second.id].sort(),
      )
      const nowhere = await send('POST', '/articles', {
        store_id: registered.body.tenant.id,
        name: 'Rye',
        price_cents: 1,
      })
      assert.equal(nowhere.status, 404)
      const headers = { 'x-store-id': other.body.id }
      const till = await test.request('GET', '/api/v1/till/articles', { token, headers })
      assert.deepEqual(
        till.body.data.map((article: { store_id: string }) => article.store_id),
        [other.body.id],
      )
    } finally {
      await test.close()
    }
  })
})
