import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { removeMember } from '../../members/index.ts'
import { type Exported, linesIn } from '../tenant-exports.fixture.ts'
import { exportBySystem, importInto } from './import.fixture.ts'

/** Columns that say something else in another installation, as docs/tenant-export.md tells. */
const ANEW: Readonly<Record<string, readonly string[]>> = {
  files: ['missing_at'],
  mails: ['status', 'next_attempt_at'],
  audit_sinks: ['status', 'paused_reason', 'position', 'batch_end'],
  webhooks: ['header_names', 'is_active', 'disabled_reason', 'off_since', 'trial_at', 'next_attempt_at'],
}

describe('a tenant with one of everything', () => {
  let folder = ''
  let from: TestCore
  let to: TestCore
  let exported: Exported
  let tenantId = ''
  before(async () => {
    folder = await mkdtemp(join(quickFolder(), 'import-'))
    from = await createTestCore()
    to = await createTestCore()
    tenantId = await fill()
    exported = await exportBySystem(from, tenantId)
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
    const store = await post('/stores', {
      name: 'Süd',
      address: { line1: 'Weg 1', line2: null, city: 'Köln', region: null, postal_code: '50667', country: 'DE' },
    })
    const role = await post('/roles', { name: 'Barista', scope: 'store', permissions: ['store.view', 'file.view'] })
    await member({ role: role.id, store: store.id })
    const leaver = await member({ role: 'admin', name: 'Leo Leaver' })
    const key = (await leaver.post('/api-keys', { name: 'Till', scopes: ['store.view'] })).body
    await post('/api-keys', { name: 'Old', scopes: ['store.view'] })
    await run((ctx) => removeMember(ctx, leaver.userId))
    await post('/users/invite', {
      email: 'ina@example.com',
      name: 'Ina',
      roles: [{ role_id: role.id, store_id: store.id }],
    })
    await post('/webhooks', { url: 'https://example.com/hook', events: ['store.*'], headers: { 'X-Key': 'secret' } })
    await post('/audit/sinks', { url: 'https://example.com/sink' })
    for (const name of ['one.txt', 'two.txt'])
      await owner.request('POST', '/files', {
        form: { fields: {}, file: { name, content: `This is ${name}`, type: 'text/plain' } },
      })
    const raw = (sql: string, ...values: unknown[]) => from.core.db.systemQuery(`${sql} returning 1`, [id, ...values])
    await raw('insert into api_key_usage values ($1, $2, $3, 3, 2, 1)', key.id, '2026-03-04')
    await raw(
      `insert into mail_suppressions values ($1, $2, 'gone@example.com', 'hard_bounce', null, null, now(), now())`,
      newId(),
    )
    await raw(`insert into notification_preferences values ($1, $2, now(), now(), '{}', null)`, owner.userId)
    await raw(`insert into limit_usage values ($1, 'something', '2026-01-01', 9007199254740993)`)
    await from.drainJobs(id)
    return id
  }

  test('is the same in another installation, row for row and file for file', async () => {
    for (const { name, rows } of exported.manifest.tables) assert.ok(rows > 0, `${name} has no row to compare`)
    assert.ok(exported.manifest.files.whole > 0)
    const path = join(folder, 'export.zip')
    await writeFile(path, exported.zip)
    const dry = await importInto(to, path, { isDry: true })
    assert.equal(await tenantsOf(to), 0)
    const imported = await importInto(to, path)
    assert.deepEqual(imported, dry)
    has(imported, { tenantId, isRest: false, files: exported.manifest.files.whole })

    const again = await exportBySystem(to, tenantId)
    for (const { name } of exported.manifest.tables) {
      const [there, here] = [exported, again].map((each) => each.rows(name).map((row) => without(name, row)))
      // What the import and the exports have caused.
      const isOwn = ({ action }: { action?: string }) =>
        action?.startsWith('tenant.export') || action === 'tenant.imported'
      const caused = name === 'notifications' || name === 'notification_counts' || name === 'mails'
      const ids = new Set(there?.map((row) => JSON.stringify(row)))
      const rest = here?.filter((row) => !isOwn(row) && !(caused && !ids.has(JSON.stringify(row))))
      assert.deepEqual(
        rest,
        there?.filter((row) => !isOwn(row)),
        name,
      )
    }
    assert.deepEqual(linesIn(again.entries.get('people.ndjson')), linesIn(exported.entries.get('people.ndjson')))
    assert.deepEqual(again.files, exported.files)
    for (const { entry } of exported.files)
      if (entry) assert.deepEqual(again.entries.get(entry), exported.entries.get(entry))
  })

  test('is open to its people, who set a password by a mail', async () => {
    const [row] = await to.core.db.systemQuery<{ status: string; people: number; passwords: number }>(
      `select status, (select count(*)::int from user_tenants where tenant_id = t.id) as people,
         (select count(*)::int from user_passwords) as passwords from tenants t where id = $1`,
      [tenantId],
    )
    const members = exported.rows('members').length
    assert.deepEqual(row, { status: 'active', people: members, passwords: 0 })
  })

  test('is not imported twice', async () => {
    await assert.rejects(importInto(to, join(folder, 'export.zip')), /is here already/)
  })
})

const without = (table: string, row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).filter(([column]) => !ANEW[table]?.includes(column))) as { action?: string }

async function tenantsOf(t: TestCore): Promise<number> {
  const [row] = await t.core.db.systemQuery<{ count: number }>('select count(*)::int as count from tenants')
  return row?.count ?? -1
}
