import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
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
      importBent(({ manifest }) => Object.assign(manifest.files, { whole: 7 })),
      /other files than the manifest counts/,
    )
    await refused(
      importBent((bent) => bent.replace('files.ndjson', [])),
      /does not tell of every file/,
    )
    await refused(
      importBent((bent) => bent.replace('files.ndjson', [...lines('files.ndjson'), ...lines('files.ndjson')])),
      /twice, or not in its order/,
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

  test('whose entries lie over each other', async () => {
    // The directory says that the second one begins where the first does.
    const zip = Buffer.from(exported.zip)
    const directory = zip.readUInt32LE(zip.length - 6)
    const second = zip.indexOf(Buffer.from('PK\x01\x02'), directory + 4)
    const at = (entry: number) => entry + 46 + zip.readUInt16LE(entry + 28)
    assert.ok(second > directory)
    // Where it begins stands behind its name, or in its own field.
    const field = (entry: number) => (zip.readUInt32LE(entry + 42) === 0xffff_ffff ? at(entry) + 4 + 16 : entry + 42)
    zip.copy(zip, field(second), field(directory), field(directory) + 4)
    await refused(importInto(to, await store(zip)), /lies over another entry/)
  })

  test('with lines that no export has', async () => {
    const lineIn = (entry: string, line: string | Buffer) =>
      importBent(({ entries, manifest }) => {
        const content = Buffer.concat([Buffer.from(line), Buffer.from('\n')])
        entries.set(entry, content)
        const sha256 = createHash('sha256').update(content).digest('hex')
        for (const told of [...manifest.tables, manifest.people, manifest.files])
          if (told.entry === entry) Object.assign(told, { rows: 1, bytes: content.length, sha256 })
      })
    const [row = ''] = String(exported.entries.get('tables/stores.ndjson')).split('\n')
    const stores = 'tables/stores.ndjson'
    const changed = (change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(row), ...change })
    await refused(lineIn(stores, 'x'), /a line of tables\/stores\.ndjson is no JSON/)
    await refused(lineIn(stores, '[]'), /is no object/)
    await refused(lineIn(stores, `{"a":${'['.repeat(100_000)}`), /nested deeper/)
    await refused(lineIn(stores, Buffer.from([0x22, 0xff, 0x22])), /no text in UTF-8/)
    await refused(lineIn(stores, `"${'a'.repeat(17 * 1024 * 1024)}"`), /longer than any row/)
    await refused(lineIn(stores, changed({ more: 1 })), /other columns than the manifest says/)
    await refused(lineIn(stores, changed({ phone: 'a\0b' })), /a text that cannot be stored/)
    // PostgreSQL would read each of these.
    await refused(lineIn(stores, changed({ id: newId().toUpperCase() })), /stores\.id of .* is no uuid/)
    await refused(lineIn(stores, changed({ created_at: 'now' })), /is no timestamp/)
    await refused(lineIn(stores, changed({ is_default: 'yes' })), /is no boolean/)
    await refused(lineIn(stores, changed({ name: null })), /stores\.name of .* is null/)
    const twice = (bent: Bent) => bent.replace(stores, [row, row])
    await refused(importBent(twice), /the table stores has .* twice/)
    const person = String(exported.entries.get('people.ndjson')).trim()
    const other = JSON.stringify({ ...JSON.parse(person), id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' })
    await refused(
      importBent((bent) => bent.replace('people.ndjson', [person, other])),
      /two people with the address/,
    )
    await refused(
      importBent((bent) => bent.replace('people.ndjson', [person, person])),
      /the person .* twice/,
    )
  })

  test('and nothing that it is called does anything to a terminal', async () => {
    const commands = '\u001b]0;owned\u0007\u001b[2J\u202e'
    await assert.rejects(
      importBent(({ manifest }) => Object.assign(manifest.tables[0] ?? {}, { module: commands })),
      (error: Error) => {
        assert.match(error.message, /belongs to the module .* here, and to /)
        assert.ok(!/[\p{Cc}\p{Cf}]/u.test(error.message), JSON.stringify(error.message))
        return true
      },
    )
  })
})
