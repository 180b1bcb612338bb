import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { nameOf } from './route-case.ts'
import { routeCases } from './route-cases.ts'
import { kindsFor, missingProofs, proofs } from './route-proofs.ts'
import { createWorld, lookAtOther, type World } from './route-world.ts'
import { toy } from './toy-module.ts'

let world: World
let otherBefore: unknown[]
const ran = new Set<string>()

before(async () => {
  world = await createWorld()
  otherBefore = await lookAtOther(world)
})
after(() => world?.test.close())

for (const route of createRegistry([kernelModule, ...builtinModules]).routes) {
  const given = routeCases[nameOf(route)]
  // A route without a case is named by the last test, with all that it lacks.
  if (!given) continue
  describe(nameOf(route), () => {
    for (const kind of kindsFor(route))
      test(kind, async () => {
        await proofs[kind]?.prove(world, route, given)
        ran.add(`${nameOf(route)}: ${kind}`)
      })
  })
}

describe('after all these requests', () => {
  test('the other tenant is as it was', async () => {
    assert.deepEqual(await lookAtOther(world), otherBefore)
  })

  test('no route lacks a proof, and no case is of a route that is gone', () => {
    const { routes } = world.test.core.registry
    assert.deepEqual(missingProofs(routes, ran), [])
    const names = routes.map(nameOf)
    assert.deepEqual(
      Object.keys(routeCases).filter((name) => !names.includes(name)),
      [],
    )
  })

  test('a route that nobody proves would be named, with each kind of proof that its declaration asks for', () => {
    const [route] = createRegistry([toy]).routes.filter(({ method, path }) => method === 'GET' && path === '/toys/:id')
    assert.ok(route)
    const kinds = ['2xx', '400', '401', '403 permission', '403 store', '403 tenant', '404', 'HEAD']
    assert.deepEqual(
      missingProofs([route], new Set()),
      kinds.map((kind) => `GET /toys/:id: ${kind}`),
    )
    assert.deepEqual(missingProofs([], new Set(['GET /gone: 2xx'])), ['GET /gone: 2xx belongs to no route'])
  })
})
