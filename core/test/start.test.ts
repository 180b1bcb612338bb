import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import pg from 'pg'
import { createCore, defineModule, defineRoute, type Module, type ModuleSpec, RegistryError } from '../src/index.ts'
import { UnsafeRoles, UnsafeTables } from '../src/kernel/db/catalogue.ts'
import { builtinModules } from '../src/modules/index.ts'
import { createTestCore } from '../src/testing/index.ts'

const test = await createTestCore()
after(() => test.close())

/** A process of its own on the same database, with these modules; what becomes of its server and of its worker. */
async function start(
  modules: readonly Module[],
  config = test.core.config,
): Promise<{ served: unknown; worked: unknown }> {
  const core = await createCore({ config, modules, log: test.core.log as never }) // pino, as given there
  try {
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => 'started',
        (error: unknown) => error,
      )
    return { served: await outcome(core.app()), worked: await outcome(core.startWorker()) }
  } finally {
    await core.close()
  }
}
const shop = (spec: Omit<ModuleSpec, 'name'>) => [...builtinModules, defineModule({ name: 'shop', ...spec })]

async function problemsOf(spec: Omit<ModuleSpec, 'name'>): Promise<readonly string[]> {
  const { served, worked } = await start(shop(spec))
  assert.equal(String(worked), String(served), 'server and worker disagree')
  if (served === 'started') return []
  assert.ok(served instanceof RegistryError, String(served))
  return served.problems
}

const listTills = defineRoute({
  method: 'GET',
  path: '/tills',
  summary: 'List tills',
  access: 'self',
  response: { 204: null },
  handler: async () => {},
})

describe('a start', () => {
  it('refuses by name what a declaration names and nobody knows', async () => {
    assert.deepEqual(await problemsOf({ limits: { tills: { title: 'Tills', counts: 'stroes' } } }), [
      'limit tills (shop) counts stroes, which is no tenant-owned table',
    ])
    assert.deepEqual(await problemsOf({ limits: { tills: { title: 'Tills', counts: 'users' } } }), [
      'limit tills (shop) counts users, which is no tenant-owned table',
    ])
    assert.deepEqual(
      await problemsOf({ permissions: { 'till.open': { description: 'x', roles: ['admin', 'maneger'] } } }),
      ['permission till.open (shop) names the role maneger, which is none of owner, admin, manager, staff, viewer'],
    )
    assert.deepEqual(
      await problemsOf({ limits: { tills: { title: 'Tills', per: 'period', plans: { busines: 1 } } } }),
      ['limit tills (shop) names the plan busines, which is none of business, free, starter'],
    )
    assert.deepEqual(await problemsOf({ features: { gold: { title: 'Gold', plans: ['free', 'fre'] } } }), [
      'feature gold (shop) names the plan fre, which is none of business, free, starter',
    ])
  })

  it('refuses by name rows in a column that is not there, or that names no store', async () => {
    const permissions = { 'till.open': { description: 'x', scope: 'store' } } as const // words, as a module wants them
    const standing = (rows: string) =>
      problemsOf({ permissions, routes: [{ ...listTills, access: { permission: 'till.open', store: { rows } } }] })
    for (const rows of ['tills.store_id', 'stores.house_id', 'stores.name', 's.id', 'id', 'stores.'])
      assert.deepEqual(await standing(rows), [
        `route GET /api/v1/tills (shop) has the rows ${rows}, which is no column of the database with a UUID`,
      ])
    assert.deepEqual(await standing('stores.id'), [])
  })

  it('takes what is all there, in whatever order the modules are given', async () => {
    const right = {
      limits: { tills: { title: 'Tills', counts: 'stores', plans: { free: 1 } } },
      features: { gold: { title: 'Gold', plans: ['business'] } },
      permissions: { 'till.open': { description: 'x', roles: ['staff'] } },
    } as const // words, as a module wants them
    assert.deepEqual(await problemsOf(right), [])
    const { served } = await start(shop(right).toReversed())
    assert.notEqual(served instanceof Error, true, String(served))
  })

  it('refuses database roles that row-level security does not bind', async () => {
    const { config } = test.core
    for (const appUrl of [test.database.ownerUrl, test.database.superuserUrl]) {
      const { served, worked } = await start(builtinModules, { ...config, database: { ...config.database, appUrl } })
      assert.ok(served instanceof UnsafeRoles && worked instanceof UnsafeRoles, `${served} ${worked}`)
      assert.match(served.problems.join(), /^the application role /)
    }
  })

  it('refuses tables that do not keep tenants apart, whoever brought them', async () => {
    const owner = new pg.Client({ connectionString: test.database.ownerUrl })
    await owner.connect()
    try {
      await owner.query(
        'create table core.ledgers (tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))',
      )
      const { served, worked } = await start(builtinModules)
      assert.ok(served instanceof UnsafeTables && worked instanceof UnsafeTables, String(worked))
      assert.deepEqual(served.problems, [
        'table ledgers is registered neither as tenant-owned (tenantry.tenant_table) nor as global (tenantry.global_table)',
      ])
      await owner.query('drop table core.ledgers; alter table core.stores disable row level security')
      const { served: again } = await start(builtinModules)
      assert.ok(again instanceof UnsafeTables, String(again))
      assert.deepEqual(again.problems, ['table stores has no row-level security'])
    } finally {
      await owner.query('drop table if exists core.ledgers; alter table core.stores enable row level security')
      await owner.end()
    }
  })
})
