import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kernelModule } from '../src/kernel/probes.ts'
import { createRegistry } from '../src/kernel/registry.ts'
import { builtinModules } from '../src/modules/index.ts'
import { loadCases } from '../src/testing/isolation/cases.ts'
import { routeName } from '../src/testing/isolation/catalogue.ts'
import { Findings } from '../src/testing/isolation/findings.ts'
import { compareSnapshots, type Snapshot, takeSnapshot } from '../src/testing/isolation/tables.ts'
import { createPeopledWorld, type PeopledWorld } from './route-people.ts'
import { kindsFor, missingProofs, proofs } from './route-proofs.ts'
import { toy } from './toy-module.ts'

let world: PeopledWorld
let otherBefore: Snapshot
const ran = new Set<string>()

before(async () => {
  world = await createPeopledWorld()
  otherBefore = await takeSnapshot(world)
})
after(() => world?.test.close())

const { modules, routes } = createRegistry([kernelModule, ...builtinModules])
const cases = await loadCases(modules)

for (const route of routes) {
  // A route without a case is named by the last test, with all that it lacks.
  if (!cases.routes[routeName(route)]) continue
  describe(routeName(route), () => {
    for (const kind of kindsFor(route))
      test(kind, async () => {
        await proofs[kind]?.prove(world, route)
        ran.add(`${routeName(route)}: ${kind}`)
      })
  })
}

describe('after all these requests', () => {
  test('the other tenant is as it was', async () => {
    const findings = new Findings()
    compareSnapshots(otherBefore, await takeSnapshot(world), findings)
    assert.deepEqual(findings.all, [])
  })

  test('no route lacks a proof, and no case is of a route that is gone', () => {
    assert.deepEqual(missingProofs(world.test.core.registry.routes, ran), [])
    assert.deepEqual(cases.problems, [])
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
