import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { type Exported, linesIn } from '../tenant-exports.fixture.ts'
import { type Bent, bentAnew, exportBySystem, importInto } from './import.fixture.ts'
import type { Imported } from './import-tenant.ts'
import type { ImportOptions } from './steps.ts'

let folder = ''
let from: TestCore
let to: TestCore
let tenant: TestTenant
let exported: Exported
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'import-'))
  from = await createTestCore()
  // What it says is heard by nobody: it is not asked before a job runs.
  to = await createTestCore({ env: { CLAMAV_URL: 'tcp://127.0.0.1:9' } })
  tenant = await from.foundTenant({ plan: 'business' })
  const post = async (path: `/${string}`, body: unknown) =>
    assert.ok((await tenant.owner.post(path, body)).status < 300)
  await post('/roles', { name: 'Barista', permissions: ['store.view'] })
  await post('/api-keys', { name: 'Till', scopes: ['store.view'] })
  await post('/webhooks', { url: 'https://example.com/hook', events: ['store.*'] })
  await post('/users/invite', { email: 'ina@example.com' })
  for (const name of ['a.txt', 'b.txt']) {
    const file = { name, content: 'Hello', type: 'text/plain' }
    await tenant.owner.request('POST', '/files', { form: { fields: {}, file } })
  }
  exported = await exportBySystem(from, tenant.id)
})
after(async () => {
  await from?.close()
  await to?.close()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
async function importBent(change: (bent: Bent) => void, options: Partial<ImportOptions> = {}): Promise<Imported> {
  const path = join(folder, `${count++}.zip`)
  await writeFile(path, await bentAnew(exported, change))
  return importInto(to, path, options)
}
/** Changes the rows of a table. */
// biome-ignore lint/suspicious/noExplicitAny: rows of any shape
const rowsOf = (bent: Bent, table: string, change: (row: any, at: number) => unknown) => {
  const rows = linesIn(Buffer.from(bent.entries.get(`tables/${table}.ndjson`) ?? ''))
  bent.replace(
    `tables/${table}.ndjson`,
    rows.map((row, at) => JSON.stringify(change(row, at))),
  )
}
const stored = async (imported: Imported, what: string) =>
  // biome-ignore lint/suspicious/noExplicitAny: rows of any shape
  await to.core.db.systemQuery<any>(
    `select * from ${what} where ${what === 'tenants' ? 'id' : 'tenant_id'} = $1 order by id`,
    [imported.tenantId],
  )

describe('what an export says', () => {
  const cases: [string, string, Record<string, unknown>, RegExp][] = [
    ['a name of two lines', 'tenants', { name: 'a\nb' }, /tenants\.name of .* is nothing that could be written/],
    ['a name that is too long', 'tenants', { name: 'a'.repeat(201) }, /tenants\.name/],
    ['a colour that is none', 'tenants', { branding: { primary_color: 'red' } }, /tenants\.branding/],
    ['a colour that cannot be seen', 'tenants', { branding: { primary_color: '#ffffff' } }, /contrast/],
    ['more branding than there is', 'tenants', { branding: { logo_url: 'https://evil.example' } }, /tenants\.branding/],
    ['settings that are none', 'tenants', { settings: [] }, /tenants\.settings|settings are no object/],
    ['a setting of another form', 'tenants', { settings: { timezone: 'Mars/Base' } }, /the setting timezone/],
    ['a setting of a store of another form', 'stores', { settings: { currency: 'EURO' } }, /the setting currency/],
    ['an address of another form', 'stores', { address: { street: 'x' } }, /stores\.address/],
    ['a code in small letters', 'stores', { code: 'main' }, /not in upper case/],
    ['a role that looks like a built-in one', 'roles', { name: 'Owner', key: null, is_system: false }, /built-in role/],
    ['a version of another time', 'webhooks', { api_version: '1999-01-01' }, /no such version/],
    ['a limit beyond all', 'api_keys', { rate_limit_per_minute: 0 }, /api_keys\.rate_limit_per_minute/],
    ['a name with a path', 'files', { filename: '../../etc/passwd' }, /its name is none that a disk takes/],
    ['a thing of another form', 'files', { entity_type: '<b>', entity_id: newId() }, /files\.entity_type/],
    ['roles of another form', 'invitations', { roles: [{ role_id: 'x' }] }, /invitations\.roles/],
    ['what people have chosen in another form', 'members', { name: '' }, /members\.name/],
  ]
  for (const [what, table, change, message] of cases)
    test(`is refused where no request could have written it: ${what}`, async () => {
      const before = await to.core.db.systemQuery('select 1 from tenant_imports')
      await assert.rejects(
        importBent((bent) => rowsOf(bent, table, (row) => ({ ...row, ...change }))),
        (error: Error) => error.name === 'ImportRefused' && message.test(error.message),
      )
      assert.equal(
        (await to.core.db.systemQuery('select 1 from tenant_imports')).length,
        before.length,
        'nothing was written',
      )
    })

  test('is refused where its slug is reserved, has the form of an id, is none, or is another tenant’s', async () => {
    const other = await to.foundTenant({ name: 'Taken Already' })
    for (const [slug, message] of [
      ['admin', /is reserved/],
      [newId(), /form of an id/],
      ['A b', /is none/],
      ['taken-already', /belongs to another tenant/],
    ] as const) {
      const say = ({ manifest }: Bent) => Object.assign(manifest.tenant, { slug })
      await assert.rejects(importBent(say), message)
      await assert.rejects(
        importBent(() => {}, { slug }),
        message,
      )
    }
    assert.equal((await other.owner.get('/stores')).status, 200)
  })

  test('of its plan and its status is shown, and not taken', async () => {
    const bent = (bent: Bent) => {
      rowsOf(bent, 'tenants', (row) => ({ ...row, status: 'suspended', suspended_reason: 'unpaid' }))
    }
    const planOf = async ({ tenantId }: Imported) =>
      to.core.db.systemQuery<{ code: string; status: string }>(
        'select p.code, s.status from subscriptions s join plans p on p.id = s.plan_id where s.tenant_id = $1',
        [tenantId],
      )
    const plain = await importBent(bent)
    assert.deepEqual(plain.said, { status: 'suspended', plan: 'business' })
    has((await stored(plain, 'tenants'))[0], { status: 'active', suspended_reason: null })
    // What a new tenant gets, whose founder may have had their trials.
    assert.match((await planOf(plain))[0]?.code ?? '', /^(starter|free)$/)
    assert.deepEqual(await planOf(await importBent(bent, { plan: 'business' })), [
      { code: 'business', status: 'active' },
    ])
    await assert.rejects(importBent(bent, { plan: 'gold' }), /there is no plan gold/)
  })

  test('of a file is what was read, whatever its row says, and it is looked at by the scanner', async () => {
    const lie = { size: 1, checksum_sha256: '0'.repeat(64), content_type: 'text/html', scan_status: 'clean' }
    const imported = await importBent((bent) => rowsOf(bent, 'files', (row) => ({ ...row, ...lie })))
    const facts = exported.rows('files')[0]
    for (const file of await stored(imported, 'files'))
      has(file, {
        ...{ size: 5, checksum_sha256: facts.checksum_sha256, content_type: 'text/plain' },
        ...{ scan_status: 'pending', storage_backend: 'local', storage_path: `files/${imported.tenantId}/${file.id}` },
      })
    const jobs = await to.core.db.systemQuery(
      `select 1 from tenant_jobs where tenant_id = $1 and task = 'files.scan'`,
      [imported.tenantId],
    )
    assert.equal(jobs.length, 2)
    // Bytes that say nothing of what the name promises are given to nobody to look into.
    const renamed = await importBent((bent) => rowsOf(bent, 'files', (row) => ({ ...row, filename: 'a.png' })))
    for (const file of await stored(renamed, 'files')) assert.equal(file.content_type, 'application/octet-stream')
    await assert.rejects(
      importBent((bent) => rowsOf(bent, 'files', (row) => ({ ...row, id: newId() }))),
      /files\.ndjson does not tell of the file/,
    )
  })

  test('of what works elsewhere alone is there to be seen: keys are revoked, webhooks off', async () => {
    const imported = await importBent((bent) => {
      rowsOf(bent, 'webhooks', (row) => ({ ...row, is_active: true }))
      rowsOf(bent, 'tenants', (row) => ({ ...row, settings: { ...row.settings, unheard_of: 1, currency: 'CHF' } }))
      rowsOf(bent, 'roles', (row) =>
        row.key ? { ...row, scope: 'store', description: 'x' } : { ...row, permissions: ['store.view', 'all.of.it'] },
      )
    })
    assert.ok((await stored(imported, 'api_keys'))[0].revoked_at)
    has((await stored(imported, 'webhooks'))[0], { is_active: false, header_names: [] })
    const elsewhere = await importBent((bent) =>
      rowsOf(bent, 'webhooks', (row) => ({ ...row, url: 'javascript:alert(1)' })),
    )
    assert.deepEqual(await stored(elsewhere, 'webhooks'), [], 'one to where nothing is sent is left out')
    // What nobody here knows is left out, and built-in roles are the ones of here.
    assert.deepEqual((await stored(imported, 'tenants'))[0].settings, { currency: 'CHF' })
    const roles = await stored(imported, 'roles')
    assert.deepEqual(roles.find(({ key }: { key: string | null }) => key === null).permissions, ['store.view'])
    has(
      roles.find(({ key }: { key: string | null }) => key === 'owner'),
      { scope: 'tenant', permissions: [] },
    )
    assert.match(roles.find(({ key }: { key: string | null }) => key === 'owner').description, /everything/)
  })

  test('of built-in roles and the default store is made up for where it says nothing', async () => {
    const imported = await importBent((bent) => {
      bent.replace('tables/roles.ndjson', [])
      bent.replace('tables/role_assignments.ndjson', [])
      bent.replace('tables/stores.ndjson', [])
    })
    assert.equal((await stored(imported, 'roles')).length, 5)
    assert.deepEqual(
      (await stored(imported, 'stores')).map(({ is_default }: { is_default: boolean }) => is_default),
      [true],
    )
  })
})
