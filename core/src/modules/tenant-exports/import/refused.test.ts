import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { defineModule, type ExportRules, type Module, newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { builtinModules } from '../../index.ts'
import type { Exported } from '../tenant-exports.fixture.ts'
import { type Bent, bent, exportBySystem, importInto, zipOf } from './import.fixture.ts'

let folder = ''
let from: TestCore
let to: TestCore
let tenant: TestTenant
let exported: Exported
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'import-'))
  from = await createTestCore()
  to = await createTestCore()
  tenant = await from.foundTenant({ plan: 'business' })
  const file = { name: 'a.txt', content: 'Hello', type: 'text/plain' }
  await tenant.owner.request('POST', '/files', { form: { fields: {}, file } })
  exported = await exportBySystem(from, tenant.id)
})
after(async () => {
  await from?.close()
  await to?.close()
  await rm(folder, { recursive: true, force: true })
})

let files = 0
const store = async (zip: Buffer | string) => {
  const path = join(folder, `${files++}.zip`)
  await writeFile(path, zip)
  return path
}
/** Imports what somebody has changed. */
const importBent = async (change: (bent: Bent) => void, into = to) =>
  importInto(into, await store(await bent(exported, change)))
const count = async (t: TestCore, what: string) =>
  (await t.core.db.systemQuery<{ count: number }>(`select count(*)::int as count from ${what}`))[0]?.count
const refused = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: Error) => {
    assert.equal(error.name, 'ImportRefused', String(error))
    assert.match(error.message, message)
    return true
  })

describe('an export is refused before anything is written', () => {
  const entriesOf = () => [...exported.entries].map(([name, content]) => ({ name, content }))
  after(async () => {
    assert.equal(await count(to, 'tenants'), 0)
    assert.equal(await count(to, 'tenant_imports'), 0)
    assert.equal(await count(to, 'users'), 0)
  })

  test('that is no ZIP file, or a part of one', async () => {
    await refused(importInto(to, await store('nothing')), /no ZIP file/)
    await refused(importInto(to, await store('')), /no ZIP file/)
    await refused(importInto(to, await store(exported.zip.subarray(0, 5_000))), /no ZIP file/)
    await refused(importInto(to, await store(await zipOf([]))), /has no manifest\.json/)
    await assert.rejects(importInto(to, join(folder, 'absent.zip')), { code: 'ENOENT' })
  })

  test('of which a byte has changed', async () => {
    // In the content of the first table, of a file, and in the directory.
    const places = [75, 200, exported.zip.indexOf('Hello'), exported.zip.length - 6]
    for (const place of places) {
      const zip = Buffer.from(exported.zip)
      zip[place] = (zip[place] ?? 0) ^ 0x20
      await assert.rejects(importInto(to, await store(zip)), String(place))
    }
  })

  test('with entries that no export has', async () => {
    const more = async (name: string, content = 'x', isCompressed?: boolean) =>
      importInto(
        to,
        await store(
          await zipOf([...entriesOf(), { name, content, ...(isCompressed !== undefined && { isCompressed }) }]),
        ),
      )
    for (const name of [
      '../../etc/passwd',
      '/etc/passwd',
      'files/../x',
      'tables/..\\x.ndjson',
      `files/${newId()}/../../x`,
    ])
      await refused(more(name), /invalid relative path|absolute path|invalid characters|is no entry of an export/)
    for (const name of ['readme.txt', 'files/x/y', 'tables/Stores.ndjson', 'tables/a/b.ndjson', `files/${newId()}/a/b`])
      await refused(more(name), /is no entry of an export/)
    await refused(more('manifest.json'), /is there twice/)
    await refused(more('tables/stores.ndjson'), /is there twice/)
    await refused(more('tables/something.ndjson'), /says nothing of tables\/something/)
    await refused(more(`files/${newId()}/x`), /does not tell of every file/)
    await refused(more(`files/${newId()}/x`, 'x', true), /is compressed/)
  })

  test('that is a bomb', async () => {
    const zeros = Buffer.alloc(80 * 1024 * 1024)
    await refused(importInto(to, await store(await zipOf([{ name: 'people.ndjson', content: zeros }]))), /much larger/)
    await refused(
      importInto(
        to,
        await store(await zipOf([{ name: 'manifest.json', content: Buffer.alloc(17 * 1024 * 1024, ' ') }])),
      ),
      /manifest\.json is larger/,
    )
  })

  test('whose manifest says something else than it holds', async () => {
    const table = (bent: Bent, name = 'stores') => {
      const found = bent.manifest.tables.find((each) => each.name === name)
      assert.ok(found)
      return found
    }
    const lines = (name: string) => String(exported.entries.get(name)).trim().split('\n')
    await refused(
      importBent(({ entries }) => entries.set('manifest.json', '{')),
      /no JSON/,
    )
    await refused(
      importBent(({ entries }) => entries.set('manifest.json', '[]')),
      /not what an export has/,
    )
    await refused(
      importBent(({ manifest }) => Object.assign(manifest, { format_version: 2 })),
      /of the format 2.*update this installation/,
    )
    await refused(
      importBent(({ manifest }) => Object.assign(manifest, { more: 1 })),
      /not what an export has/,
    )
    await refused(
      importBent((bent) => Object.assign(table(bent), { sha256: '0'.repeat(64) })),
      /stores\.ndjson is not what was exported/,
    )
    await refused(
      importBent((bent) => Object.assign(table(bent), { rows: 99 })),
      /has 1 rows, and not 99/,
    )
    await refused(
      importBent((bent) => Object.assign(table(bent), { bytes: 1 })),
      /not of the size/,
    )
    await refused(
      importBent((bent) => Object.assign(table(bent), { entry: 'tables/roles.ndjson' })),
      /where tables\/stores\.ndjson is meant/,
    )
    await refused(
      importBent((bent) => bent.entries.delete('tables/stores.ndjson')),
      /not of the size/,
    )
    await refused(
      importBent((bent) => bent.replace('files.ndjson', [])),
      /does not tell of every file/,
    )
    await refused(
      importBent((bent) => bent.replace('files.ndjson', [...lines('files.ndjson'), ...lines('files.ndjson')])),
      /or of one twice/,
    )
    const elsewhere = JSON.stringify({ ...exported.files[0], entry: 'tables/stores.ndjson' })
    await refused(
      importBent((bent) => bent.replace('files.ndjson', [elsewhere])),
      /a line of files\.ndjson/,
    )
    await refused(
      importBent((bent) => bent.replace('people.ndjson', ['{"id": "x"}'])),
      /a line of people\.ndjson/,
    )
    await refused(
      importBent((bent) =>
        bent.replace('people.ndjson', [JSON.stringify({ id: newId(), is_member: true, email: 'no address' })]),
      ),
      /a line of people\.ndjson/,
    )
  })

  test('of tables that are not imported here, or are newer', async () => {
    const rename =
      (name: string, module = 'x') =>
      (bent: Bent) => {
        const table = bent.manifest.tables.find((each) => each.name === 'webhooks')
        assert.ok(table)
        bent.entries.delete(table.entry)
        Object.assign(table, { name, module, entry: `tables/${name}.ndjson`, rows: 0 })
        bent.entries.set(table.entry, '')
      }
    await refused(importBent(rename('unknown')), /the table unknown of the module x is none/)
    // Sealed or under way: nobody brings rows of these in.
    for (const name of ['tenant_jobs', 'idempotency_keys', 'audit_blocks', 'push_subscriptions', 'users', 'sessions'])
      await refused(importBent(rename(name, 'kernel')), new RegExp(`the table ${name} .* is none`))
    const newer = (bent: Bent) =>
      Object.assign(bent.manifest.tables.find(({ name }) => name === 'roles') ?? {}, { schema_version: 99 })
    await refused(importBent(newer), /roles was exported by a newer version of roles \(99; here it is \d+\)/)
    const without = (bent: Bent) => {
      const table = bent.manifest.tables.find(({ name }) => name === 'stores')
      if (table) table.columns = table.columns.filter(({ name }) => name !== 'code')
    }
    await refused(importBent(without), /the table stores needs code/)
  })
})

describe('rows of an export', () => {
  test('that refer to a plan which is not here stop it before anything is written', async () => {
    const [line = ''] = String(exported.entries.get('tables/subscriptions.ndjson')).split('\n')
    const plan = newId()
    const other = JSON.stringify({ ...JSON.parse(line), plan_id: plan })
    await refused(
      importBent((bent) => bent.replace('tables/subscriptions.ndjson', [other])),
      new RegExp(`subscriptions.plan_id refers to plans ${plan}, which is not here`),
    )
    assert.equal(await count(to, 'tenants'), 0)
  })

  test('that belong to another tenant are not read, and nothing lets anybody in', async () => {
    const own = await createTestCore()
    try {
      const victim = await own.foundTenant()
      const [line = ''] = String(exported.entries.get('tables/stores.ndjson')).split('\n')
      const forged = {
        ...JSON.parse(line),
        tenant_id: victim.id,
        id: newId(),
        code: 'X',
        name: 'X',
        is_default: false,
      }
      // Of two fields of one name the database reads the last.
      const twice = JSON.stringify(forged).replace('{', `{"tenant_id":"${tenant.id}",`)
      const path = await store(await bent(exported, (bent) => bent.replace('tables/stores.ndjson', [twice])))
      await refused(importInto(own, path), /stores does not belong to the tenant/)
      assert.equal(await count(own, `stores where tenant_id = '${victim.id}'`), 1)
      assert.equal(await count(own, `tenants where id = '${tenant.id}' and status = 'suspended'`), 1)
      // It goes on with that one alone, as long as what was read of it is here.
      await refused(importInto(own, await store(exported.zip)), /from another export/)
    } finally {
      await own.close()
    }
  })

  test('that the database refuses are named', async () => {
    const own = await createTestCore()
    try {
      const [line = ''] = String(exported.entries.get('tables/stores.ndjson')).split('\n')
      await refused(
        importBent((bent) => bent.replace('tables/stores.ndjson', [line, line]), own),
        /a row of the table stores does not fit: .*duplicate key/,
      )
    } finally {
      await own.close()
    }
  })
})

describe('where there is something already', () => {
  test('a slug that is taken may be another one, and people are found by their addresses', async () => {
    const own = await createTestCore()
    try {
      const other = await own.foundTenant({ name: tenant.name })
      const path = await store(exported.zip)
      await refused(importInto(own, path), /the slug .* belongs to another tenant: choose one with --slug/)
      // The same person has another id here.
      const person = await own.addPerson('Olga Elsewhere')
      await own.core.db.systemQuery('update users set email = $2, email_normalized = $2 where id = $1', [
        person.userId,
        tenant.owner.email,
      ])
      has(await importInto(own, path, { slug: 'another-slug' }), { slug: 'another-slug' })
      const again = await exportBySystem(own, tenant.id)
      const [row] = again.rows('tenants')
      has(row, { id: tenant.id, slug: 'another-slug', owner_id: person.userId, status: 'active' })
      assert.deepEqual(
        again.rows('members').map(({ id }) => id),
        [person.userId],
      )
      assert.ok(!String(again.entries.get('tables/audit_logs.ndjson')).includes(tenant.owner.userId))
      assert.equal(await count(own, `users where id = '${tenant.owner.userId}'`), 0)
      const { status, body } = await own.request('GET', '/api/v1/stores', { token: await person.in(tenant.id).token() })
      assert.deepEqual([status, body.data.length], [200, exported.rows('stores').length])
      assert.equal((await other.owner.get('/stores')).status, 200)
    } finally {
      await own.close()
    }
  })
})

describe('an older export', () => {
  const CREATE = `create table orders (tenant_id uuid not null, id uuid not null, number integer not null, note text, primary key (tenant_id, id));
select tenantry.tenant_table('orders');`
  const CHANGE = `alter table orders add column state text not null default 'open', add column total numeric, drop column note;`
  const shop = (version: string, exported: ExportRules = {}): Module =>
    defineModule({ name: 'shop', migrations: pathToFileURL(`${join(folder, version)}/`), exported })

  test('is read by a newer version: new columns take their defaults, and what is no more is said', async () => {
    for (const [version, files] of [
      ['old', [CREATE]],
      ['new', [CREATE, CHANGE]],
    ] as const) {
      await mkdir(join(folder, version))
      for (const [at, sql] of files.entries()) await writeFile(join(folder, version, `000${at + 1}.sql`), sql)
    }
    const old = await createTestCore({ modules: [...builtinModules, shop('old')] })
    const newer = await createTestCore({ modules: [...builtinModules, shop('new')] })
    try {
      const { id } = await old.foundTenant()
      await old.core.db.systemQuery("insert into orders values ($1, $2, 7, 'in a hurry') returning id", [id, newId()])
      const path = await store((await exportBySystem(old, id)).zip)
      const notes: string[] = []
      await importInto(newer, path, {
        progress: { begins: () => {}, passed: () => {}, note: (text) => notes.push(text) },
      })
      const again = await exportBySystem(newer, id)
      has(again.rows('orders'), [{ number: 7, state: 'open', total: null }])
      assert.deepEqual(notes, ['orders.note is left out: it is not there any more'])
      await refused(importInto(from, path), /the table orders of the module shop is none/)
      const { id: second } = await newer.foundTenant()
      await refused(
        importInto(old, await store((await exportBySystem(newer, second)).zip)),
        /orders was exported by a newer version of shop \(2; here it is 1\)/,
      )
    } finally {
      await old.close()
      await newer.close()
    }
  })
})
