import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  Closed,
  type Core,
  type Ctx,
  defineModule,
  defineResource,
  defineRoute,
  notFound,
  type Route,
  Type,
  Uuid,
} from '#kernel'
import { type Founding, IsolationError, runIsolationKit } from '../src/testing/index.ts'
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

const run = (...routes: Route[]) =>
  runIsolationKit({
    modules: [toy, defineModule({ name: 'ways', dependsOn: [toy], resources: [around], routes })],
    founding,
    cases: {
      ids: { toy_id: '/toys' },
      routes: routes.includes(byBytes) ? { 'POST /weighed': { given: () => ({ raw: 'feathers' }) } } : {},
    },
  })

describe('the isolation kit', () => {
  it('goes all ways into a handler: by PATCH, headers, forms and bytes', async () => {
    const report = await run(patch(readOwn), byHeader(readOwn), byForm(readOwn), byBytes)
    assert.ok(report.requests > 20)
  })

  it('catches what leaks on each of them', async () => {
    const error = await run(patch(readAround), byHeader(readAround), byForm(readAround)).then(
      () => assert.fail('the kit found nothing'),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof IsolationError)) throw error
    const found = error.findings.join('\n')
    const everywhere = [
      "PATCH /toys/:id as owner with B's id in params/id",
      "GET /chosen as owner with B's id in headers/x-toy-id",
      "POST /chosen as owner with B's id in #/toy_id",
    ].join(',\n    ')
    assert.match(found, new RegExp(`^${everywhere}: the answer 200 shows zqb\\w+ of tenant B$`, 'm'))
  })
})
