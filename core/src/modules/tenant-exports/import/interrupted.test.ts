import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type AppError, type Ctx, newId } from '#kernel'
import { createContext, noOrigin, systemActor } from '../../../kernel/create-context.ts'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { until } from '../../../testing/until.ts'
import { openAllMissing } from '../../subscriptions/life/renewal.ts'
import { deleteTenant, reactivateTenant } from '../../tenants/index.ts'
import { ABANDONMENT } from './abandon.ts'
import { finishImport } from './finish.ts'
import { abandon, bent, exportBySystem, importInto } from './import.fixture.ts'
import { deleteImport, insertImport, updateImportStep } from './import-queries.ts'

/** So many that reading them takes seconds, in which a process can end. */
const RECORDS = 6_000
const FILES = 60

let folder = ''
let from: TestCore
let to: TestCore
let tenant: TestTenant
const children: ChildProcess[] = []
before(async () => {
  folder = await mkdtemp(join(quickFolder(), 'import-'))
  from = await createTestCore()
  to = await createTestCore()
  tenant = await from.foundTenant({ plan: 'business' })
  for (let at = 0; at < FILES; at++) {
    const file = { name: `${at}.txt`, content: `File ${at}`, type: 'text/plain' }
    await tenant.owner.request('POST', '/files', { form: { fields: {}, file } })
  }
  await from.core.db.systemQuery(
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
     select $1, overlay(tenantry.uuid_at(now())::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, now(), 'store.updated', 'system', 'system', 'store',
       jsonb_build_object('text', repeat(md5(n::text), 20)) from generate_series(1, $2::int) n returning 1`,
    [tenant.id, RECORDS],
  )
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await from?.close()
  await to?.close()
  await rm(folder, { recursive: true, force: true })
})

const stateOf = async () => {
  const [state] = await to.core.db.systemQuery<{ step: string; lines_done: number }>(
    'select step, lines_done::int from tenant_imports where tenant_id = $1',
    [tenant.id],
  )
  return state
}

/** Begins an import in another process, and ends that process as soon as this is so. */
async function killWhen(path: string, is: (state: { step: string; lines_done: number }) => boolean): Promise<void> {
  const { drop: _, ...urls } = to.database
  const child = fork(new URL('./process.fixture.ts', import.meta.url), [JSON.stringify(urls), to.dataDir, path])
  children.push(child)
  await until('the import is so far', async () => {
    const state = await stateOf()
    return child.exitCode !== null || (state !== undefined && is(state))
  })
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, null, 'it was killed before it had ended')
}

test('an import that is killed goes on where it was, and its tenant is closed until then', async () => {
  const exported = await exportBySystem(from, tenant.id)
  const path = join(folder, 'export.zip')
  await writeFile(path, exported.zip)
  await killWhen(path, ({ step, lines_done }) => step === 'audit_logs' && lines_done > 0)
  const state = await stateOf()
  assert.ok(state && state.lines_done < RECORDS)
  const [row] = await to.core.db.systemQuery<{ status: string; people: number }>(
    'select status, (select count(*)::int from user_tenants where tenant_id = t.id) as people from tenants t where id = $1',
    [tenant.id],
  )
  assert.deepEqual(row, { status: 'suspended', people: 0 })
  await to.runSchedule(openAllMissing)
  const subscriptions = await to.core.db.systemQuery('select 1 from subscriptions where tenant_id = $1', [tenant.id])
  assert.deepEqual(subscriptions, [], 'it gets the one that was asked for, at the end')
  // Nobody opens it, nor plans its end, which whoever goes on would not know of.
  for (const act of [reactivateTenant, (ctx: Ctx) => deleteTenant(ctx, null)])
    await assert.rejects(
      to.core.run((ctx) => act(ctx), { role: 'system', tenantId: tenant.id }),
      (error: AppError) =>
        error.code === 'conflict' && /import of the tenant has not ended/.test(String(error.details.detail)),
    )

  // Nothing goes on with another file, or as something else.
  await assert.rejects(
    importInto(to, path, { slug: 'other-slug' }),
    /was interrupted, which was with --slug .* and not other-slug/,
  )
  await assert.rejects(importInto(to, path, { plan: 'business' }), /with --plan none, and not business/)
  const other = join(folder, 'other.zip')
  await writeFile(
    other,
    await bent(exported, ({ manifest }) => {
      manifest.exported_at = '2026-01-01T00:00:00.000Z'
    }),
  )
  await assert.rejects(importInto(to, other), /was interrupted, which was from another export/)

  has(await importInto(to, path), { isRest: true })
  assert.equal(await stateOf(), undefined)
  const again = await exportBySystem(to, tenant.id)
  const lines = ({ rows }: typeof again) =>
    rows('audit_logs')
      .filter(({ action }) => action === 'store.updated')
      .map((row) => JSON.stringify(row))
  assert.deepEqual(lines(again), lines(exported))
  assert.deepEqual(again.files, exported.files)
  const facts = ({ rows }: typeof again) => rows('files').map(({ uploaded_by: _, ...row }) => row)
  assert.deepEqual(facts(again), facts(exported))
})

test('an import that is told to stop goes on as well, and of two at once each part is read once', async () => {
  const second = await from.foundTenant()
  const path = join(folder, 'second.zip')
  const exported = await exportBySystem(from, second.id)
  await writeFile(path, exported.zip)
  await assert.rejects(importInto(to, path, { stopping: AbortSignal.abort() }), { name: 'AbortError' })
  const ends = await Promise.allSettled([importInto(to, path), importInto(to, path)])
  const failed = ends.filter((end) => end.status === 'rejected')
  assert.ok(failed.length <= 1, 'one of them comes to the end')
  for (const { reason } of failed) assert.match(String(reason), /another process imports this tenant|is here already/)
  const again = await exportBySystem(to, second.id)
  assert.deepEqual(again.rows('stores'), exported.rows('stores'))
  assert.deepEqual(
    again.rows('roles').map(({ id }) => id),
    exported.rows('roles').map(({ id }) => id),
  )
})

test('what came of an import that is not complete is taken away, and nothing of anybody else', async () => {
  const other = await to.foundTenant()
  const third = await from.foundTenant({ plan: 'business' })
  await third.owner.request('POST', '/files', {
    form: { fields: {}, file: { name: 'a.txt', content: 'Hello', type: 'text/plain' } },
  })
  const known = await third.member({ name: 'Known' })
  const here = await to.addPerson('Known here')
  await to.core.db.systemQuery('update users set email = $2, email_normalized = $2 where id = $1', [
    here.userId,
    known.email,
  ])
  const exported = await exportBySystem(from, third.id)
  const everything = () => marks(to, other.id)
  const [before, users] = [await everything(), await countOf('users')]
  const stops = [...exported.manifest.tables.map(({ name }) => name), ' completion']
  const path = join(folder, 'third.zip')
  // A row that the database refuses ends each of them at another table.
  for (const table of ['stores', 'files', 'api_keys', 'audit_logs', null]) {
    const zip = await bent(exported, (all) => {
      if (table === null || table === 'api_keys') return
      const entry = `tables/${table}.ndjson`
      const lines = String(all.entries.get(entry)).split('\n').slice(0, -1)
      all.replace(
        entry,
        lines.map((line, at) =>
          at === lines.length - 1 ? JSON.stringify({ ...JSON.parse(line), ...BROKEN[table] }) : line,
        ),
      )
    })
    await writeFile(path, zip)
    const stopping = new AbortController()
    // Stopped by hand where no row is refused.
    const progress = {
      begins: (what: string) => void (what === 'write' && BROKEN[table ?? ''] === undefined && stopping.abort()),
      passed: () => {},
      note: () => {},
    }
    await assert.rejects(importInto(to, path, { stopping: stopping.signal, progress }), /does not fit|aborted/)
    const [state] = await to.core.db.systemQuery<{ step: string }>(
      'select step from tenant_imports where tenant_id = $1',
      [third.id],
    )
    assert.ok(state && stops.concat(' people').includes(state.step), state?.step)
    const gone = await abandon(to, third.id)
    assert.equal(gone.tenantId, third.id)
    assert.deepEqual(await everything(), before)
    assert.equal(await countOf('users'), users)
    assert.equal(await countOf('tenant_import_people'), 0)
    for (const name of [...exported.manifest.tables.map((each) => each.name), 'tenant_slugs', 'user_tenants'])
      assert.deepEqual(
        await to.core.db.systemQuery(`select 1 from ${name} where ${name === 'tenants' ? 'id' : 'tenant_id'} = $1`, [
          third.id,
        ]),
        [],
        name,
      )
  }
  await assert.rejects(abandon(to, third.id), /no import of .* is under way/)
  await assert.rejects(abandon(to, other.id), /no import of .* is under way/)
  // Whoever has the rights of the process cannot do it to a tenant that is there.
  await assert.rejects(
    to.core.db.systemQuery(`select tenantry.remove_half_imported('audit_logs', $1)`, [other.id]),
    /no import of this tenant is under way/,
  )
  // Not even where it says that one is, or that the tenant is not all there.
  const claim = { manifest_sha256: '0'.repeat(64), slug: 'x', owner_email: null, plan: null, salt: 'x'.repeat(43) }
  const at = to.clock.now()
  const row = { tenant_id: other.id, ...claim, step: 'x', created_at: at, updated_at: at }
  await to.core.run(({ tx }) => insertImport(tx, row), { role: 'system', tenantId: null })
  await assert.rejects(to.core.db.systemQuery(`select tenantry.remove_half_imported('audit_logs', $1)`, [other.id]), {
    code: '42501',
  })
  for (const text of ['update tenants set is_incomplete = true where id = $1', 'delete from tenants where id = $1'])
    await assert.rejects(to.core.db.systemQuery(text, [other.id]), { code: '42501' }, text)
  await to.core.run(({ tx }) => deleteImport(tx, other.id), { role: 'system', tenantId: null })
  await writeFile(path, exported.zip)
  has(await importInto(to, path), { isRest: false, people: { linked: 1, added: 1, none: 0 } })
})

/** Rows that fit their columns, and not the database. */
const BROKEN: Readonly<Record<string, object>> = {
  stores: { status: 'inactive', is_default: true },
  files: { entity_type: 'store', entity_id: null },
  audit_logs: { actor_type: 'nobody' },
}

const countOf = async (table: string) =>
  (await to.core.db.systemQuery<{ count: number }>(`select count(*)::int as count from ${table}`))[0]?.count

async function marks(t: TestCore, tenantId: string) {
  const tables = await t.core.db.systemQuery<{ name: string; tenant_key: string }>(
    `select name, tenant_key from tenantry.tables where kind = 'tenant' order by name`,
  )
  const sums: unknown[] = []
  for (const { name, tenant_key } of tables)
    sums.push(
      ...(await t.core.db.systemQuery(
        `select $1::text as name, count(*)::int as rows, md5(string_agg(r::text, ',' order by r::text)) as hash from ${name} r where ${tenant_key} = $2`,
        [name, tenantId],
      )),
    )
  return sums
}

test('a part that another process has written is not written again', async () => {
  const tenant_id = newId()
  const at = to.clock.now()
  const row = {
    ...{ tenant_id, manifest_sha256: '0'.repeat(64), slug: 'x', owner_email: null, plan: null, salt: 'x'.repeat(43) },
    ...{ step: 'stores', lines_done: 5, created_at: at, updated_at: at },
  }
  const asSystem = { role: 'system', tenantId: null } as const // a word is a type
  const from = (step: string, lines_done: number) =>
    to.core.run(({ tx }) => updateImportStep(tx, { tenant_id, step, lines_done }, { lines_done: 9 }), asSystem)
  await to.core.run(({ tx }) => insertImport(tx, row), asSystem)
  assert.deepEqual([await from('stores', 4), await from('roles', 5)], [false, false])
  assert.deepEqual([await from('stores', 5), await from('stores', 5)], [true, false])
  await to.core.run(({ tx }) => deleteImport(tx, tenant_id), asSystem)
})

test('whoever takes an import away just when it ends takes nothing of its tenant, and one that is taken away does not end', async () => {
  const live = await to.foundTenant()
  const form = { fields: {}, file: { name: 'a.txt', content: 'Hello', type: 'text/plain' } }
  const { id } = (await live.owner.request('POST', '/files', { form })).body
  const at = to.clock.now()
  const claim = { manifest_sha256: '0'.repeat(64), slug: 'x', owner_email: null, plan: null, salt: 'x'.repeat(43) }
  const row = { tenant_id: live.id, ...claim, step: ' completion', lines_done: 0, created_at: at, updated_at: at }
  const asSystem = { role: 'system', tenantId: null } as const // a word is a type
  await to.core.run(({ tx }) => insertImport(tx, row), asSystem)
  const ending = new pg.Client({ connectionString: to.database.superuserUrl })
  await ending.connect()
  try {
    await ending.query('begin')
    await ending.query('delete from core.tenant_imports where tenant_id = $1', [live.id])
    const taken = abandon(to, live.id).catch((error: Error) => error)
    await until('it waits for the end', async () => {
      const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'update "tenant_imports"%'`
      // Within a transaction it goes on to say what it said first.
      await ending.query('select pg_stat_clear_snapshot()')
      return ((await ending.query(waiting)).rowCount ?? 0) > 0
    })
    await ending.query('commit')
    assert.match(String(await taken), /has just ended/)
  } finally {
    await ending.end()
  }
  assert.equal((await live.owner.get(`/files/${id}/download`)).status, 200)

  await to.core.run(({ tx }) => insertImport(tx, { ...row, step: ABANDONMENT }), asSystem)
  const { manifest } = await exportBySystem(to, live.id)
  const ctx = createContext(to.core, { tenant: null, storeId: null, actor: systemActor, origin: noOrigin })
  const how = { wishes: { slug: 'x', owner: null, plan: null }, ownerId: live.owner.userId }
  const owner = { id: live.owner.userId, email: live.owner.email, name: 'Olga', isActive: true }
  const options = { invitesAll: false, progress: { begins: () => {}, passed: () => {}, note: () => {} } } as never // what is read of them
  await assert.rejects(
    to.core.db.aside(() => finishImport(ctx, { manifest, options } as never, { ...how, owner })), // as above
    /another process imports/,
  )
  await to.core.run(({ tx }) => deleteImport(tx, live.id), asSystem)
})
