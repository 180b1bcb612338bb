import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { defineModule, type ExportRules, type Module, newId } from '#kernel'
import { createTestCore, type TestCore } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { builtinModules } from '../../index.ts'
import { exportBySystem, importInto } from './import.fixture.ts'

const CREATE = `create table orders (tenant_id uuid not null, id uuid not null, number integer not null, note text, primary key (tenant_id, id));
select tenantry.tenant_table('orders');`
const CHANGE = `alter table orders add column state text not null default 'open', add column total numeric, drop column note;`
const SPLIT = `alter table orders add column series text not null; alter table orders add column place integer not null;
alter table orders drop column number;`

let folder = ''
const cores: TestCore[] = []
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'import-'))
})
after(async () => {
  for (const core of cores) await core.close()
  await rm(folder, { recursive: true, force: true })
})

/** A core with an application's module of these migrations. */
async function coreWith(migrations: readonly string[], exported: ExportRules = {}): Promise<TestCore> {
  const path = await mkdtemp(join(folder, 'shop-'))
  for (const [at, sql] of migrations.entries()) await writeFile(join(path, `000${at + 1}.sql`), sql)
  const shop: Module = defineModule({ name: 'shop', migrations: pathToFileURL(`${path}/`), exported })
  const core = await createTestCore({ modules: [...builtinModules, shop] })
  cores.push(core)
  return core
}

async function keep(zip: Buffer): Promise<string> {
  const path = join(await mkdtemp(join(folder, 'zip-')), 'export.zip')
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, zip)
  return path
}

test('an older export is read by a newer version, which brings its rows up', async () => {
  const old = await coreWith([CREATE])
  const { id } = await old.foundTenant()
  for (const [number, note] of [
    [7, 'in a hurry'],
    [8, 'void'],
  ] as const)
    await old.core.db.systemQuery('insert into orders values ($1, $2, $3, $4) returning id', [
      id,
      newId(),
      number,
      note,
    ])
  const path = await keep((await exportBySystem(old, id)).zip)

  // Without a word of its module a new column has its default, and what is no more is left out.
  const newer = await coreWith([CREATE, CHANGE])
  const notes: string[] = []
  const progress = { begins: () => {}, passed: () => {}, note: (text: string) => void notes.push(text) }
  await importInto(newer, path, { progress })
  const open = { state: 'open', total: null }
  has((await exportBySystem(newer, id)).rows('orders'), [
    { number: 7, ...open },
    { number: 8, ...open },
  ])
  assert.ok(notes.includes('orders.note is left out: it is not there any more'), notes.join())

  // What has to be made of other columns is made by the module.
  const newest = await coreWith([CREATE, CHANGE, SPLIT], {
    orders: {
      imported: {
        upgrades: {
          1: () => assert.fail('it was this before the export'),
          2: ({ note, ...row }) => (note === 'void' ? null : { ...row, state: note === null ? 'open' : 'noted' }),
          3: ({ number, ...row }) => ({ ...row, series: 'A', place: number }),
        },
      },
    },
  })
  await importInto(newest, path)
  const orders = (await exportBySystem(newest, id)).rows('orders')
  assert.equal(orders.length, 1)
  has(orders, [{ state: 'noted', series: 'A', place: 7, total: null }])
  const refused = (into: TestCore, file: string, message: RegExp) =>
    assert.rejects(
      importInto(into, file),
      (error: Error) => error.name === 'ImportRefused' && message.test(error.message),
    )
  // One that cannot be made of anything stops it, and so does one that is newer.
  const silent = await coreWith([CREATE, CHANGE, SPLIT])
  await refused(silent, path, /the table orders needs series, which the export does not have/)
  const { id: second } = await newer.foundTenant()
  const later = await keep((await exportBySystem(newer, second)).zip)
  await refused(old, later, /orders was exported by a newer version of shop \(2; here it is 1\)/)
})

test('an export of the first version of the format is read for good', async () => {
  const t = await createTestCore()
  cores.push(t)
  const path = fileURLToPath(new URL('./export-of-format-1.zip', import.meta.url))
  has(await importInto(t, path), { name: 'Blue Bottle', slug: 'blue-bottle', files: 1, rows: 32 })
})
