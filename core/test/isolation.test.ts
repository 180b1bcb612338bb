import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import {
  Closed,
  type Core,
  defineModule,
  defineResource,
  defineRoute,
  ListQuery,
  type Module,
  notFound,
  type Route,
  Type,
  Uuid,
} from '#kernel'
import { SUPPLIER_SECRET } from '../../examples/catalog/catalog.cases.ts'
import { catalog } from '../../examples/catalog/index.ts'
import { builtinModules } from '../src/modules/index.ts'
import {
  type Answered,
  type Founding,
  IsolationError,
  type IsolationOptions,
  runIsolationKit,
  type Tenant,
  type TestCore,
} from '../src/testing/index.ts'
import { KINDS } from '../src/testing/isolation/types.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

/** The toy module signs people in by nothing but a name. */
const toyFounding: Founding = {
  found: async (_test, marker) => {
    const owner = builtinAuthForTests.token(marker.slice(0, 6))
    const tenantId = builtinAuthForTests.tenant(marker.slice(0, 6))
    return { tenantId, owner, email: '', password: '', signIn: async () => owner }
  },
  credentials: async (_test, a) => ({ owner: a.owner }),
}

const runOnToys = (options: Omit<IsolationOptions, 'modules'> = {}, broken: Module[] = []) =>
  runIsolationKit({ modules: [toy, ...broken], founding: toyFounding, ...options })

/** What the kit says of a core that does not keep tenants apart. */
async function findingsOf(options: Omit<IsolationOptions, 'modules'>, broken: Module[] = []): Promise<string> {
  const error = await runOnToys(options, broken).then(
    () => assert.fail('the kit found nothing'),
    (error: unknown) => error,
  )
  if (!(error instanceof IsolationError)) throw error
  return error.findings.join('\n')
}

const asSuperuser =
  (sql: string) =>
  async ({ database }: TestCore) => {
    const client = new pg.Client({ connectionString: database.superuserUrl })
    await client.connect()
    await client.query(`set search_path = core, public; ${sql}`).finally(() => client.end())
  }

const SHELVES = `create table shelves (
    tenant_id uuid not null, id uuid not null, toy_id uuid not null, label text not null, width integer not null default 3,
    made_on date not null, code text not null check (code ~ '^[0-9]{7}$'), primary key (tenant_id, id),
    constraint shelves_toy_fkey foreign key (tenant_id, toy_id) references toys (tenant_id, id));
  create index shelves_toy on shelves (tenant_id, toy_id);
  select tenantry.tenant_table('shelves')`
const Named = Closed({ id: Uuid, name: Type.String() })
const view = { permission: 'toy.view' } as const
/** A module with one careless route over the toys. */
/** How a careless author gets at every tenant: what lives as long as the core may keep it. */
const around = defineResource<Core>({ name: 'around', create: (core) => core })
const careless = (route: Route): Module =>
  defineModule({ name: 'careless', dependsOn: [toy], resources: [around], routes: [route] })

const readsAround = careless(
  defineRoute({
    method: 'GET',
    path: '/toys/:id/label',
    summary: 'Read the label of a toy',
    access: view,
    response: { 200: Named },
    handler: async (ctx, { params }) => {
      const core = ctx.use(around)
      const [row] = await core.db.aside(() =>
        core.db.systemQuery<{ id: string; name: string }>('select id, name from toys where id = $1', [params.id]),
      )
      if (!row) throw notFound()
      return row
    },
  }),
)

const writesAround = careless(
  defineRoute({
    method: 'PUT',
    path: '/toys/:id/label',
    summary: 'Take the label off a toy',
    access: view,
    response: { 204: null },
    handler: async (ctx, { params }) => {
      const core = ctx.use(around)
      await core.db.aside(() => core.db.systemQuery("update toys set name = '' where id = $1", [params.id]))
      return undefined
    },
  }),
)

const searchesAround = careless(
  defineRoute({
    method: 'GET',
    path: '/labels',
    summary: 'Search labels',
    access: view,
    query: ListQuery({ q: Type.Optional(Type.String()) }),
    response: { 200: Closed({ data: Type.Array(Named), next_cursor: Type.Null() }) },
    handler: async (ctx, { query }) => {
      const core = ctx.use(around)
      const data = await core.db.aside(() =>
        core.db.systemQuery<{ id: string; name: string }>(
          "select id, name from toys where name like $1 || '%' order by id",
          [query.q ?? 'zz'],
        ),
      )
      return { data, next_cursor: null }
    },
  }),
)

const tellsApart = careless(
  defineRoute({
    method: 'POST',
    path: '/labels',
    summary: 'Label a toy',
    access: view,
    body: Closed({ toy_id: Uuid }),
    response: { 204: null },
    errors: [notFound],
    handler: async (ctx, { body }) => {
      const own = await ctx.tx
        .selectFrom('toys')
        .select('id')
        .where('tenant_id', '=', ctx.tenantId)
        .where('id', '=', body.toy_id)
        .executeTakeFirst()
      const core = ctx.use(around)
      const [any] = await core.db.aside(() => core.db.systemQuery('select 1 from toys where id = $1', [body.toy_id]))
      if (!own) throw any ? notFound({ detail: 'Not yours' }) : notFound()
      return undefined
    },
  }),
)

const listsAround = careless(
  defineRoute({
    method: 'GET',
    path: '/all-labels',
    summary: 'Name all toys',
    access: view,
    response: { 200: Closed({ names: Type.Array(Type.String()) }) },
    handler: async (ctx) => {
      const core = ctx.use(around)
      const rows = await core.db.aside(() => core.db.systemQuery<{ name: string }>('select name from toys'))
      return { names: rows.map(({ name }) => name) }
    },
  }),
)

const harmless = defineRoute({
  method: 'GET',
  path: '/weather',
  summary: 'Say what the weather is like',
  access: view,
  response: { 200: Closed({ sunny: Type.Boolean() }) },
  handler: () => ({ sunny: true }),
})

const needsMore = careless(
  defineRoute({
    method: 'POST',
    path: '/labels',
    summary: 'Label a toy',
    access: view,
    body: Closed({ toy_id: Uuid, colour_id: Uuid, code: Type.String({ pattern: '^#[0-9]{7}$' }) }),
    response: { 204: null },
    handler: () => undefined,
  }),
)

describe('the isolation kit', () => {
  it('reaches nothing in the built-in modules, nor in those of an application beside them', async (context) => {
    const modules = [...builtinModules, catalog]
    const report = await runIsolationKit({ modules, env: { CATALOG_SUPPLIER_SECRET: SUPPLIER_SECRET } })
    context.diagnostic(
      `isolation kit: ${report.attempts} attempts (${report.requests} requests on ${report.routes} routes, ${report.statements} statements on ${report.tables} tables)`,
    )
    assert.ok(report.requests > 1_000)
    assert.ok(report.statements > 100)
    // Of every kind of credential; much is for people alone.
    for (const kind of [...KINDS, 'clerk', 'deputy', 'impersonated'])
      assert.ok((report.byKind[kind] ?? 0) > 100, `${kind}: ${report.byKind[kind]}`)
    assert.ok((report.byKind.apiKey ?? 0) >= 0.8 * (report.byKind.staff ?? 0), JSON.stringify(report.byKind))
  })

  it('reaches nothing in an application of one module', async () => {
    const report = await runOnToys()
    assert.ok(report.requests > 10)
    assert.equal(report.tables, 7)
  })

  it('catches a table without its policies', async () => {
    const findings = await findingsOf({
      prepare: asSuperuser('drop policy tenant_isolation on toys; alter table toys disable row level security'),
    })
    assert.match(findings, /^table toys has no row-level security$/m)
    const settings = 'the other tenant, no tenant, an empty tenant, a malformed tenant'
    for (const what of [
      'read rows',
      'read among all rows the ones',
      'insert a row',
      'change rows',
      'give away rows so that they are',
      'delete rows',
    ])
      assert.ok(
        findings.includes(`table toys with ${settings} set: the application role could ${what} of tenant B (1 rows)`),
        findings,
      )
  })

  it('catches a policy that forgives a lost tenant', async () => {
    const loose = `alter policy tenant_isolation on toys using (coalesce(current_setting('app.tenant_id', true), '') in ('', tenant_id::text))`
    assert.match(
      await findingsOf({ prepare: asSuperuser(loose) }),
      /^table toys with no tenant, an empty tenant set: the application role could read rows/m,
    )
  })

  it('catches a partition that can be read directly', async () => {
    const findings = await findingsOf({ prepare: asSuperuser('grant select on audit_logs_other to tenantry_test_app') })
    assert.match(findings, /^partition audit_logs_other: the application role could read it directly/m)
  })

  it('catches a table that nobody registered, and one that it cannot fill', async () => {
    const strays = `set role tenantry_test_owner; create table strays (id uuid primary key); ${SHELVES}`
    const findings = await findingsOf({ prepare: asSuperuser(strays) })
    assert.match(
      findings,
      /^table strays is registered neither as tenant-owned \(tenantry\.tenant_table\) nor as global \(/m,
    )
    assert.match(
      findings,
      /^table shelves: the kit cannot fill it: no route left a row in it, and .*shelves_code_check.*; give `tableRows`$/m,
    )
  })

  it('fills a table that no route fills, told no more than what its columns do not say', async () => {
    const migrate = asSuperuser(`set role tenantry_test_owner; ${SHELVES}`)
    const tableRows = { shelves: () => ({ code: '1234567' }) }
    const report = await runOnToys({ prepare: migrate, cases: { tableRows } })
    assert.equal(report.tables, 8)
    assert.match(
      await findingsOf({ cases: { tableRows } }),
      /^table shelves: `tableRows` are told of it, and no tenant/m,
    )
  })

  it('catches a foreign key without tenant_id', async () => {
    const sql = `create unique index toys_id_key on toys (id); alter table toys add friend_id uuid;
      alter table toys add constraint toys_friend_fkey foreign key (friend_id) references toys (id)`
    assert.match(
      await findingsOf({ prepare: asSuperuser(sql) }),
      /^table toys has the foreign key toys_friend_fkey without the tenant key on both sides$/m,
    )
  })

  it('catches an application role that owns a table', async () => {
    const findings = await findingsOf({ prepare: asSuperuser('alter table toys owner to tenantry_test_app') })
    assert.match(findings, /^the application role tenantry_test_app owns the table (core\.)?toys$/m)
    assert.match(
      findings,
      /^table toys with the other tenant, no tenant, .* set: the application role could read rows of tenant B/m,
    )
  })

  it('catches a route that reads around the tenant', async () => {
    const findings = await findingsOf({}, [readsAround])
    assert.match(
      findings,
      /^GET \/toys\/:id\/label as owner with B's id in params\/id: the answer 200 shows zqb\w+ of tenant B$/m,
    )
    // One cause is told once.
    assert.doesNotMatch(findings, /an id that never was/)
  })

  it('catches a route that writes around the tenant', async () => {
    assert.match(
      await findingsOf({}, [writesAround]),
      /^table toys: rows of tenant B changed during requests of tenant A$/m,
    )
  })

  it('catches a list that shows what others have', async () => {
    assert.match(
      await findingsOf({}, [searchesAround]),
      /^GET \/labels as owner with B's id in query\/q: the answer 200 shows/m,
    )
  })

  it('catches an answer that differs for what others have', async () => {
    const findings = await findingsOf({}, [tellsApart])
    assert.match(findings, /^POST \/labels as owner with B's id in #\/toy_id: it is answered 404 .*Not yours/m)
  })

  it('catches a credential that should be worth nothing', async () => {
    const founding: Founding = {
      ...toyFounding,
      credentials: async (_test, { owner }) => ({ owner, revoked: owner, expired: owner }),
    }
    const findings = await findingsOf({ founding })
    assert.match(
      findings,
      /^GET \/toys\/:id as revoked, expired,\n {4}GET \/toys as revoked, expired: it is answered 200, not 401$/m,
    )
    assert.match(
      findings,
      /^GET \/toys\/:id as revoked, expired with B's id in params\/id: it is answered 404, not 401$/m,
    )
  })

  it('names a route that it cannot fill', async () => {
    const findings = await findingsOf({}, [needsMore])
    assert.match(findings, /^POST \/labels: nobody knows whose id #\/colour_id is; give `ids`$/m)
    const told = await findingsOf({ cases: { ids: { colour_id: null } } }, [needsMore])
    assert.match(told, /^POST \/labels as owner with .*: the rest of the request is refused: .*#\/code.*`given`$/)
    const body = { colour_id: builtinAuthForTests.tenant('red'), code: '#1234567' }
    const routes = { 'POST /labels': { given: () => ({ body }) } }
    await runOnToys({ cases: { ids: { colour_id: null }, routes } }, [needsMore])
  })

  it('looks at what a route answers as its case says', async () => {
    const seen: string[] = []
    const see = ({ body }: Answered, _sent: unknown, { marker }: Tenant) => {
      seen.push(body.name)
      assert.ok(body.name.includes(marker))
    }
    await runOnToys({ cases: { routes: { 'POST /toys': { see }, 'GET /toys/:id': { see } } } })
    assert.equal(seen.length, 2)
    const fails = { see: () => assert.fail('it is made of wood') }
    const findings = await findingsOf({ cases: { routes: { 'POST /toys': fails } } })
    assert.match(findings, /^POST \/toys: it succeeds, but not as its case expects: it is made of wood$/m)
  })

  it('tries the modules that `only` names, with what the others have made', async () => {
    const labels = defineModule({ name: 'labels', dependsOn: [toy], routes: [harmless] })
    const report = await runOnToys({ only: ['labels'] }, [labels])
    assert.deepEqual([report.routes, report.tables], [1, 0])
    const toys = await runOnToys({ only: ['toy'] }, [labels])
    assert.deepEqual([toys.routes, toys.tables], [3, 1])
    // What leaks are toys, which only the routes of the other module make.
    const findings = await findingsOf({ only: ['careless'] }, [listsAround])
    assert.match(findings, /^GET \/all-labels as owner: the answer 200 shows zqb\w+ of tenant B$/m)
    assert.doesNotMatch(findings, /\/toys/)
  })

  it('refuses an `only` that names no module, or one that is not there', async () => {
    await assert.rejects(runOnToys({ only: [] }), /`only` names no module/)
    await assert.rejects(runOnToys({ only: ['toy', 'toyz'] }), /`only` names toyz; the modules are kernel, toy$/)
  })
})
