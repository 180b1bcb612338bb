import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { SUPPLIER_SECRET } from '../../../../examples/catalog/catalog.cases.ts'
import { catalog } from '../../../../examples/catalog/index.ts'
import { createTestCore, type TestCore } from '../../testing/index.ts'
import { loadCases } from '../../testing/isolation/cases.ts'
import { Findings } from '../../testing/isolation/findings.ts'
import { BOOTSTRAP_TOKEN, frontDoor } from '../../testing/isolation/front-door.ts'
import { planRoutes } from '../../testing/isolation/requests.ts'
import { fillTables } from '../../testing/isolation/rows.ts'
import type { Founding } from '../../testing/isolation/types.ts'
import { foundWorld, type World } from '../../testing/isolation/world.ts'
import { proveAddress } from '../../testing/prove-address.ts'
import { builtinModules } from '../index.ts'
import { paint } from '../pictures/pictures.fixture.ts'
import { asSuperuser, carryOut, hashesOf, passGrace, remove } from './tenant-removal.fixture.ts'

const PASSWORD = 'seven lanterns over the harbour'

/** Companies whose founders' own accounts say nothing of them: those are theirs, and stay. */
const founding: Founding = {
  ...frontDoor,
  async found(test, marker) {
    const email = `${newId()}@example.com`
    const body = { email, password: PASSWORD, name: 'Olga', tenant_name: `${marker} Ltd`, tenant_slug: `${marker}-ltd` }
    const { tenant, user, access_token } = (await test.request('POST', '/api/v1/auth/register', { body })).body
    await proveAddress(test, user.id)
    const { data } = (await test.request('GET', '/api/v1/subscriptions/plans')).body
    const plan_id = data.find(({ code }: { code: string }) => code === 'business').id
    await test.request('POST', '/api/v1/subscriptions/current/change-plan', { token: access_token, body: { plan_id } })
    const signIn = async () =>
      (await test.request('POST', '/api/v1/auth/login', { body: { email, password: PASSWORD } })).body.access_token
    return { tenantId: tenant.id, owner: access_token, email, password: PASSWORD, signIn }
  },
}

let t: TestCore
let world: World
before(async () => {
  t = await createTestCore({
    modules: [...builtinModules, catalog],
    env: { RATE_LIMIT_FACTOR: '0', LOG_LEVEL: 'warn', BOOTSTRAP_TOKEN, CATALOG_SUPPLIER_SECRET: SUPPLIER_SECRET },
  })
  world = await foundWorld(t, await loadCases(t.core.registry.modules), founding)
})
after(() => t?.close())

/** Where a removed tenant may still be named: its certificate, and the log of the installation. */
const ALLOWED = ['core.tenant_removal_certificates', 'core.global_audit_logs']

/** Accounts are people's own: what they say of themselves stays with whoever has a password, or has ever come. */
const OWN: Record<string, string> = {
  'core.users': `where not exists (select from core.user_passwords p where p.user_id = r.id)
    and not exists (select from core.user_logins l where l.user_id = r.id)`,
  'core.user_tokens': 'where not exists (select from core.users u where u.id = r.user_id)',
}

/** Tables of all schemas with a row that holds one of these texts, but for what is people's own. */
async function tablesWith(words: readonly string[]): Promise<string[]> {
  const tables = await asSuperuser<{ place: string }>(
    t,
    `select format('%I.%I', n.nspname, c.relname) as place from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_' order by 1`,
  )
  const found: string[] = []
  for (const { place } of tables) {
    const rows = await asSuperuser<{ row: string }>(t, `select r::text as row from ${place} r ${OWN[place] ?? ''}`)
    const row = rows.find((each) => words.some((word) => each.row.toLowerCase().includes(word)))
    if (row) found.push(place)
  }
  return found
}

/** Files below the folder of data, but for mails that have left, whose name or content holds one of these texts. */
async function filesWith(words: readonly string[]): Promise<string[]> {
  const files = (await readdir(t.dataDir, { recursive: true, withFileTypes: true })).filter((each) => each.isFile())
  const found: string[] = []
  for (const { parentPath, name } of files) {
    const path = relative(t.dataDir, join(parentPath, name))
    if (path.startsWith('mailbox')) continue
    const text = `${path}\n${await readFile(join(t.dataDir, path), 'latin1')}`.toLowerCase()
    if (words.some((word) => text.includes(word))) found.push(path)
  }
  return found
}

/** What is the tenant's and nobody else's: its marker, and the ids of all its rows but for those of people. */
async function wordsOf(tenantId: string, marker: string): Promise<{ words: string[]; empty: string[] }> {
  const tables = await asSuperuser<{ name: string; key: string }>(
    t,
    "select name, tenant_key as key from tenantry.tables where kind = 'tenant'",
  )
  const people = new Set((await asSuperuser<{ id: string }>(t, 'select id from core.users')).map(({ id }) => id))
  const words = new Set([marker, tenantId, tenantId.replaceAll('-', '')])
  const empty: string[] = []
  for (const { name, key } of tables) {
    const rows = await asSuperuser<{ id: string | null }>(
      t,
      `select to_jsonb(r) ->> 'id' as id from core.${name} r where ${key} = $1`,
      [tenantId],
    )
    if (rows.length === 0) empty.push(name)
    for (const { id } of rows) if (id !== null && !people.has(id)) words.add(id)
  }
  return { words: [...words], empty }
}

test('of a tenant with rows in every table nothing is left anywhere, and of another one everything', async () => {
  const { a: other, b: tenant } = world
  // Requests are filled for the first of two.
  await planRoutes({ ...world, a: tenant, b: other }, t.core.registry.routes, new Findings())
  const tables = new Map(
    (
      await asSuperuser<{ name: string; key: string }>(
        t,
        "select name, tenant_key as key from tenantry.tables where kind = 'tenant'",
      )
    ).map(({ name, key }) => [name, key]),
  )
  for (const { owner } of [tenant, other]) {
    const form = { fields: {}, file: { name: 'logo.png', content: await paint(30, 30) } }
    assert.equal((await t.request('POST', '/api/v1/tenants/current/logo', { token: owner, form })).status, 200)
    assert.equal((await t.request('POST', '/api/v1/tenants/current/export', { token: owner })).status, 202)
  }
  for (const { tenantId } of [tenant, other]) await t.drainJobs(tenantId).catch(() => {}) // rows that are made up have made-up jobs
  await t.drainJobs(null).catch(() => {}) // as above
  await fillTables(world, tables, new Findings())
  const operator = await t.addOperator(['all'])
  const news = { title: 'News', message: 'Read this.', type: 'info', tenant_ids: [tenant.tenantId, other.tenantId] }
  assert.equal((await operator.post('/admin/announcements', news)).status, 202)
  await t.drainJobs(null).catch(() => {}) // as above

  assert.equal((await remove(operator, tenant.tenantId, 'Contract ended')).status, 202)
  const { words, empty } = await wordsOf(tenant.tenantId, tenant.marker)
  assert.deepEqual(empty, [], 'every table has a row of it')
  const before = await tablesWith(words)
  for (const place of [
    'core.users',
    'core.tenant_slugs',
    'core.api_key_hashes',
    'core.refresh_tokens',
    'core.announcements',
  ])
    assert.ok(before.includes(place), `${place} among ${before}`)
  assert.ok((await filesWith(words)).length > 2)
  const logo = (
    await asSuperuser<{ logo_id: string }>(t, 'select logo_id from core.tenants where id = $1', [tenant.tenantId])
  )[0]?.logo_id
  const theirs = await hashesOf(t, other.tenantId)
  const theirFiles = await filesWith([other.tenantId])

  await passGrace(t)
  const outcomes = await carryOut(t)
  assert.ok(outcomes.includes('done') && !outcomes.includes('failed'), t.logs.join('\n'))
  await t.drainJobs(null).catch(() => {}) // as above

  assert.deepEqual(
    (await tablesWith([...words, `${logo}`])).filter((place) => !ALLOWED.includes(place)),
    [],
  )
  assert.deepEqual(await filesWith([...words, `${logo}`]), [])
  assert.deepEqual(await hashesOf(t, other.tenantId), theirs)
  assert.deepEqual(await filesWith([other.tenantId]), theirFiles)
  const { body } = await operator.get(`/admin/tenants/${tenant.tenantId}/certificate`)
  const certified = body.facts.rows.map(({ table }: { table: string }) => table)
  assert.deepEqual(
    [...tables.keys()].filter((name) => !certified.includes(name)),
    [],
    'each table is certified',
  )
  assert.equal(body.is_valid, true)
  assert.ok(!body.content.includes(tenant.marker), 'it names nobody')
})
