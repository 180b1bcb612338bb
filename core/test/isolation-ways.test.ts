import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  Closed,
  type Core,
  type Ctx,
  defineModule,
  defineResource,
  defineRoute,
  newId,
  notFound,
  type Route,
  Type,
  Uuid,
  unauthenticated,
} from '#kernel'
import { type Founding, IsolationError, type RouteCase, runIsolationKit, type Tenant } from '../src/testing/index.ts'
import { builtinAuthForTests, toy } from './toy-module.ts'

const { token, tenant } = builtinAuthForTests
const founding: Founding = {
  found: async (_test, marker) => {
    const name = marker.slice(0, 6)
    return { tenantId: tenant(name), owner: token(name), email: '', password: '', signIn: async () => token(name) }
  },
  credentials: async (_test, { owner }) => ({ owner }),
}

/** How a careless author gets at every tenant. */
const around = defineResource<Core>({ name: 'around', create: (core) => core })
const readAround = async (ctx: Ctx, id: string) => {
  const core = ctx.use(around)
  const rows = await core.db.aside(() =>
    core.db.systemQuery<{ name: string }>('select name from toys where id = $1', [id]),
  )
  if (!rows[0]) throw notFound()
  return rows[0]
}
const readOwn = async (ctx: Ctx, id: string) => {
  const query = ctx.tx.selectFrom('toys').select('name').where('tenant_id', '=', ctx.tenantId).where('id', '=', id)
  return query.executeTakeFirstOrThrow(() => notFound())
}

const shared = {
  access: { permission: 'toy.view' },
  response: { 200: Closed({ name: Type.String() }) },
  errors: [notFound],
} as const // words, as a route wants them
const patch = (read: typeof readOwn) =>
  defineRoute({
    ...shared,
    method: 'PATCH',
    path: '/toys/:id',
    summary: 'Touch a toy',
    body: Closed({ colour: Type.Optional(Type.String()) }),
    handler: (ctx, { params }) => read(ctx, params.id ?? ''),
  })
const byHeader = (read: typeof readOwn) =>
  defineRoute({
    ...shared,
    method: 'GET',
    path: '/chosen',
    summary: 'Look at the toy that a header names',
    headers: Type.Object({ 'x-toy-id': Uuid }),
    handler: (ctx, { headers }) => read(ctx, headers['x-toy-id'].toLowerCase()),
  })
const byForm = (read: typeof readOwn) =>
  defineRoute({
    ...shared,
    method: 'POST',
    path: '/chosen',
    summary: 'Look at the toy that a form names',
    accepts: ['form'],
    body: Closed({ toy_id: Uuid, tags: Type.Optional(Type.Array(Type.String())) }),
    handler: (ctx, { body }) => read(ctx, body.toy_id.toLowerCase()),
  })
const byBytes = defineRoute({
  method: 'POST',
  path: '/weighed',
  summary: 'Weigh what was sent',
  access: { permission: 'toy.view' },
  raw: ['text/plain'],
  response: { 200: Closed({ bytes: Type.Integer() }) },
  handler: (_ctx, { raw }) => ({ bytes: raw.length }),
})

const signature = (tenantId: string) => `for ${tenantId}`
/** A callback whose bytes name a toy, and whose headers say for whom they are signed. */
const calledBack = (touch: (ctx: Ctx, id: string) => Promise<unknown>) =>
  defineRoute({
    ...shared,
    access: 'public',
    transaction: 'manual',
    method: 'POST',
    path: '/makers/:tenant_id/toys',
    summary: 'Hear of a toy from its maker',
    params: Closed({ tenant_id: Uuid }),
    headers: Type.Object({ signature: Type.String() }),
    raw: ['text/plain'],
    errors: [notFound, unauthenticated],
    handler: async (ctx, { params, headers, raw }) => {
      if (headers.signature !== signature(params.tenant_id)) throw unauthenticated()
      await ctx.transaction((ctx) => touch(ctx, String(raw)), { tenantId: params.tenant_id })
      return { name: 'heard' }
    },
  })
const readOther = async (ctx: Ctx, id: string) => {
  const toy = await ctx.use(around).db.aside(() => readAround(ctx, id))
  throw notFound({ detail: `${toy.name} is gone` })
}
const writeOther = (ctx: Ctx, id: string) => {
  const { db } = ctx.use(around)
  return db.aside(() => db.systemQuery('update toys set name = name where id = $1', [id]))
}
const across = async ({ tenantId }: Tenant, other: Tenant) => ({
  params: { tenant_id: tenantId },
  headers: { signature: signature(tenantId) },
  raw: await other.id('/toys'),
})
const runCalledBack = (touch: (ctx: Ctx, id: string) => Promise<unknown>, told: RouteCase = { across }) =>
  runIsolationKit({
    modules: [toy, defineModule({ name: 'ways', dependsOn: [toy], resources: [around], routes: [calledBack(touch)] })],
    founding,
    cases: { routes: { 'POST /makers/:tenant_id/toys': told } },
  })
const findingsOf = async (kit: Promise<unknown>) => {
  const error = await kit.then(
    () => assert.fail('the kit found nothing'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof IsolationError)) throw error
  return error.findings
}

const run = (...routes: Route[]) =>
  runIsolationKit({
    modules: [toy, defineModule({ name: 'ways', dependsOn: [toy], resources: [around], routes })],
    founding,
    cases: {
      ids: { toy_id: '/toys' },
      routes: routes.includes(byBytes) ? { 'POST /weighed': { given: () => ({ raw: 'feathers' }), across: null } } : {},
    },
  })

describe('the isolation kit', () => {
  it('goes all ways into a handler: by PATCH, headers, forms and bytes', async () => {
    const report = await run(patch(readOwn), byHeader(readOwn), byForm(readOwn), byBytes)
    assert.ok(report.requests > 20)
  })

  it('catches what leaks on each of them', async () => {
    const found = (await findingsOf(run(patch(readAround), byHeader(readAround), byForm(readAround)))).join('\n')
    const everywhere = [
      "PATCH /toys/:id as owner with B's id in params/id",
      "GET /chosen as owner with B's id in headers/x-toy-id",
      "POST /chosen as owner with B's id in #/toy_id",
    ].join(',\n    ')
    assert.match(found, new RegExp(`^${everywhere}: the answer 200 shows zqb\\w+ of tenant B$`, 'm'))
  })

  it('names what is another tenant’s inside of signed bytes', async () => {
    const sent = 'POST /makers/:tenant_id/toys as its case sends it `across`'
    await runCalledBack(readOwn)
    assert.deepEqual(await findingsOf(runCalledBack(writeOther)), [
      `table toys: rows of tenant B changed during ${sent}`,
    ])
    const [leaked, ...more] = await findingsOf(runCalledBack(readOther))
    assert.match(leaked ?? '', /^POST \/makers\/:tenant_id\/toys as owner, none .*: the answer 404 shows zqb\w+ of/)
    assert.match(more.join(), /^POST \/makers\/:tenant_id\/toys: the kit cannot fill it[\s\S]*is gone/)
  })

  it('wants to be told how bytes name what is another tenant’s, and that the same with one’s own succeeds', async () => {
    const given = (tenant: Tenant) => across(tenant, tenant)
    assert.deepEqual(await findingsOf(runCalledBack(readOwn, { given })), [
      'POST /makers/:tenant_id/toys: nobody knows which ids its raw body or its cookies carry; tell its case how one is sent `across`, or null where there are none',
    ])
    await runCalledBack(readOwn, { given, unproven: 'nobody signs' })
    const misspelt = async (own: Tenant, other: Tenant) => ({ ...(await across(own, other)), raw: newId() })
    const unsigned = async (own: Tenant, other: Tenant) => ({
      ...(await across(own, other)),
      headers: { signature: '' },
    })
    for (const [wrong, status] of [
      [misspelt, 404],
      [unsigned, 401],
    ] as const) {
      const [found = '', ...more] = await findingsOf(runCalledBack(readOwn, { given, across: wrong }))
      assert.match(found, new RegExp(`^POST /makers/:tenant_id/toys: the kit cannot fill it: .* ${status} `))
      assert.deepEqual(more, [])
    }
  })
})
