import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { defineModule, type ExportRules, type Module, newId } from '#kernel'
import { drainJobs } from '../../testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { quickFolder } from '../../testing/quick-folder.ts'
import { builtinModules } from '../index.ts'
import { exportTenant, PATH } from './tenant-exports.fixture.ts'

const table = (name: string, columns: string, rights = '') => `
create table ${name} (tenant_id uuid not null, id uuid not null, ${columns}, primary key (tenant_id, id));
select tenantry.tenant_table('${name}'${rights});
`
const MIGRATION = [
  table('suppliers', 'name text not null, api_key text not null'),
  table('price_cache', 'price integer'),
  table('ledger', 'amount numeric not null', ", app_may => '{}'"),
  table(
    'orders',
    'number bigint not null, total numeric(20, 6) not null, lines json not null, paid date, image bytea, tags text[]',
  ),
].join('')

describe("an application's tables", () => {
  let folder = ''
  let t: TestCore
  const shop = (exported: ExportRules): Module =>
    defineModule({ name: 'shop', migrations: pathToFileURL(`${folder}/`), exported })
  const RULES: ExportRules = { suppliers: { without: ['api_key'] }, price_cache: { never: 'a cache' } }
  before(async () => {
    folder = await mkdtemp(join(quickFolder(), 'shop-'))
    await writeFile(join(folder, '0001.sql'), MIGRATION)
    t = await createTestCore({ modules: [...builtinModules, shop(RULES)] })
  })
  after(async () => {
    await t?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const found = async () => {
    const tenant = await t.foundTenant()
    const put = (into: string, values: string) =>
      t.core.db.systemQuery(`insert into ${into} values ($1, $2, ${values}) returning id`, [tenant.id, newId()])
    await put('suppliers', "'Bean & Co', 'very-secret'")
    await put('price_cache', '1')
    await put('ledger', '1')
    await put('orders', `9007199254740993, 0.000001, '{"a":\n [1]}', '2026-02-28', '\\x00ff', '{"a b",null}'`)
    return tenant
  }
  /** As another core sees the same database. */
  const withModules = async (modules: readonly Module[], work: (other: TestCore) => Promise<void>) => {
    const other = await createTestCore({ database: t.database, modules })
    try {
      await work(other)
    } finally {
      await other.close()
    }
  }

  test('are exported as their module says, and whole where it says nothing', async () => {
    const { entries, manifest, rows } = await exportTenant(t, await found())
    assert.deepEqual(
      rows('suppliers').map(({ name }) => name),
      ['Bean & Co'],
    )
    assert.ok(![...entries.values()].some((content) => content.includes('very-secret')))
    has(
      manifest.tables.find(({ name }) => name === 'suppliers'),
      { module: 'shop', schema_version: 1, without: ['api_key'] },
    )
    const line = String(entries.get('tables/orders.ndjson'))
    assert.match(
      line,
      /"number":9007199254740993,"total":0\.000001,"lines":\{"a": +\[1\]\},"paid":"2026-02-28","image":"\\\\x00ff","tags":\["a b",null\]/,
    )
    assert.equal(line.split('\n').length, 2)
    const leftOut = Object.fromEntries(manifest.left_out.map(({ name, reason }) => [name, reason]))
    has(leftOut, { price_cache: 'a cache', ledger: 'requests may not read it' })
  })

  test('of a module that is installed no more are in none: nobody says what is secret', async () => {
    const tenant = await found()
    await withModules(builtinModules, async (other) => {
      const owner = { post: send(other, tenant, 'POST'), get: send(other, tenant, 'GET') }
      const { entries, manifest } = await exportTenant(other, { id: tenant.id, owner })
      assert.ok(!entries.has('tables/suppliers.ndjson') && !entries.has('tables/orders.ndjson'))
      const reason = manifest.left_out.find(({ name }) => name === 'suppliers')?.reason
      assert.equal(reason, 'it belongs to no module that is installed')
    })
  })

  test('are not exported while a column to leave out is not there', async () => {
    const tenant = await found()
    await withModules([...builtinModules, shop({ suppliers: { without: ['apikey'] } })], async (other) => {
      await send(other, tenant, 'POST')(PATH)
      await drainJobs(other.core, tenant.id)
      assert.equal((await send(other, tenant, 'GET')(PATH)).body.status, 'running')
      assert.ok(
        other.logs.some((line) => line.includes('suppliers is to be exported without apikey, which it does not have')),
      )
    })
  })
})

/** Requests of the owner to another process. */
const send =
  (other: TestCore, { owner }: { owner: { token(): Promise<string> } }, method: string) =>
  async (path: string) =>
    other.request(method, `/api/v1${path}`, { token: await owner.token() })
