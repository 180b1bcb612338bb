import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { bent, exportBySystem } from '../import/import.fixture.ts'
import type { Exported } from '../tenant-exports.fixture.ts'
import { hashesOf, restore } from './restore.fixture.ts'

/** Other tenants, with rows in each of the tables that are wiped. */
const OTHERS = 999
const WIPED = ['role_assignments', 'notification_preferences', 'members', 'stores', 'files'] as const // names

let folder = ''
let t: TestCore
let tenant: TestTenant
let mia: TestPerson
let key: { id: string; key: string }
let exported: Exported
let path = ''
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'restore-'))
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business', name: 'Acme' })
  await fill()
  await addOthers()
  exported = await exportBySystem(t, tenant.id)
  path = await keep(exported.zip)
})
after(async () => {
  await t?.close()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
async function keep(zip: Buffer): Promise<string> {
  const path = join(folder, `${count++}.zip`)
  await writeFile(path, zip)
  return path
}
const query = (text: string, ...values: unknown[]) => t.core.db.systemQuery(text, values)

async function fill(): Promise<void> {
  const { owner } = tenant
  const post = async (path: `/${string}`, body: unknown) => {
    const answer = await owner.post(path, body)
    assert.ok(answer.status < 300, answer.text)
    return answer.body
  }
  const store = await post('/stores', { name: 'Süd' })
  const role = await post('/roles', { name: 'Barista', scope: 'store', permissions: ['store.view'] })
  mia = await tenant.member({ role: role.id, store: store.id, name: 'Mia Member' })
  await tenant.member({ role: 'admin', name: 'Ada Admin' })
  key = await post('/api-keys', { name: 'Till', scopes: ['store.view'] })
  await post('/webhooks', { url: 'https://example.com/hook', events: ['store.*'] })
  for (const name of ['one.txt', 'two.txt'])
    await owner.request('POST', '/files', { form: { fields: {}, file: { name, content: name, type: 'text/plain' } } })
  await query(`insert into notification_preferences values ($1, $2, now(), now(), '{}', null)`, tenant.id, owner.userId)
  await t.drainJobs(tenant.id)
}

/** Tenants by a statement for each table: their rows are copies of those of the first. */
async function addOthers(): Promise<void> {
  const ids = Array.from({ length: OTHERS }, () => newId())
  const copies: [string, string][] = [
    [
      'tenants',
      `select (jsonb_populate_record(t, jsonb_build_object('id', o.id, 'slug', 'other-' || o.n))).* from tenants t, o where t.id = $1`,
    ],
    ['tenant_slugs', `select 'other-' || o.n, o.id from o where $1::uuid is not null`],
  ]
  for (const name of ['stores', 'roles', 'members', 'role_assignments', 'notification_preferences', 'files', 'mails'])
    copies.push([
      name,
      `select (jsonb_populate_record(r, jsonb_build_object('tenant_id', o.id))).* from ${name} r, o where r.tenant_id = $1`,
    ])
  for (const [name, select] of copies)
    await query(
      `with o as (select id, n from unnest($2::uuid[]) with ordinality o (id, n)) insert into ${name} ${select}`,
      tenant.id,
      ids,
    )
}

/** Rows of the tenant go, as by a mistake. */
async function wipe(): Promise<void> {
  for (const table of WIPED) await query(`delete from ${table} where tenant_id = $1`, tenant.id)
}

describe('five tables of one tenant among a thousand', () => {
  test('come back as they were, and nothing of anybody else changes', async () => {
    const [own, others] = [await hashesOf(t, { only: tenant.id }), await hashesOf(t, { but: tenant.id })]
    await wipe()
    const lost = await hashesOf(t, { only: tenant.id })
    for (const table of WIPED) assert.notEqual(lost.get(table), own.get(table), table)
    const dry = await restore(t, path, { tenant: 'acme', isDry: true })
    assert.deepEqual(await hashesOf(t, { only: tenant.id }), lost, 'a dry run changes nothing')
    for (const table of WIPED) assert.equal(dry.counts[table]?.missing, exported.rows(table).length, table)

    const restored = await restore(t, path, { tenant: tenant.id })
    for (const table of WIPED) assert.deepEqual(restored.counts[table], dry.counts[table], table)
    const now = await hashesOf(t, { only: tenant.id })
    for (const table of [
      ...WIPED,
      'tenants',
      'roles',
      'tenant_slugs',
      'user_tenants',
      'api_keys',
      'api_key_hashes',
      'invitations',
    ])
      assert.equal(now.get(table), own.get(table), table)
    assert.deepEqual(await hashesOf(t, { but: tenant.id }), others)
    // It works as before, and so does the key, whose directory was never touched.
    assert.equal((await mia.get('/stores')).body.data.length, 1)
    const asKey = await t.request('GET', '/api/v1/stores', { token: key.key })
    assert.deepEqual([asKey.status, asKey.body.data.length], [200, 2])
    const file = exported.files[0]
    const download = await tenant.owner.request('GET', `/files/${file?.id}/download`)
    assert.deepEqual(download.bytes, exported.entries.get(file?.entry ?? ''))
    const again = await restore(t, path, { tenant: 'acme' })
    for (const [name, counts] of Object.entries(again.counts)) assert.equal(counts.missing + counts.changed, 0, name)
  })

  test('are recorded in both logs, with what came back', async () => {
    const rows = await query(
      `select new_values from audit_logs where tenant_id = $1 and action = 'tenant.restored'
       union all select new_values from global_audit_logs where action = 'admin.tenant_restored' and resource_id = $1::text order by 1`,
      tenant.id,
    )
    assert.equal(rows.length, 4)
    const tables = rows.map(
      ({ new_values }) => new_values.tables.find(({ name }: { name: string }) => name === 'stores').missing,
    )
    assert.deepEqual(tables.sort(), [0, 0, 2, 2])
  })
})

describe('what has changed since', () => {
  beforeEach(() => restore(t, path, { tenant: 'acme' }))

  test('becomes what it was, and what came since stays unless it is to go', async () => {
    const store = (await tenant.owner.post('/stores', { name: 'New one' })).body
    const first = exported.rows('stores')[0]
    await tenant.owner.put(`/stores/${first.id}`, { name: 'Renamed' })
    const dry = await restore(t, path, { tenant: 'acme', tables: ['stores'], isDry: true })
    assert.deepEqual(dry.counts, { stores: { missing: 0, changed: 1, extra: 1, unrestorable: 0 } })
    const done = await restore(t, path, { tenant: 'acme', tables: ['stores'] })
    assert.deepEqual(done.counts, { stores: { missing: 0, changed: 1, extra: 0, unrestorable: 0 } })
    const names = async () =>
      (await tenant.owner.get('/stores')).body.data.map(({ name }: { name: string }) => name).sort()
    assert.deepEqual(await names(), [first.name, 'New one', 'Süd'].sort())
    const replaced = await restore(t, path, { tenant: 'acme', tables: ['stores'], replaces: true })
    assert.deepEqual(replaced.counts, { stores: { missing: 0, changed: 0, extra: 1, unrestorable: 0 } })
    assert.deepEqual(await names(), [first.name, 'Süd'].sort())
    assert.equal((await tenant.owner.get(`/stores/${store.id}`)).status, 404)
  })

  test('cannot come back where something is in its place, and everything else does', async () => {
    const [first, second] = exported.rows('stores')
    const lost = second.is_default ? first : second
    await query('delete from stores where tenant_id = $1 and id = $2', tenant.id, lost.id)
    const other = (await tenant.owner.post('/stores', { name: 'Other', code: lost.code })).body
    await query(`delete from notification_preferences where tenant_id = $1`, tenant.id)
    const tables = ['stores', 'notification_preferences']
    const done = await restore(t, path, { tenant: 'acme', tables })
    has(done.counts, { stores: { missing: 0, unrestorable: 1 }, notification_preferences: { missing: 1 } })
    await tenant.owner.delete(`/stores/${other.id}`)
    has((await restore(t, path, { tenant: 'acme', tables })).counts, { stores: { missing: 1, unrestorable: 0 } })
  })

  test('makes nobody an owner again who is none, and lets no key do more or longer than it may', async () => {
    const { owner } = tenant
    const { data } = (await owner.get('/roles?limit=100')).body
    const role = data.find(({ name }: { name: string }) => name === 'owner').id
    const second = await tenant.member({ role: 'staff' })
    await owner.post(`/users/${second.userId}/roles`, { role_id: role })
    const made = (await owner.post('/api-keys', { name: 'Wide', scopes: ['store.view', 'store.update'] })).body
    const wide = await keep((await exportBySystem(t, tenant.id)).zip)
    await owner.delete(`/users/${second.userId}/roles/${role}`)
    const narrow = { scopes: ['store.view'], allowed_cidrs: ['192.0.2.0/24'], expires_at: '2099-01-01T00:00:00.000Z' }
    assert.equal((await owner.put(`/api-keys/${made.id}`, narrow)).status, 200)
    const { role_assignments } = (await restore(t, wide, { tenant: 'acme' })).counts
    assert.equal(role_assignments?.unrestorable, 1)
    assert.equal((await owner.get(`/users/${second.userId}`)).body.is_owner, false)
    has((await owner.get(`/api-keys/${made.id}`)).body, narrow)
    // The owner's own comes back, or nobody could make owners.
    await query('delete from role_assignments where tenant_id = $1', tenant.id)
    await restore(t, wide, { tenant: 'acme' })
    assert.equal((await owner.get(`/users/${owner.userId}`)).body.is_owner, true)
    assert.equal((await owner.get(`/users/${second.userId}`)).body.is_owner, false)
    await owner.delete(`/users/${second.userId}`)
    await owner.delete(`/api-keys/${made.id}`)
  })

  test('brings nobody back to what was taken from them: keys stay revoked, people disabled, members stay out', async () => {
    await tenant.owner.delete(`/api-keys/${key.id}`)
    await tenant.owner.put(`/users/${mia.userId}`, { status: 'disabled' })
    await query('delete from role_assignments where tenant_id = $1 and user_id = $2', tenant.id, mia.userId)
    await restore(t, path, { tenant: 'acme' })
    const status = await query(
      `select (select revoked_at is not null from api_keys where tenant_id = $1 and id = $2) as key,
         (select status from members where tenant_id = $1 and id = $3) as member`,
      tenant.id,
      key.id,
      mia.userId,
    )
    assert.deepEqual(status, [{ key: true, member: 'disabled' }])
    assert.equal((await t.request('GET', '/api/v1/stores', { token: key.key })).status, 401)
    await tenant.owner.put(`/users/${mia.userId}`, { status: 'active' })
    // Roles alone bring nobody in.
    await query('delete from role_assignments where tenant_id = $1 and user_id = $2', tenant.id, mia.userId)
    await query('delete from members where tenant_id = $1 and id = $2', tenant.id, mia.userId)
    await restore(t, path, { tenant: 'acme', tables: ['role_assignments'] })
    assert.deepEqual(
      await query('select 1 from role_assignments where tenant_id = $1 and user_id = $2', tenant.id, mia.userId),
      [],
    )
    assert.deepEqual(
      await query('select 1 from user_tenants where tenant_id = $1 and user_id = $2', tenant.id, mia.userId),
      [],
    )
    await restore(t, path, { tenant: 'acme' })
    assert.equal((await mia.get('/stores')).status, 200)
  })

  test('does not come back without what no export has, or without its person', async () => {
    await query('delete from webhooks where tenant_id = $1', tenant.id)
    await query('delete from notification_preferences where tenant_id = $1', tenant.id)
    const hashes = await query('delete from api_key_hashes where tenant_id = $1 returning *', tenant.id)
    await query('delete from api_key_usage where tenant_id = $1', tenant.id)
    await query('delete from api_keys where tenant_id = $1', tenant.id)
    const gone = await tenant.member({ role: 'viewer', name: 'Gone' })
    const later = await exportBySystem(t, tenant.id)
    await query('delete from role_assignments where tenant_id = $1 and user_id = $2', tenant.id, gone.userId)
    await query('delete from members where id = $1', gone.userId)
    await query('delete from user_tenants where user_id = $1', gone.userId)
    await query('delete from notification_counts where id = $1', gone.userId)
    await query('delete from users where id = $1', gone.userId)
    const first = await restore(t, path, { tenant: 'acme', tables: ['webhooks', 'api_keys'] })
    assert.deepEqual(first.counts, {
      webhooks: { missing: 0, changed: 0, extra: 0, unrestorable: 1 },
      api_keys: { missing: 0, changed: 0, extra: 0, unrestorable: 1 },
    })
    const second = await restore(t, await keep(later.zip), { tenant: 'acme', tables: ['members', 'role_assignments'] })
    has(second.counts, { members: { missing: 0, unrestorable: 1 }, role_assignments: { unrestorable: 1 } })
    for (const row of hashes)
      await query(
        'insert into api_key_hashes select * from json_populate_record(null::api_key_hashes, $1)',
        JSON.stringify(row),
      ).catch(() => {})
  })
})

describe('a restore is refused', () => {
  const refused = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: Error) => error.name === 'ImportRefused' && message.test(error.message))

  test('of an export that this installation has not made, or that somebody has changed', async () => {
    const changed = await keep(
      await bent(exported, ({ manifest }) => Object.assign(manifest, { exported_at: '2026-01-01T00:00:00.000Z' })),
    )
    await refused(restore(t, changed, { tenant: 'acme' }), /has not made this export, or somebody has changed it/)
    const [line = ''] = String(exported.entries.get('tables/role_assignments.ndjson')).split('\n')
    const crafted = await keep(await bent(exported, (all) => all.replace('tables/role_assignments.ndjson', [line])))
    await refused(restore(t, crafted, { tenant: 'acme' }), /has not made this export/)
    const unsealed = await keep(await bent(exported, ({ entries }) => void entries.delete('manifest.seal')))
    await refused(restore(t, unsealed, { tenant: 'acme' }), /has not made this export/)
    // The same manifest, and other rows.
    const rows = await keep(
      await bent(exported, ({ entries }) => {
        const store = String(entries.get('tables/stores.ndjson'))
        entries.set('tables/stores.ndjson', store.replace('Süd', 'Sud!'))
        entries.set('manifest.json', Buffer.from(exported.entries.get('manifest.json') ?? ''))
      }),
    )
    await refused(restore(t, rows, { tenant: 'acme' }), /stores\.ndjson is not what was exported/)
  })

  test('of another tenant, and of tables that are never written again or are not there', async () => {
    await refused(restore(t, path, { tenant: 'other-1' }), /this is an export of Acme .* and not of other-1/)
    await refused(restore(t, path, { tenant: 'nobody' }), /there is no tenant nobody/)
    await refused(
      restore(t, path, { tenant: 'acme', tables: ['audit_logs'] }),
      /rows of audit_logs are added, and never written again/,
    )
    await refused(restore(t, path, { tenant: 'acme', tables: ['sessions'] }), /the export has no table sessions/)
    await refused(restore(t, path, { tenant: 'acme', tables: ['tenant_jobs'] }), /no table tenant_jobs: work under way/)
  })
})

describe('an interrupted restore', () => {
  test('goes on as it began, and in no other way', async () => {
    await restore(t, path, { tenant: 'acme' })
    const own = await hashesOf(t, { only: tenant.id })
    await wipe()
    const stop = new AbortController()
    let written = 0
    const progress = {
      begins: (what: string) => {
        written = what === 'write' ? 1 : 0
      },
      passed: () => void (written > 0 && ++written > 4 && stop.abort()),
      note: () => {},
    }
    await assert.rejects(restore(t, path, { tenant: 'acme', stopping: stop.signal, progress }), { name: 'AbortError' })
    assert.equal((await query('select 1 from tenant_restores where tenant_id = $1', tenant.id)).length, 1)
    await refused(
      restore(t, path, { tenant: 'acme', replaces: true }),
      /a restore of acme was interrupted: go on with it as it began/,
    )
    await refused(restore(t, path, { tenant: 'acme', tables: ['stores'] }), /was interrupted/)
    const ends = await Promise.allSettled([restore(t, path, { tenant: 'acme' }), restore(t, path, { tenant: 'acme' })])
    const failed = ends.filter((end) => end.status === 'rejected')
    assert.ok(failed.length <= 1, failed.map(({ reason }) => String(reason)).join())
    for (const { reason } of failed) assert.match(String(reason), /another process restores this tenant/)
    const now = await hashesOf(t, { only: tenant.id })
    for (const table of WIPED) assert.equal(now.get(table), own.get(table), table)
    assert.equal((await query('select 1 from tenant_restores')).length, 0)
  })
  const refused = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error: Error) => error.name === 'ImportRefused' && message.test(error.message))
})
