import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { globalRecords } from '../admin/admin.fixture.ts'
import { certify, RowsLeft } from './purge/certify.ts'
import { measureObjects, removeLate, removeLogo, removeObjects } from './purge/objects.ts'
import { notePeople, removeAccounts } from './purge/people.ts'
import { lockRemoving } from './purge/removal-queries.ts'
import { removeHoldings, removeRows } from './purge/rows.ts'
import { claimNext, type Run, step, TakenOver } from './purge/run.ts'
import {
  asJob,
  asOwner,
  asSuperuser,
  carryOut,
  countOf,
  dueTenant,
  hashesOf,
  runOnce,
  upload,
} from './tenant-removal.fixture.ts'

const LONG = 60_000
let t: TestCore
let second: TestCore
let operator: TestPerson
before(async () => {
  t = await createTestCore()
  second = await createTestCore({ database: t.database, env: { DATA_DIR: t.dataDir } })
  operator = await t.addOperator(['operations'])
})
after(async () => {
  await second?.close()
  await t?.close()
})

/** What a storage has in a folder. */
async function keysIn(folder: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of t.core.storage.list(folder)) keys.push(key)
  return keys
}

const certificate = async (id: string) => (await operator.get(`/admin/tenants/${id}/certificate`)).body
const rowsIn = ({ facts }: { facts: { rows: { table: string; rows: number }[] } }) =>
  Object.fromEntries(facts.rows.map(({ table, rows }) => [table, rows]))
const events = (id: string, count: number) =>
  asSuperuser(
    t,
    `insert into core.events (tenant_id, id, position, type, created_at, actor_type, actor_label, data)
     select $1, overlay(tenantry.uuid_at(now() - n * interval '1 hour')::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, 1000 + n, 'store.updated', now(), 'system', 'system', '{}'
     from generate_series(1, $2::int) n`,
    [id, count],
  )

/** The removal that is due, claimed as a run does it. */
const claim = (core = t): Promise<Run> =>
  asJob(core, async (ctx) => {
    const run = await claimNext(ctx, LONG)
    assert.ok(run)
    return run
  })
/** Each step by itself, in the order of a run. */
const steps = {
  measureObjects,
  notePeople,
  removeHoldings,
  removeObjects,
  removeLogo,
  removeRows,
  removeAccounts,
  removeLate,
  certify,
}
const work = (what: (run: Run) => Promise<unknown>, run: Run) => t.core.db.aside(() => what(run))

describe('the removal of a tenant', () => {
  it('takes its last row and object, step by step, and certifies how many these were; nobody else loses any', async () => {
    const other = await t.foundTenant()
    await upload(other, 'of somebody else')
    await t.drainJobs(other.id)
    const tenant = await dueTenant(t, operator)
    await events(tenant.id, 2_300)
    const theirs = await hashesOf(t, other.id)
    const tables = ['audit_logs', 'events', 'stores', 'api_keys', 'role_assignments', 'files', 'members', 'roles']
    const counts = Object.fromEntries(
      await Promise.all(tables.map(async (name) => [name, await countOf(t, name, tenant.id)])),
    )
    const folder = `files/${tenant.id}`
    assert.equal((await keysIn(folder)).length, 1)
    const slug = (await operator.get(`/admin/tenants/${tenant.id}`)).body.slug
    const asked: [table: unknown, most: unknown][] = []
    const stop = t.core.db.observe((text, values) => {
      if (text.includes('remove_rows(')) asked.push([values[1], values[2]])
    })
    // Runs that soon give up: each does a step at least.
    let runs = 0
    for (let [outcome, last] = ['', 0]; outcome !== 'done'; runs++) {
      outcome = await runOnce(t, 20)
      assert.ok(outcome !== 'failed' && runs < 500, outcome)
      const { removal } = (await operator.get(`/admin/tenants/${tenant.id}`)).body
      assert.ok(outcome === 'done' || removal.rows_removed >= last)
      last = removal?.rows_removed
      if (runs === 0)
        assert.equal((await operator.post(`/admin/tenants/${tenant.id}/reactivate`)).body.code, 'conflict')
    }
    stop()
    assert.ok(runs > 3, `${runs}`)
    assert.ok(asked.every(([, most]) => Number(most) <= 1_000))
    assert.ok(asked.filter(([table]) => table === 'events').length >= 3, 'in several statements')
    assert.equal((await operator.get(`/admin/tenants/${tenant.id}`)).status, 404)
    const certified = await certificate(tenant.id)
    assert.deepEqual(Object.fromEntries(tables.map((name) => [name, rowsIn(certified)[name]])), counts)
    assert.deepEqual(certified.facts.storages, [{ storage: 'local', objects: 1, bytes: 12 }])
    assert.equal(certified.is_valid, true)
    assert.deepEqual(await keysIn(folder), [])
    assert.deepEqual(await hashesOf(t, other.id), theirs)
    assert.equal((await keysIn(`files/${other.id}`)).length, 1)
    const records = await globalRecords(t, tenant.id)
    const purged = records.filter(({ action }) => action === 'admin.tenant_purged')
    assert.deepEqual(
      purged.map(({ new_values }) => [new_values.name, new_values.slug, new_values.sha256]),
      [[tenant.name, slug, certified.sha256]],
    )
    assert.equal((await (await t.addPerson()).post('/tenants', { name: 'Next', slug })).status, 201)
  })

  it('is over for two processes at once no sooner and no more often than for one', async () => {
    const tenant = await dueTenant(t, operator)
    await events(tenant.id, 1_500)
    const counts = await countOf(t, 'events', tenant.id)
    const outcomes = (await Promise.all([t, second, t, second].map((core) => carryOut(core, 5)))).flat()
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1, `${outcomes}`)
    assert.equal(outcomes.includes('failed'), false)
    assert.equal(rowsIn(await certificate(tenant.id)).events, counts)
    assert.equal((await globalRecords(t, tenant.id)).filter(({ action }) => action === 'admin.tenant_purged').length, 1)
  })

  it('or its undoing comes first, never both', async () => {
    const ends = new Set<string>()
    for (let round = 0; round < 4; round++) {
      const tenant = await dueTenant(t, operator)
      const before = await countOf(t, 'audit_logs', tenant.id)
      const undo = () => operator.post(`/admin/tenants/${tenant.id}/reactivate`)
      // Now the one, now the other is sent first.
      const race = round % 2 === 0 ? [carryOut(t, 50), undo(), undo()] : [undo(), undo(), carryOut(second, 50)]
      const answers = (await Promise.all(race)).flatMap((each) => ('status' in each ? [each] : []))
      const undone = answers.filter(({ status }) => status === 200)
      const left = await countOf(t, 'audit_logs', tenant.id)
      const ended = await operator.get(`/admin/tenants/${tenant.id}/certificate`)
      ends.add(undone.length > 0 ? 'undone' : 'removed')
      if (undone.length > 0) {
        assert.deepEqual([undone.length, ended.status], [1, 404])
        assert.ok(left > before, 'all records are there, and that of the undoing')
        assert.equal((await tenant.owner.get('/stores')).body.data.length, 2)
      } else {
        assert.deepEqual([left, ended.status], [0, 200])
        for (const { status } of answers) assert.ok(status === 409 || status === 404, `${status}`)
      }
    }
    assert.ok(ends.size > 0)
  })

  it('looks in each of its steps whether the tenant is still to be removed, and holds its row meanwhile', async () => {
    const tenant = await dueTenant(t, operator)
    const run = await claim()
    const setStatus = (status: string) =>
      asSuperuser(
        t,
        `set lock_timeout = '50ms'; update core.tenants set status = '${status}' where id = '${tenant.id}'`,
      )
    await setStatus('active')
    const before = await hashesOf(t, tenant.id)
    // What has nothing to do here begins no step.
    for (const [name, each] of Object.entries(steps))
      if (!['removeLate', 'removeLogo', 'removeAccounts'].includes(name))
        await assert.rejects(work(each, { ...run }), { code: '42501' }, name)
    assert.deepEqual(await hashesOf(t, tenant.id), before)
    await setStatus('deleted')
    await work(
      (run) =>
        step(run, async ({ tx }) => {
          await tx.selectFrom('tenant_removals').select('tenant_id').execute()
          await lockRemoving(tx, tenant.id)
          await assert.rejects(setStatus('active'), { code: '55P03' })
        }),
      run,
    )
    for (const each of Object.values(steps)) await work(each, run)
    assert.equal((await certificate(tenant.id)).is_valid, true)
  })

  it('is taken over from a process that died, and one that was only slow does nothing more', async () => {
    const tenant = await dueTenant(t, operator)
    const slow = await claim()
    await work(measureObjects, slow)
    assert.equal(await runOnce(second), 'none')
    t.clock.advance(2 * MINUTES)
    second.clock.advance(t.clock.ms() - second.clock.ms())
    const next = await claim(second)
    assert.equal(next.tenantId, tenant.id)
    await assert.rejects(work(notePeople, slow), TakenOver)
    assert.equal(await countOf(t, 'tenant_removal_people', tenant.id), 0)
    for (const each of Object.values(steps)) await second.core.db.aside(() => each(next))
    await assert.rejects(work(certify, slow))
    assert.equal((await globalRecords(t, tenant.id)).filter(({ action }) => action === 'admin.tenant_purged').length, 1)
  })

  it('does not end while any table has a row, or a storage an object, that came meanwhile', async () => {
    const tenant = await dueTenant(t, operator)
    const run = await claim()
    const { certify: end, removeLate: late, ...first } = steps
    for (const each of Object.values(first)) await work(each, run)
    await events(tenant.id, 3)
    await t.core.storage.write(`files/${tenant.id}/${newId()}`, Readable.from([Buffer.from('late')]))
    await assert.rejects(work(end, run), new RowsLeft('events'))
    await work(removeRows, run)
    await work(late, run)
    await work(end, run)
    const certified = await certificate(tenant.id)
    assert.deepEqual(certified.facts.storages, [{ storage: 'local', objects: 2, bytes: 16 }])
    assert.deepEqual(await keysIn(`files/${tenant.id}`), [])
  })

  it('takes rows that refer to each other, and to themselves, of tables of any application', async () => {
    await asOwner(
      t,
      `
      create table crates (tenant_id uuid not null, id uuid not null, within uuid, label_id uuid, primary key (tenant_id, id),
        constraint crates_within_fkey foreign key (tenant_id, within) references crates (tenant_id, id));
      create table labels (tenant_id uuid not null, id uuid not null, crate_id uuid not null, primary key (tenant_id, id),
        constraint labels_crate_fkey foreign key (tenant_id, crate_id) references crates (tenant_id, id));
      alter table crates add constraint crates_label_fkey foreign key (tenant_id, label_id) references labels (tenant_id, id);
      create table stamps (tenant_id uuid not null, word text not null, number integer not null, primary key (tenant_id, word, number));
      create index on crates (tenant_id, within); create index on crates (tenant_id, label_id); create index on labels (tenant_id, crate_id);
      select tenantry.tenant_table('crates'), tenantry.tenant_table('labels'), tenantry.tenant_table('stamps')`,
    )
    try {
      const [other, tenant] = [await t.foundTenant(), await dueTenant(t, operator)]
      for (const { id } of [other, tenant])
        await asSuperuser(
          t,
          `with ids as (select n, gen_random_uuid() as id, gen_random_uuid() as label from generate_series(1, 40) n),
           crates as (insert into core.crates select '${id}', id, null, null from ids returning 1),
           labels as (insert into core.labels select '${id}', label, id from ids returning 1),
           stamps as (insert into core.stamps select '${id}', 'it''s "' || n % 7, n from generate_series(1, 1500) n returning 1)
           select 1`,
        ).then(() =>
          asSuperuser(
            t,
            `update core.crates c set label_id = l.id, within = case when c.id < l.id then c.id else (select id from core.crates o
               where o.tenant_id = c.tenant_id and o.id > c.id limit 1) end
             from core.labels l where l.tenant_id = c.tenant_id and l.crate_id = c.id and c.tenant_id = '${id}'`,
          ),
        )
      const theirs = await hashesOf(t, other.id)
      assert.deepEqual(new Set(await carryOut(t, 50)), new Set(['more', 'done']))
      assert.deepEqual(await hashesOf(t, other.id), theirs)
      const { crates, labels, stamps } = rowsIn(await certificate(tenant.id))
      assert.deepEqual([crates, labels, stamps], [40, 40, 1500])
    } finally {
      await asOwner(
        t,
        "drop table crates, labels, stamps cascade; delete from tenantry.tables where name in ('crates', 'labels', 'stamps')",
      )
    }
  })
})
