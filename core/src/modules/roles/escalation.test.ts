import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type Method, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { SEED } from '../../testing/seed.ts'
import { authModules } from '../auth/auth.fixture.ts'
import { assignRole, listAssignments, listGrants } from './index.ts'
import { type Company, foundCompany, narrowedSignIn, testRights } from './roles.fixture.ts'

let core: TestCore
before(async () => {
  core = await createTestCore({
    modules: [...authModules, testRights, narrowedSignIn],
    env: { RATE_LIMIT_FACTOR: '0' },
  })
})
after(() => core.close())

const PEOPLE = 4
const STORE_CODES = ['role.assign', 'role.view', 'till.open', 'safe.open', 'store.update']
const CODES = [...STORE_CODES, 'role.create', 'role.update', 'role.delete', 'vault.open']

const person = fc.nat(PEOPLE - 1)
const role = fc.nat()
// The tenant as a whole, or one of two stores.
const place = fc.nat(2)
const scope = fc.constantFrom('tenant' as const, 'store' as const)
const someOf = (codes: string[]) => fc.subarray(codes, { maxLength: 3 })
// People who may do nothing can break nothing: most start with some power over roles.
const powers = fc.constantFrom(
  ['role.assign'],
  ['role.create', 'role.update', 'role.assign'],
  ['role.update', 'till.open'],
)
const withPowers = (codes: fc.Arbitrary<string[]>) =>
  fc.tuple(powers, codes).map(([first, second]) => [...new Set([...first, ...second])])

const start = fc.record({
  roles: fc.array(
    fc.oneof(
      fc.record({ scope: fc.constant('store' as const), codes: someOf(STORE_CODES) }),
      fc.record({ scope: fc.constant('tenant' as const), codes: withPowers(someOf(CODES)) }),
    ),
    { minLength: 3, maxLength: 6 },
  ),
  holders: fc.array(fc.record({ person, role, place }), { minLength: 4, maxLength: 10 }),
})

const step = fc.oneof(
  fc.record({ act: fc.constant('create' as const), by: person, scope, codes: someOf(CODES) }),
  fc.record({ act: fc.constant('update' as const), by: person, role, codes: someOf(CODES) }),
  fc.record({ act: fc.constant('assign' as const), by: person, to: person, role, place }),
  fc.record({ act: fc.constant('unassign' as const), by: person, held: fc.nat() }),
  fc.record({ act: fc.constant('delete' as const), by: person, role }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Permission and place, as `till.open @1`: what is held for the tenant is held in each store too. */
type Held = Set<string>

class World {
  readonly company: Company
  readonly people: TestPerson[]
  readonly places: (string | null)[]
  readonly roleIds: string[]

  constructor(company: Company, people: TestPerson[], places: (string | null)[]) {
    this.company = company
    this.people = people
    this.places = places
    this.roleIds = ['owner', 'staff'].map((name) => company.roleIds[name]!) // system roles
  }

  roleAt = (index: number): string => this.roleIds[index % this.roleIds.length]! // the remainder lies within

  async holdings(): Promise<Held[]> {
    return this.company.run(({ tx }) =>
      Promise.all(
        this.people.map(async ({ userId }) => {
          const grants = await listGrants(tx, core.core, this.company.id, userId)
          const held = grants.flatMap(({ permissions, storeId }) =>
            this.places
              .filter((place) => storeId === null || place === storeId)
              .flatMap((place) => permissions.map((code) => `${code} @${this.places.indexOf(place)}`)),
          )
          return new Set(held)
        }),
      ),
    )
  }

  /** One call through the front door; its status. */
  async take(step: Step): Promise<number> {
    const by = this.people[step.by]! // one of PEOPLE
    const send = (method: Method, url: `/${string}`, body?: unknown) => by.request(method, url, { body })
    if (step.act === 'create') {
      const made = await send('POST', '/roles', { name: newId(), scope: step.scope, permissions: step.codes })
      if (made.status === 201) this.roleIds.push(made.body.id)
      return made.status
    }
    if (step.act === 'unassign')
      return (await send('POST', '/test/unassign', await this.assignmentAt(step.held))).status
    const roleId = this.roleAt(step.role)
    if (step.act === 'update') return (await send('PUT', `/roles/${roleId}`, { permissions: step.codes })).status
    if (step.act === 'delete') return (await send('DELETE', `/roles/${roleId}`)).status
    const body = { user_id: this.people[step.to]?.userId, role_id: roleId, store_id: this.places[step.place] }
    return (await send('POST', '/test/assign', body)).status
  }

  /** Something that somebody holds, as the body of a request. */
  async assignmentAt(index: number): Promise<unknown> {
    const held = await this.company.run(({ tx }) =>
      listAssignments(
        tx,
        this.company.id,
        this.people.map(({ userId }) => userId),
      ),
    )
    const one = held[index % held.length]
    return one ? { user_id: one.user_id, role_id: one.role_id, store_id: one.store_id } : {}
  }
}

async function makeWorld({
  roles,
  holders,
}: {
  roles: { scope: 'tenant' | 'store'; codes: string[] }[]
  holders: { person: number; role: number; place: number }[]
}) {
  const company = await foundCompany(core)
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => company.member()))
  const world = new World(company, people, [null, company.mainStoreId, await company.addStore('Second')])
  for (const { scope, codes } of roles) world.roleIds.push(await company.addRole(codes, scope))
  // Roles of the owner's making, but not `owner`: that one may give whatever there is.
  const given = world.roleIds.filter((id) => id !== company.roleIds.owner)
  for (const holder of holders) {
    const roleId = given[holder.role % given.length]! // the remainder lies within
    const storeId = await fittingPlace(world, roleId, holder.place)
    await company.run(
      (ctx) => assignRole(ctx, { userId: people[holder.person]!.userId, roleId, storeId }, { preauthorized: true }), // one of PEOPLE
    )
  }
  return world
}

/** A role of the whole tenant is held for the whole tenant. */
async function fittingPlace(world: World, roleId: string, place: number): Promise<string | null> {
  const { body } = await world.company.owner.get(`/roles/${roleId}`)
  return body.scope === 'tenant' ? null : (world.places[place] ?? null)
}

test('no sequence of calls gives anybody a permission that the caller did not hold in that place', async () => {
  const statuses = new Map<string, number>()
  let gains = 0
  await fc.assert(
    fc.asyncProperty(start, fc.array(step, { minLength: 8, maxLength: 25 }), async (given, steps) => {
      const world = await makeWorld(given)
      let before = await world.holdings()
      for (const step of steps) {
        const status = await world.take(step)
        statuses.set(`${step.act} ${status}`, (statuses.get(`${step.act} ${status}`) ?? 0) + 1)
        assert.ok(status < 500)
        const after = await world.holdings()
        for (const [index, held] of after.entries()) {
          const gained = [...held].filter((code) => !before[index]?.has(code))
          gains += gained.length
          for (const code of gained) assert.ok(before[step.by]?.has(code), `${JSON.stringify(step)} gave ${code}`)
        }
        before = after
      }
    }),
    { numRuns: 40, seed: SEED },
  )
  // Without calls that succeed and rights that are passed on, the above would prove nothing.
  for (const success of ['create 201', 'update 200', 'assign 200', 'unassign 200', 'assign 403', 'update 403'])
    assert.ok(statuses.has(success), `no ${success} among ${JSON.stringify([...statuses])}`)
  assert.ok(gains > 0)
})
