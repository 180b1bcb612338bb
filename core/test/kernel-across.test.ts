import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Closed, type Ctx, defineModule, defineRoute, insideTenant, Type, Uuid } from '#kernel'
import { createTestCore } from '../src/testing/index.ts'
import { countProbes, inTenant, probe, tenantOf, tokenOf, writeProbe } from './probe-module.ts'

const countAll = async (ctx: Ctx) => ({
  labels: await ctx.transaction(
    async ({ tx }) =>
      (await tx.selectFrom('probes').select('label').orderBy('label').execute()).map(({ label }) => label),
    { role: 'system' },
  ),
})
const peek = (path: `/${string}`, acrossTenants?: boolean) =>
  defineRoute({
    method: 'GET',
    path,
    summary: 'Read every label',
    access: { permission: 'probe.write' },
    transaction: 'manual',
    ...(acrossTenants !== undefined && { acrossTenants }),
    response: { 200: Closed({ labels: Type.Array(Type.String()) }) },
    handler: countAll,
  })

test('a handler sees no other tenant, unless its route says that it does', async (context) => {
  const peeking = defineModule({
    name: 'peeking',
    dependsOn: [probe],
    routes: [peek('/peek'), peek('/peek-across', true), peek('/peek-alone', false)],
  })
  const { core, request, close } = await createTestCore({ modules: [probe, peeking] })
  context.after(close)
  for (const tenant of ['a', 'b']) await inTenant(core, tenant, (ctx) => writeProbe(ctx, `of ${tenant}`))
  const token = tokenOf('a')
  for (const path of ['/peek', '/peek-alone']) {
    const answer = await request('GET', `/api/v1${path}`, { token })
    assert.equal(answer.status, 500, answer.text)
    assert.ok(!answer.text.includes('of b'))
  }
  assert.deepEqual((await request('GET', '/api/v1/peek-across', { token })).body.labels, ['of a', 'of b'])
})

test('a handler is not handed the core, which reaches every tenant', async (context) => {
  const { core, close } = await createTestCore({ modules: [probe] })
  context.after(close)
  await inTenant(core, 'a', async (ctx) => {
    const reached = [...Object.keys(ctx), ...Object.getOwnPropertyNames(Object.getPrototypeOf(ctx))]
    const names = reached.filter((name) => {
      const value: unknown = name === 'list' || name === 'userId' ? undefined : Reflect.get(ctx, name)
      return value === core || value === core.db || value === core.standings
    })
    assert.deepEqual(names, [])
  })
})

const enter = (path: `/${string}`, entersTenants?: boolean) =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Write a label into a tenant',
    access: { permission: 'probe.write' },
    transaction: 'manual',
    ...(entersTenants !== undefined && { entersTenants }),
    body: Closed({ tenant_id: Uuid }),
    response: { 200: Closed({ may: Type.Boolean(), stores: Type.Integer() }) },
    handler: (ctx, { body }) =>
      ctx.transaction(
        async (ctx) => {
          await writeProbe(ctx, 'entered')
          return { may: ctx.can('probe.write'), stores: ctx.storesWith('probe.write')?.length ?? -1 }
        },
        { tenantId: body.tenant_id },
      ),
  })

test('a handler enters no other tenant, unless its route says that it does, and holds nothing there', async (context) => {
  const entering = defineModule({
    name: 'entering',
    dependsOn: [probe],
    routes: [enter('/enter'), enter('/enter-never', false), enter('/enter-always', true)],
  })
  const { core, request, close } = await createTestCore({ modules: [probe, entering] })
  context.after(close)
  const post = (path: string, tenant: string) =>
    request('POST', `/api/v1${path}`, { token: tokenOf('a'), body: { tenant_id: tenantOf(tenant) } })
  for (const path of ['/enter', '/enter-never']) {
    assert.equal((await post(path, 'b')).status, 500)
    assert.equal(await countProbes(core, 'entered'), 0)
    assert.deepEqual((await post(path, 'a')).body, { may: true, stores: -1 }, 'their own is no other')
    await core.db.systemQuery('delete from probes')
  }
  assert.deepEqual((await post('/enter-always', 'b')).body, { may: false, stores: 0 })
  assert.equal(await countProbes(core, 'entered'), 1)
})

const goInside = (path: `/${string}`, entersTenants?: boolean) =>
  defineRoute({
    method: 'POST',
    path,
    summary: 'Write a label into a tenant, in the same transaction',
    access: { permission: 'probe.write' },
    acrossTenants: true,
    transaction: 'manual',
    ...(entersTenants !== undefined && { entersTenants }),
    body: Closed({ tenant_id: Type.String(), role: Type.Optional(Type.String()) }),
    response: { 200: Closed({ may: Type.Boolean() }) },
    handler: (ctx, { body }) =>
      ctx.transaction(
        async (ctx) => {
          const inner = insideTenant(ctx, body.tenant_id)
          await writeProbe(inner, 'inside')
          return { may: inner.can('probe.write') }
        },
        { role: body.role === 'app' ? 'app' : 'system', tenantId: null },
      ),
  })

test('a transaction goes on in a tenant as the system role alone, where the route says so, and holds nothing there', async (context) => {
  const inside = defineModule({
    name: 'inside',
    dependsOn: [probe],
    routes: [goInside('/inside', true), goInside('/inside-never', false), goInside('/inside-silent')],
  })
  const { core, request, close } = await createTestCore({ modules: [probe, inside] })
  context.after(close)
  const post = (path: string, body: object) => request('POST', `/api/v1${path}`, { token: tokenOf('a'), body })
  const b = { tenant_id: tenantOf('b') }
  for (const [path, body] of [
    ['/inside-never', b],
    ['/inside-silent', b],
    ['/inside', { ...b, role: 'app' }],
    ['/inside', { tenant_id: 'b' }],
  ] as const)
    assert.equal((await post(path, body)).status, 500, path)
  assert.equal(await countProbes(core, 'inside'), 0)
  assert.deepEqual((await post('/inside', b)).body, { may: false })
  const rows = await core.db.systemQuery<{ tenant_id: string }>("select tenant_id from probes where label = 'inside'")
  assert.deepEqual(rows, [b])
})
