import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  type Authenticator,
  Closed,
  type Core,
  defineModule,
  defineResource,
  defineRoute,
  newId,
  notFound,
  systemActor,
  Type,
  Uuid,
} from '#kernel'
import type { Impersonation } from '../src/kernel/access/impersonation.ts'
import { handsOutSecrets } from '../src/kernel/http/secret-answers.ts'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { routeName } from '../src/testing/isolation/catalogue.ts'
import { Findings } from '../src/testing/isolation/findings.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from '../src/testing/isolation/front-door.ts'
import { tryImpersonated } from '../src/testing/isolation/impersonated.ts'
import { type Plan, planRoutes } from '../src/testing/isolation/requests.ts'
import { takeSnapshot } from '../src/testing/isolation/tables.ts'
import type { ImpersonatedCredentials } from '../src/testing/isolation/types.ts'
import { foundWorld, type World } from '../src/testing/isolation/world.ts'

const { routes } = createRegistry([kernelModule, ...builtinModules])
const named = (is: Impersonation, but: (route: (typeof routes)[number]) => boolean = () => true) =>
  routes.filter((route) => route.impersonation === is && but(route)).map(routeName)
const isOperators = ({ path }: { path: string }) => path.startsWith('/admin/')
const changes = ({ method }: { method: string }) => method !== 'GET' && method !== 'OPTIONS'

describe('of the routes of the built-in modules, operators who act as somebody else', () => {
  it('reach none that signs in, is about accounts, keys, exports or the log, or hands out a secret, but to sign out', () => {
    const kept = ['auth', 'api-keys', 'tenant-exports', 'audit', 'audit-sinks', 'impersonation']
    const open = routes.filter(
      (route) =>
        (handsOutSecrets(route.response) || isOperators(route) || (kept.includes(route.module) && changes(route))) &&
        route.impersonation !== 'refused',
    )
    assert.deepEqual(open.map(routeName), ['POST /auth/logout'])
  })

  it('reach of what changes something just this, and those who only read just to sign out and to ask', () => {
    assert.deepEqual(named('writes').sort(), WRITTEN)
    assert.deepEqual(named('always').sort(), [
      'GET /audit/verify',
      'GET /file-links/:token',
      'GET /files/:id/download',
      'GET /public-files/:tenant_id/:id',
      'POST /auth/logout',
    ])
    assert.deepEqual(named('reads', changes).sort(), [
      'POST /authz/explain',
      'POST /subscriptions/current/change-plan/preview',
    ])
    assert.deepEqual(named('refused', (route) => !changes(route) && !isOperators(route)).sort(), [
      'GET /audit/export',
      'GET /export-links/:token',
      'GET /tenants/current/export',
      'GET /users/me/tenants',
    ])
  })
})

/** Whoever adds one thinks of it: could an operator act by it when they are gone, or is it the person's own? */
const WRITTEN = [
  'DELETE /files/:id',
  'DELETE /files/tus/:id',
  'DELETE /mails/suppressions/:id',
  'DELETE /roles/:id',
  'DELETE /stores/:id',
  'DELETE /stores/:id/users',
  'DELETE /tenants/current/logo',
  'DELETE /tenants/current/mail-domain',
  'DELETE /users/:id/roles/:role_id',
  'DELETE /users/invitations/:id',
  'DELETE /webhooks/:id',
  'PATCH /files/tus/:id',
  'POST /files',
  'POST /files/:id/restore',
  'POST /files/tus',
  'POST /files/uploads',
  'POST /files/uploads/:id/complete',
  'POST /mails/:id/cancel',
  'POST /mails/:id/resend',
  'POST /roles',
  'POST /stores',
  'POST /stores/:id/users',
  'POST /subscriptions/current/cancel',
  'POST /subscriptions/current/change-plan',
  'POST /subscriptions/current/reactivate',
  'POST /tenants/current/logo',
  'POST /tenants/current/mail-domain/rotate',
  'POST /tenants/current/mail-domain/verify',
  'POST /users/:id/roles',
  'POST /users/invitations/:id/resend',
  'POST /users/invite',
  'POST /webhooks/:id/deliveries/:delivery_id/redeliver',
  'POST /webhooks/:id/replay',
  'POST /webhooks/:id/test',
  'PUT /files/:id',
  'PUT /roles/:id',
  'PUT /stores/:id',
  'PUT /stores/:id/settings',
  'PUT /subscriptions/current/payment-method',
  'PUT /tenants/current',
  'PUT /tenants/current/branding',
  'PUT /tenants/current/mail-domain',
  'PUT /tenants/current/settings',
  'PUT /users/:id',
  'PUT /webhooks/:id',
]

const response = { 200: Closed({ ok: Type.Boolean() }) }
const around = defineResource<Core>({ name: 'around', create: (core) => core })
const desk = { path: '/desks/:id', summary: 'Do', access: 'self', params: Closed({ id: Uuid }), response } as const // words are types

/** What a careless sign-in says of an operator who acts as somebody else. */
const carelessly: Authenticator = {
  name: 'carelessly',
  matches: (credential) => credential.startsWith('carelessly-'),
  identify: (_core, credential) => {
    const [, tenantId = '', userId = ''] = credential.split('/')
    const actor = { type: 'user' as const, id: userId, label: 'somebody', impersonatorId: newId() } // a word is a type
    return { key: credential, tenantId, userId, sessionId: null, actor }
  },
  standing: async (_tx, { actor }) => ({ actor, superAdmin: true, operatorRoles: ['support'], scopes: null }),
}

const desks = defineModule({
  name: 'desks',
  resources: [around],
  authenticators: [carelessly],
  routes: [
    // Also where it is done in the name of the system.
    defineRoute({
      ...desk,
      method: 'PUT',
      callers: 'all',
      handler: (ctx) => ({ ok: ctx.as(systemActor).actor.impersonatorId !== null && !ctx.superAdmin }),
    }),
    // Past the transaction that only reads.
    defineRoute({
      ...desk,
      method: 'GET',
      handler: async (ctx) => {
        const core = ctx.use(around)
        await core.db.aside(() =>
          core.db.systemQuery("update members set name = name || '!' where tenant_id = $1 and id = $2", [
            ctx.tenantId,
            ctx.userId,
          ]),
        )
        return { ok: true }
      },
    }),
    defineRoute({
      ...desk,
      method: 'POST',
      name: 'askDesk',
      onlyAsks: true,
      handler: async ({ tx, tenantId, userId }) => {
        const touched = await tx
          .updateTable('members')
          .set({ job_title: 'asked' })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', userId)
          .returning('id')
          .executeTakeFirst()
        if (!touched) throw notFound()
        return { ok: true }
      },
    }),
  ],
})

describe('the isolation kit, of operators who act as somebody else', () => {
  let test: TestCore
  let world: World
  let plans: Plan[]
  let tokens: ImpersonatedCredentials
  let secrets: string[]
  before(async () => {
    const env = { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN }
    test = await createTestCore({ modules: [...builtinModules, desks], env })
    world = await foundWorld(
      test,
      await loadCases(test.core.registry.modules, { ids: { '/desks': '/users' } }),
      frontDoor,
    )
    const findings = new Findings()
    const some = test.core.registry.routes.filter(({ module }) => ['desks', 'stores'].includes(module))
    plans = await planRoutes(world, some, findings)
    assert.deepEqual(findings.all, [])
    tokens = (await frontDoor.impersonated?.(test, world.a)) ?? assert.fail('nobody can act as somebody else')
    secrets = [world.b.marker, ...(await takeSnapshot(world)).ids]
  })
  after(() => test?.close())

  /** What the kit says of some routes, of which one is another than it declares. */
  async function findingsOf(isTried: (name: string) => boolean, impersonation?: Impersonation): Promise<string> {
    const findings = new Findings()
    const tried = plans
      .filter(({ route }) => isTried(routeName(route)))
      .map((plan) => (impersonation ? { ...plan, route: { ...plan.route, impersonation } } : plan))
    assert.ok(tried.length > 0)
    await tryImpersonated(world, tried, tokens, secrets, findings)
    return findings.all.join('\n')
  }

  it('finds nothing where routes hold what they say', async () => {
    assert.equal(await findingsOf((name) => name.includes('/stores') || name === 'PUT /desks/:id'), '')
  })

  it('is about people who stay on record, and hold nothing of an operator whatever their sign-in says', async () => {
    const { id: userId } = await world.a.send('GET', '/users/me')
    for (const token of [tokens.writes, `carelessly-/${world.a.tenantId}/${userId}`]) {
      const { status, body } = await test.request('PUT', `/api/v1/desks/${userId}`, { token })
      assert.deepEqual([status, body.ok], [200, true])
      assert.equal((await test.request('GET', '/api/v1/admin/overview', { token })).status, 403)
    }
  })

  it('catches one that lets in whoever may only read', async () => {
    assert.match(
      await findingsOf((name) => name === 'GET /stores', 'writes'),
      /^GET \/stores as impersonated: it is answered 200 .*, not 403 permission_denied$/m,
    )
  })

  it('catches one that lets in whoever it says it refuses', async () => {
    const found = await findingsOf((name) => name === 'PUT /stores/:id', 'refused')
    assert.match(found, /^PUT \/stores\/:id as impersonated: it is answered 200 .*, not 403 permission_denied$/m)
    assert.match(found, /^table stores: rows of tenant A changed during requests .* that are to be refused$/m)
  })

  it('catches one that only asks, and writes', async () => {
    assert.match(
      await findingsOf((name) => name === 'POST /desks/:id'),
      /^POST \/desks\/:id as impersonated: it says that it only reads \(impersonation\), and writes$/m,
    )
  })

  it('catches one that writes past the transaction that only reads', async () => {
    assert.match(
      await findingsOf((name) => name === 'GET /desks/:id'),
      /^table members: rows of tenant A changed during requests of an operator who only reads$/m,
    )
  })
})
