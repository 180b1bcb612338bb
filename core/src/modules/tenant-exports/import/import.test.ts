import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newId, sql } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { tokenTo } from '../../auth/auth.fixture.ts'
import { removeMember } from '../../members/index.ts'
import { type Exported, linesIn } from '../tenant-exports.fixture.ts'
import { exportBySystem, importInto } from './import.fixture.ts'

/** Columns that say something else in another installation, as docs/tenant-export.md tells. */
const ANEW: Readonly<Record<string, readonly string[]>> = {
  tenants: ['updated_at', 'status', 'suspended_at'],
  files: ['missing_at', 'scan_status'],
  mails: ['status', 'next_attempt_at'],
  api_keys: ['revoked_at', 'counted_until', 'frozen_rights'],
  members: ['status', 'seat_ends_at'],
  audit_sinks: ['status', 'paused_reason', 'position', 'batch_end', 'next_attempt_at'],
  webhooks: ['header_names', 'is_active', 'disabled_reason', 'off_since', 'trial_at', 'next_attempt_at'],
}
/** Tables whose rows are others here. */
const OTHERS = ['subscriptions', 'limit_usage', 'mail_domains', 'role_assignments', 'invitations', 'invitation_roles']
/** Tables to which an import adds rows of its own. */
const ADDED = ['audit_logs', 'mails', 'notifications']

describe('a tenant with one of everything', () => {
  let folder = ''
  let from: TestCore
  let to: TestCore
  let exported: Exported
  let tenantId = ''
  let roleId = ''
  before(async () => {
    folder = await mkdtemp(join(quickFolder(), 'import-'))
    from = await createTestCore()
    to = await createTestCore()
    tenantId = await fill()
    exported = await exportBySystem(from, tenantId)
    await writeFile(join(folder, 'export.zip'), exported.zip)
  })
  after(async () => {
    await from?.close()
    await to?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** A row in every table that is exported. */
  async function fill(): Promise<string> {
    const { id, owner, member, run } = await from.foundTenant({ plan: 'business' })
    const post = async (path: `/${string}`, body: unknown) => {
      const answer = await owner.post(path, body)
      assert.ok(answer.status < 300, answer.text)
      return answer.body
    }
    const address = { line1: 'Weg 1', line2: null, city: 'Köln', region: null, postal_code: '50667', country: 'DE' }
    const store = await post('/stores', { name: 'Süd', address })
    const role = await post('/roles', { name: 'Barista', scope: 'store', permissions: ['store.view', 'file.view'] })
    roleId = role.id
    await member({ role: role.id, store: store.id, name: 'Mia Member' })
    await member({ role: 'owner', name: 'Otto Other' })
    const leaver = await member({ role: 'admin', name: 'Leo Leaver' })
    const key = (await leaver.post('/api-keys', { name: 'Till', scopes: ['store.view'] })).body
    await run((ctx) => removeMember(ctx, leaver.userId))
    const roles = [{ role_id: role.id, store_id: store.id }]
    await post('/users/invite', { email: 'ina@example.com', name: 'Ina', roles })
    await post('/webhooks', { url: 'https://example.com/hook', events: ['store.*'], headers: { 'X-Key': 'secret' } })
    await post('/audit/sinks', { url: 'https://example.com/sink' })
    await owner.put('/mail/domain', { domain: 'example.org', local_part: 'hello' })
    for (const name of ['one.txt', 'two.txt'])
      await owner.request('POST', '/files', {
        form: { fields: {}, file: { name, content: `This is ${name}`, type: 'text/plain' } },
      })
    const raw = (text: string, ...values: unknown[]) => from.core.db.systemQuery(`${text} returning 1`, [id, ...values])
    await raw('insert into api_key_usage values ($1, $2, $3, 3, 2, 1)', key.id, '2026-03-04')
    await raw(
      `insert into mail_suppressions values ($1, $2, 'gone@example.com', 'hard_bounce', null, null, now(), now())`,
      newId(),
    )
    await raw(`insert into notification_preferences values ($1, $2, now(), now(), '{}', null)`, owner.userId)
    await raw(`insert into limit_usage values ($1, 'something', '2026-01-01', 9007199254740993)`)
    await raw(
      `update tenants set settings = settings || '{"extra": {"figure": 12345678901234567890.10}}' where id = $1`,
    )
    await from.drainJobs(id)
    return id
  }

  test('is the same in another installation, row for row and file for file', async () => {
    for (const { name, rows } of exported.manifest.tables)
      assert.ok(rows > 0 || name === 'mail_domains', `${name} has no row to compare`)
    const path = join(folder, 'export.zip')
    const dry = await importInto(to, path, { isDry: true })
    assert.equal(await countOf(to, 'tenants'), 0)
    assert.equal(await countOf(to, 'users'), 0)
    const imported = await importInto(to, path)
    assert.deepEqual(imported, dry)
    has(imported, { tenantId, isRest: false, files: 2, people: { linked: 0, added: 4, none: 0 } })
    has(imported, { said: { status: 'active', plan: 'business' }, owner: { isActive: false } })

    const again = await exportBySystem(to, tenantId)
    const here = idsByThere(exported, again)
    const sums = (all: Exported, name: string, map: (row: string) => string) =>
      all.rows(name).map((row) => [row.id, sum(map(JSON.stringify(without(name, row))))])
    for (const { name } of exported.manifest.tables.filter(({ name }) => !OTHERS.includes(name))) {
      const there = sums(exported, name, (row) => row.replaceAll(/[0-9a-f-]{36}/g, (id) => here.get(id) ?? id))
      const ids = new Set(there.map(([id]) => here.get(id) ?? id))
      const rows = sums(again, name, (row) => row).filter(([id]) => !ADDED.includes(name) || ids.has(id))
      assert.deepEqual(rows.map(([, hash]) => hash).sort(), there.map(([, hash]) => hash).sort(), name)
    }
    // A number that is none of this language's.
    for (const each of [exported, again])
      assert.match(String(each.entries.get('tables/tenants.ndjson')), /: ?12345678901234567890\.10/)
    assert.deepEqual(again.files, exported.files)
    for (const { entry } of exported.files)
      if (entry) assert.deepEqual(again.entries.get(entry), exported.entries.get(entry))
  })

  test('has no id of a person in common with where it comes from', async () => {
    const again = await exportBySystem(to, tenantId)
    const all = [...again.entries].filter(([name]) => name !== 'manifest.json').map(([, content]) => String(content))
    for (const { id } of linesIn(exported.entries.get('people.ndjson')))
      for (const content of all) assert.ok(!content.includes(id), content)
  })

  test('lets nobody in who has not accepted: all are invited, to what they held', async () => {
    const people = await to.core.db.systemQuery<{ email: string; status: string; roles: { role_id: string }[] }>(
      `select u.email, m.status, i.roles from members m join users u on u.id = m.id
       left join invitations i on i.tenant_id = m.tenant_id and i.user_id = m.id where m.tenant_id = $1 order by m.name`,
      [tenantId],
    )
    assert.deepEqual(new Set(people.map(({ status }) => status)), new Set(['invited']))
    assert.equal(people.length, exported.rows('members').length)
    assert.equal(await countOf(to, 'role_assignments'), 0)
    assert.equal(await countOf(to, 'user_tenants'), 0)
    assert.equal(await countOf(to, 'user_passwords'), 0)
    const owner = exported.rows('roles').find(({ key }) => key === 'owner')
    // Ina's open invitation, Mia's role, the other owner without ownership, and the owner.
    const promised = people.map(({ roles }) => roles.map(({ role_id }) => role_id))
    assert.deepEqual(promised, [[roleId], [roleId], [owner.id], []])
  })

  test('belongs to its owner once they accept the invitation that was mailed to them, and to nobody else', async () => {
    await to.drainJobs(tenantId)
    const [row] = exported.rows('tenants')
    const people = linesIn(exported.entries.get('people.ndjson'))
    const email = people.find(({ id }) => id === row.owner_id)?.email
    assert.deepEqual(
      (await to.mails()).map(({ to }) => to),
      [email],
    )
    const body = { token: await tokenTo(to, email, 'invites you'), password: 'a quiet walk along the river' }
    const answer = await to.request('POST', '/api/v1/auth/accept-invite', { body })
    assert.equal(answer.status, 200, answer.text)
    const token = answer.body.access_token
    const stores = await to.request('GET', '/api/v1/stores', { token })
    assert.equal(stores.body.data.length, exported.rows('stores').length)
    const members = await to.request('GET', '/api/v1/users', { token })
    const owners = members.body.data.filter(({ is_owner }: { is_owner: boolean }) => is_owner)
    assert.deepEqual(
      owners.map((member: { email: string }) => member.email),
      [email],
    )
    const file = exported.files[0]
    const bytes = await to.request('GET', `/api/v1/files/${file?.id}/download`, { token })
    assert.deepEqual(bytes.bytes, exported.entries.get(file?.entry ?? ''))
  })

  test('is recorded in both logs, and not imported twice', async () => {
    const own = await to.core.db.systemQuery(
      `select 1 from audit_logs where tenant_id = $1 and action = 'tenant.imported' and actor_type = 'system'`,
      [tenantId],
    )
    const installation = await to.core.db.systemQuery(
      `select 1 from global_audit_logs where resource_id = $1 and action = 'admin.tenant_imported'`,
      [tenantId],
    )
    assert.deepEqual([own.length, installation.length], [1, 1])
    await assert.rejects(importInto(to, join(folder, 'export.zip')), /is here already/)
  })
})

/** Who of the one export is who in the other: by their addresses, and who has none by the key that they made. */
function idsByThere(there: Exported, here: Exported): Map<string, string> {
  const byEmail = new Map(linesIn(here.entries.get('people.ndjson')).map(({ id, email }) => [email, id]))
  const makers = new Map(here.rows('api_keys').map(({ id, created_by }) => [id, created_by]))
  const ids = new Map<string, string>()
  for (const { id, email } of linesIn(there.entries.get('people.ndjson')))
    if (email !== undefined) ids.set(id, byEmail.get(email))
  for (const { id, created_by } of there.rows('api_keys')) if (!ids.has(created_by)) ids.set(created_by, makers.get(id))
  return ids
}

const sum = (text: string) => createHash('sha256').update(text).digest('hex')

const without = (table: string, row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).filter(([column]) => !ANEW[table]?.includes(column)))

async function countOf(t: TestCore, table: string): Promise<number> {
  return t.core.run(
    async ({ tx }) => {
      const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)}`.execute(tx)
      return rows[0]?.count ?? -1
    },
    { role: 'system', tenantId: null },
  )
}
