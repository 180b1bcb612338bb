import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Closed, defineModule, defineRoute, Type, Uuid } from '#kernel'
import type { Access } from '../src/kernel/route.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { Findings } from '../src/testing/isolation/findings.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from '../src/testing/isolation/front-door.ts'
import { tryOperators } from '../src/testing/isolation/operators.ts'
import { type Plan, planRoutes } from '../src/testing/isolation/requests.ts'
import type { Credentials, OperatorCredentials } from '../src/testing/isolation/types.ts'
import { foundWorld, type World } from '../src/testing/isolation/world.ts'

const response = { 200: Closed({ ok: Type.Boolean() }) }
const handler = () => ({ ok: true })
const desk = defineModule({
  name: 'desk',
  routes: [
    defineRoute({
      method: 'GET',
      path: '/admin/money',
      summary: 'Look',
      access: { operator: ['billing'] },
      response,
      handler,
    }),
    defineRoute({
      method: 'POST',
      path: '/admin/money/:id/count',
      name: 'countMoney',
      summary: 'Count',
      access: { operator: ['billing', 'operations'] },
      params: Closed({ id: Uuid }),
      response,
      handler,
    }),
    defineRoute({ method: 'GET', path: '/takings', summary: 'Look', access: 'self', response, handler }),
  ],
})

let test: TestCore
let world: World
let plans: Plan[]
let people: { ordinary: Credentials; operators: OperatorCredentials }
before(async () => {
  test = await createTestCore({
    modules: [...builtinModules, desk],
    env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN },
  })
  const ids = { '/admin/money': 'tenant' }
  world = await foundWorld(test, await loadCases(test.core.registry.modules, { ids }), frontDoor)
  const ordinary = await frontDoor.credentials(test, world.a, world.b)
  people = { ordinary, operators: (await frontDoor.operators?.(test)) ?? {} }
  const findings = new Findings()
  plans = await planRoutes(
    world,
    test.core.registry.routes.filter(({ module }) => module === 'desk'),
    findings,
  )
  assert.deepEqual(findings.all, [])
})
after(() => test?.close())

/** What the kit says where a route lets other people in than it declares. */
async function findingsWith(path: string, access: Access): Promise<string> {
  const findings = new Findings()
  const planted = plans.map((plan) => (plan.route.path === path ? { ...plan, route: { ...plan.route, access } } : plan))
  await tryOperators(world, planted, people, findings)
  return findings.all.join('\n')
}

describe('the isolation kit, of the routes of operators', () => {
  it('finds nothing where each takes whom it names', async () => {
    const findings = new Findings()
    await tryOperators(world, plans, people, findings)
    assert.deepEqual(findings.all, [])
    for (const kind of ['owner', 'staff', 'apiKey', 'storeKey', 'support operator'])
      assert.equal(findings.byKind[kind], 2, kind)
    assert.equal(findings.byKind['billing operator'], 2)
  })

  it('catches one that ordinary people and keys reach', async () => {
    const found = await findingsWith('/takings', 'superAdmin')
    for (const kind of ['owner', 'staff', 'support operator']) assert.ok(found.includes(kind), found)
    assert.match(found, /^GET \/takings as .*: it is answered 200, not 403$/m)
  })

  it('catches one that takes a role that it does not name', async () => {
    assert.match(
      await findingsWith('/admin/money', { operator: ['support'] }),
      /^GET \/admin\/money as billing operator: it is answered 200, not 403$/m,
    )
    assert.match(
      await findingsWith('/admin/money/:id/count', { operator: ['billing'] }),
      /^POST \/admin\/money\/:id\/count as operations operator: it is answered 200, not 403$/m,
    )
  })

  it('catches one that refuses a role that it names', async () => {
    assert.match(
      await findingsWith('/admin/money', { operator: ['support', 'billing'] }),
      /^GET \/admin\/money as support operator: the route names the role, and answers 403$/m,
    )
  })
})
