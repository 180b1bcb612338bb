import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { quickFolder } from '../../../testing/quick-folder.ts'
import { until } from '../../../testing/until.ts'
import { bent, exportBySystem, importInto } from './import.fixture.ts'
import { deleteImport, insertImport, updateImportStep } from './import-queries.ts'

/** So many that reading them takes seconds, in which a process can end. */
const RECORDS = 20_000
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
  await killWhen(path, () => true)
  await killWhen(path, ({ step, lines_done }) => step === 'audit_logs' && lines_done > 0)
  const state = await stateOf()
  assert.ok(state && state.lines_done < RECORDS)
  const [row] = await to.core.db.systemQuery<{ status: string; people: number }>(
    'select status, (select count(*)::int from user_tenants where tenant_id = t.id) as people from tenants t where id = $1',
    [tenant.id],
  )
  assert.deepEqual(row, { status: 'suspended', people: 0 })

  // Nothing goes on with another file.
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
  assert.deepEqual(again.rows('files'), exported.rows('files'))
})

test('an import that is told to stop goes on as well, and of two at once each part is read once', async () => {
  const second = await from.foundTenant()
  const path = join(folder, 'second.zip')
  const exported = await exportBySystem(from, second.id)
  await writeFile(path, exported.zip)
  const stop = new AbortController()
  stop.abort()
  await assert.rejects(importInto(to, path, { stopping: stop.signal }), { name: 'AbortError' })
  const ends = await Promise.allSettled([importInto(to, path), importInto(to, path)])
  const failed = ends.filter((end) => end.status === 'rejected')
  assert.ok(failed.length <= 1, 'one of them comes to the end')
  for (const { reason } of failed) assert.match(String(reason), /another process imports this tenant|is here already/)
  const again = await exportBySystem(to, second.id)
  assert.deepEqual(again.rows('stores'), exported.rows('stores'))
  assert.deepEqual(again.rows('role_assignments'), exported.rows('role_assignments'))
})

test('a part that another process has written is not written again', async () => {
  const tenant_id = newId()
  const at = to.clock.now()
  const row = {
    tenant_id,
    manifest_sha256: '0'.repeat(64),
    slug: 'x',
    status: 'active',
    step: 'stores',
    lines_done: 5,
  } as const // words
  const asSystem = { role: 'system', tenantId: null } as const // a word is a type
  const from = (step: string, lines_done: number) =>
    to.core.run(({ tx }) => updateImportStep(tx, { tenant_id, step, lines_done }, { lines_done: 9 }), asSystem)
  await to.core.run(({ tx }) => insertImport(tx, { ...row, created_at: at, updated_at: at }), asSystem)
  assert.deepEqual([await from('stores', 4), await from('roles', 5)], [false, false])
  assert.deepEqual([await from('stores', 5), await from('stores', 5)], [true, false])
  await to.core.run(({ tx }) => deleteImport(tx, tenant_id), asSystem)
})
