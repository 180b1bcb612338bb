import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { MINUTES, newId, sql } from '#kernel'
import { checkRoles } from '../../kernel/db/catalogue.ts'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { quickFolder } from '../../testing/quick-folder.ts'
import { exportBySystem, importInto } from '../tenant-exports/import/import.fixture.ts'
import { listCertificates } from './certificates.ts'
import { standingRemovals } from './check.ts'
import { findUnknownColumns } from './purge/known.ts'
import {
  age,
  asOwner,
  asSuperuser,
  carryOut,
  countOf,
  dueTenant,
  hashesOf,
  passGrace,
  remove,
  runOnce,
} from './tenant-removal.fixture.ts'

const PASSWORD = 'seven lanterns over the harbour'
let t: TestCore
let operator: TestPerson
before(async () => {
  t = await createTestCore()
  operator = await t.addOperator(['operations'])
})
after(() => t?.close())

const certificate = async (id: string) => (await operator.get(`/admin/tenants/${id}/certificate`)).body

describe('nothing of a tenant goes', () => {
  const standing = async (tenant: TestTenant, why: RegExp) => {
    const before = await hashesOf(t, tenant.id)
    assert.equal(await runOnce(t), 'failed')
    assert.deepEqual(await hashesOf(t, tenant.id), before)
    const { removal } = (await operator.get(`/admin/tenants/${tenant.id}`)).body
    assert.match(removal.problem, why)
    await assert.rejects(standingRemovals.check(t.core), why)
    assert.equal(await runOnce(t), 'none', 'not before its time')
    t.clock.advance(11 * MINUTES)
  }

  it('as long as a table that belongs to no tenant names it, and nobody says what becomes of that', async () => {
    const tenant = await dueTenant(t, operator)
    await asOwner(
      t,
      `create table strays (id uuid primary key, tenant_id uuid not null);
      select tenantry.global_table('strays', 'of nobody')`,
    )
    try {
      await standing(tenant, /no module says what becomes of the tenant in strays\.tenant_id/)
    } finally {
      await asOwner(t, "drop table strays; delete from tenantry.tables where name = 'strays'")
    }
    assert.ok((await carryOut(t)).includes('done'))
    assert.equal(await standingRemovals.check(t.core), 'no removal of a tenant stands still')
  })

  it('as long as files of it are in a storage that the settings do not describe', async () => {
    const tenant = await dueTenant(t, operator)
    const set = (backend: string) =>
      asSuperuser(t, 'update core.files set storage_backend = $1 where tenant_id = $2', [backend, tenant.id])
    await set('s3')
    await standing(tenant, /storage s3, which the settings do not describe/)
    await set('local')
    assert.ok((await carryOut(t)).includes('done'))
  })

  it('in a table of the built-in modules that names tenants and of which no module says anything: there is none', async () => {
    assert.deepEqual(await t.core.run(findUnknownColumns, { role: 'system', tenantId: null }), [])
  })
})

it('goes out of what modules hold of it elsewhere, and nobody else does', async () => {
  const [tenant, other] = [await dueTenant(t, operator), await t.foundTenant()]
  const names = ['load_minutes', 'load_quarters', 'load_totals', 'member_departures', 'tenant_imports']
  const held = [...names, 'tenant_import_people']
  for (const { id } of [tenant, other]) {
    const said: [string, string][] = [
      ["'2026-01-01', $1, 1, 1, 1, 1, 1, 1", 'load_minutes'],
      ["'2026-01-01', $1, 1, 1, 1, 1, 1, 1", 'load_quarters'],
      ['$1, 1, 1, 1, 1, 1, 1', 'load_totals'],
      [`'${operator.userId}', $1, now()`, 'member_departures'],
      [`$1, repeat('a', 64), 'a', null, null, repeat('s', 20), ' people', 0, now(), now()`, 'tenant_imports'],
      [`$1, gen_random_uuid(), '${operator.userId}', 'linked'`, 'tenant_import_people'],
    ]
    for (const [values, table] of said) await asSuperuser(t, `insert into core.${table} select ${values}`, [id])
    await asSuperuser(
      t,
      `insert into core.sessions (id, user_id, created_at, last_active_at, expires_at, device, operator_id, operator_session_id, scope_tenant_id, read_only)
       select gen_random_uuid(), $2, now(), now(), now() + interval '10 minutes', device, user_id, id, $1, true from core.sessions
       where user_id = $3 and operator_id is null limit 1`,
      [id, tenant.owner.userId, operator.userId],
    )
  }
  const sessions = async (id: string) =>
    (await asSuperuser(t, 'select 1 from core.sessions where scope_tenant_id = $1', [id])).length
  assert.deepEqual([await sessions(tenant.id), await sessions(other.id)], [1, 1])
  assert.ok((await carryOut(t)).includes('done'))
  for (const table of held)
    assert.deepEqual([table, await countOf(t, table, tenant.id), await countOf(t, table, other.id)], [table, 0, 1])
  assert.deepEqual([await sessions(tenant.id), await sessions(other.id)], [0, 1])
  const { rows } = (await certificate(tenant.id)).facts
  for (const name of [...held, 'sessions'])
    assert.equal(rows.find(({ table }: { table: string }) => table === name)?.rows, 1, name)
})

it('may come back by an import of an export of it, and end once more, with a certificate of its own', async () => {
  const tenant = await t.foundTenant()
  const folder = await mkdtemp(join(quickFolder(), 'again-'))
  try {
    const path = join(folder, 'export.zip')
    await writeFile(path, (await exportBySystem(t, tenant.id)).zip)
    const ends: string[] = []
    for (let round = 0; round < 2; round++) {
      if (round > 0) await importInto(t, path)
      assert.equal((await remove(operator, tenant.id)).status, 202)
      await passGrace(t)
      assert.deepEqual((await carryOut(t)).at(-1), 'done')
      ends.push((await certificate(tenant.id)).facts.purged_at)
    }
    assert.ok(ends[0] !== ends[1], 'the newest is shown')
    const all = await t.core.run((ctx) => listCertificates(ctx, tenant.id), { role: 'system', tenantId: null })
    assert.deepEqual(
      all.map(({ facts, is_valid }) => [facts.purged_at, is_valid]),
      ends.reverse().map((at) => [at, true]),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

describe('the accounts of its people', () => {
  it('stay, but for those of whom it alone knew: invited here and nowhere else, and never there', async () => {
    const [tenant, other] = [await t.foundTenant({ plan: 'business' }), await t.foundTenant()]
    const invite = async (from: TestTenant, email: string): Promise<string> =>
      (
        await asSuperuser<{ id: string }>(t, 'select id from core.users where email = $1', [
          (await from.owner.post('/users/invite', { email })).body.email,
        ])
      )[0]?.id ?? assert.fail('nobody was invited')
    const alone = await invite(tenant, `${newId()}@example.com`)
    const both = `${newId()}@example.com`
    const invitedTwice = await invite(tenant, both)
    assert.equal(await invite(other, both), invitedTwice)
    const runs = await invite(tenant, `${newId()}@example.com`)
    await asSuperuser(t, "update core.users set operator_roles = '{support}' where id = $1", [runs])
    const known = (
      await tenant.owner.post('/users', { email: `${newId()}@example.com`, name: 'Pat', password: PASSWORD })
    ).body.id
    const came = await tenant.member({ role: 'staff' })
    await came.token()
    await remove(operator, tenant.id)
    await passGrace(t)
    assert.ok((await carryOut(t)).includes('done'))
    const stay = [tenant.owner.userId, invitedTwice, runs, known, came.userId]
    const found = await asSuperuser<{ id: string }>(t, 'select id from core.users where id = any($1)', [
      [alone, ...stay],
    ])
    assert.deepEqual(found.map(({ id }) => id).sort(), stay.sort())
    assert.equal((await certificate(tenant.id)).facts.accounts, 1)
    assert.equal(await countOf(t, 'tenant_removal_people', tenant.id), 0)
    // Who was in it alone signs in to no tenant.
    assert.equal((await came.in().get('/users/me/tenants')).body.data.length, 0)
    assert.equal((await other.owner.get('/users?status=invited')).body.data.length, 1)
  })
})

describe('the door in the database', () => {
  const asSystem = (text: string, values: unknown[] = []) => t.core.db.aside(() => t.core.db.systemQuery(text, values))
  const takes = (id: string, table = 'audit_logs') => asSystem('select tenantry.remove_rows($1, $2, 10)', [id, table])
  const leaves = (id: string) => asSystem("select tenantry.remove_leaves($1, 'api_keys', '{api_keys}', 10)", [id])
  const loosens = (id: string) => asSystem("select tenantry.loosen_rows($1, 'api_keys', '{api_keys}', 10)", [id])
  const ends = (id: string) => asSystem('select tenantry.remove_tenant($1)', [id])
  const all = [takes, leaves, loosens, ends]

  it('is closed for every tenant that is not being removed, whatever the system role says', async () => {
    const { id } = await t.foundTenant()
    const refused = { code: '42501' }
    for (const each of all) await assert.rejects(each(id), refused)
    await remove(operator, id)
    for (const each of all) await assert.rejects(each(id), refused)
    await asSystem('update tenant_removals set begun_at = now() where tenant_id = $1', [id])
    await age(t, 29)
    for (const each of all) await assert.rejects(each(id), refused)
    // Nobody says that it was marked earlier.
    await assert.rejects(asSystem("update tenant_removals set marked_at = now() - interval '1 year'"), refused)
    await assert.rejects(
      asSystem(
        `insert into tenant_removals (tenant_id, marked_at, requested_at, requested_by_type, requested_by_label, purge_at)
         values ($1, now() - interval '1 year', now(), 'system', 'system', now())`,
        [newId()],
      ),
      refused,
    )
    await assert.rejects(asSystem('delete from audit_logs where tenant_id = $1', [id]), refused)
    await age(t, 30)
    await asSystem("update tenants set status = 'active' where id = $1", [id])
    for (const each of all) await assert.rejects(each(id), refused)
    await asSystem("update tenants set status = 'deleted' where id = $1", [id])
    for (const table of ['tenants', 'users', 'nothing']) await assert.rejects(takes(id, table), { code: '22023' })
    assert.equal((await takes(id)).length, 1)
    await asSystem('update tenant_removals set begun_at = null where tenant_id = $1', [id])
    await operator.post(`/admin/tenants/${id}/reactivate`)
  })

  it('is there for the system role alone, which changes no certificate', async () => {
    const { id } = await dueTenant(t, operator)
    await carryOut(t)
    for (const change of [
      "update tenant_removal_certificates set content = '{}'",
      'delete from tenant_removal_certificates',
    ])
      await assert.rejects(asSystem(change), { code: '42501' })
    for (const call of ["remove_rows($1, 'stores', 1)", 'remove_tenant($1)', 'assert_removing($1)'])
      await assert.rejects(
        t.core.db.aside(() =>
          t.core.run(
            async ({ tx }) => {
              await sql.raw(`select tenantry.${call.replace('$1', `'${id}'`)}`).execute(tx)
            },
            { tenantId: id },
          ),
        ),
        { code: '42501' },
      )
    const problems = await checkRoles(async (text, values) => asSuperuser(t, text, values))
    assert.deepEqual(problems, [])
    await asSuperuser(
      t,
      `update core.tenant_removal_certificates set content = replace(content, '"version":1', '"version":2') where tenant_id = $1`,
      [id],
    )
    assert.equal((await certificate(id)).is_valid, false)
  })

  it('shows no certificate of another tenant as a valid one', async () => {
    const { id } = await dueTenant(t, operator)
    await carryOut(t)
    assert.equal((await certificate(id)).is_valid, true)
    const stranger = newId()
    await asSystem(
      `insert into tenant_removal_certificates select $1, purged_at, slug_hash, content, hash, key_id, public_key, signature
       from tenant_removal_certificates where tenant_id = $2 returning 1`,
      [stranger, id],
    )
    assert.equal((await certificate(stranger)).is_valid, false)
  })
})
