import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { MINUTES } from '#kernel'
import { runDueJobs } from '../../../kernel/jobs/run.ts'
import { runSchedule as runNow } from '../../../kernel/jobs/schedules.ts'
import { contextOf } from '../../../testing/context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore } from '../audit.fixture.ts'
import { hashBlock, NO_HASH } from './chain.ts'
import { checkpointKeys } from './checkpoint-keys.ts'
import {
  blocksOf,
  chainOf,
  foundWithRecords,
  record,
  recordIds,
  recordMany,
  recordSlowly,
  sealAll,
  sealAndComplete,
  sealedIds,
  waitUntilComplete,
} from './seal.fixture.ts'
import { appendRemoval, sealTenant } from './seal.ts'
import { findBehind, findUnsealed } from './seal-jobs.ts'
import { getSealedPosition, readSealed } from './sealed-records.ts'

const WRITERS = 20
const RECORDS_EACH = 30

let core: TestCore
let second: TestCore
before(async () => {
  core = await createAuditCore()
  second = await createAuditCore({ database: core.database })
})
after(async () => {
  await second.close()
  await core.close()
})

const newTenant = (): Promise<Person> => register(core)
const runJobs = async (tenantId: string) => {
  while (await runDueJobs(core.core, tenantId, new AbortController().signal));
}
const runSchedule = (schedule: typeof findUnsealed) => runNow(core.core, schedule)

describe('sealing', () => {
  test('puts every record into a chain of signed blocks, in the order of their ids', async () => {
    const { tenantId } = await newTenant()
    await recordMany(core, tenantId, 2_500)
    await sealAll(core, tenantId)
    const [ids, sealed, blocks] = [
      await recordIds(core, tenantId),
      await sealedIds(core, tenantId),
      await blocksOf(core, tenantId),
    ]
    assert.deepEqual(sealed, ids)
    assert.deepEqual(
      blocks.map(({ height, record_count }) => [Number(height), record_count]),
      [
        [1, 1_000],
        [2, 1_000],
        [3, ids.length - 2_000],
      ],
    )
    let previous = NO_HASH
    const [key] = core.core.use(checkpointKeys).all
    for (const { created_at, ...block } of blocks) {
      const at = new Date(created_at).toISOString()
      assert.deepEqual(block.previous_hash, previous)
      assert.deepEqual(hashBlock({ ...block, created_at: at }), block.hash)
      assert.ok(key?.verifies(block.hash, block.signature))
      previous = block.hash
    }
    const { height, position, hash } = await chainOf(core, tenantId)
    assert.deepEqual([Number(height), Number(position), hash], [3, ids.length, previous])
  })

  test('seals nothing twice, and nothing of a tenant that recorded nothing', async () => {
    const { tenantId } = await newTenant()
    await sealAll(core, tenantId)
    const before = await blocksOf(core, tenantId)
    assert.equal(await sealAll(core, tenantId), 0)
    assert.deepEqual(await blocksOf(core, tenantId), before)
    const nobody = contextOf(core.core, '00000000-0000-7000-8000-000000000001')
    assert.deepEqual(await sealTenant(nobody), { sealed: 0, isDone: true, looksAgainAt: null })
    assert.deepEqual(await blocksOf(core, nobody.tenantId), [])
  })

  test('leaves records alone that were made just now', async () => {
    const { tenantId } = await newTenant()
    await sealAll(core, tenantId)
    const sealed = await sealedIds(core, tenantId)
    // As far back as the clock was moved, and a minute on.
    const { rows } = await core.core.run(async (ctx) => ({ rows: new Date(ctx.clock.ms() + MINUTES).toISOString() }), {
      tenantId,
    })
    await asSuperuser(
      core,
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
       values ($1, tenantry.uuid_at($2), $2, 'toy.made', 'system', 'system', 'toy')`,
      [tenantId, rows],
    )
    await sealTenant(contextOf(core.core, tenantId))
    assert.deepEqual(await sealedIds(core, tenantId), sealed)
    core.clock.advance(2 * MINUTES)
    assert.equal(await sealAll(core, tenantId), 1)
  })

  test(`seals each record once while ${WRITERS} write and two processes seal`, async () => {
    const { tenantId } = await newTenant()
    let isWriting = true
    const sealing = [core, second].map(async (process) => {
      while (isWriting) await sealAll(process, tenantId)
    })
    await Promise.all(Array.from({ length: WRITERS }, () => record(core, tenantId, RECORDS_EACH)))
    isWriting = false
    await Promise.all(sealing)
    await sealAll(second, tenantId)
    const [sealed, ids, blocks] = [
      await sealedIds(core, tenantId),
      await recordIds(core, tenantId),
      await blocksOf(core, tenantId),
    ]
    assert.ok(
      ids.length > WRITERS * RECORDS_EACH && blocks.length > 2,
      `${ids.length} records, ${blocks.length} blocks`,
    )
    assert.deepEqual(sealed.toSorted(), ids)
    assert.deepEqual(
      blocks.map(({ height }) => Number(height)),
      blocks.map((_, index) => index + 1),
    )
  })

  test('goes on with a chain that another process begins at the same moment', async (context) => {
    const { tenantId } = await foundWithRecords(core, 3)
    await sealAll(core, tenantId)
    const options = '-c search_path=core,public'
    const admin = new pg.Client({ connectionString: core.database.superuserUrl, options })
    await admin.connect()
    context.after(() => admin.end())
    const both = ['audit_chains', 'audit_blocks']
    for (const table of both) {
      await admin.query(`create temp table kept_${table} as select * from ${table} where tenant_id = $1`, [tenantId])
      await admin.query(`delete from ${table} where tenant_id = $1`, [tenantId])
    }
    await record(core, tenantId)
    // It finds no chain, and then waits for the records, while the chain of the other one is committed.
    await admin.query('begin; lock table audit_logs')
    const sealed = sealAll(second, tenantId)
    const waiting = `select from pg_locks where relation = 'audit_logs'::regclass and not granted`
    await until('it waits for the records', async () => (await admin.query(waiting)).rowCount === 1)
    for (const table of both) await admin.query(`insert into ${table} select * from kept_${table}`)
    await admin.query('commit')
    assert.equal(await sealed, 1)
    assert.deepEqual(await sealedIds(core, tenantId), await recordIds(core, tenantId))
  })

  test('seals a record whose transaction ends late, and is not complete before', async (context) => {
    const { tenantId } = await newTenant()
    const late = await recordSlowly(core, tenantId)
    context.after(late.end)
    await sealAll(core, tenantId)
    await record(core, tenantId, 3)
    await sealAll(core, tenantId)
    const before = await sealedIds(core, tenantId)
    for (let quarter = 0; quarter < 4; quarter++) {
      core.clock.advance(16 * MINUTES)
      await sealAll(core, tenantId)
    }
    assert.ok((await chainOf(core, tenantId)).complete_to <= late.id, 'complete while a transaction is open')
    await late.commit()
    assert.equal(await sealAll(core, tenantId), 1)
    assert.deepEqual(await sealedIds(core, tenantId), [...before, late.id])
    await waitUntilComplete(core, tenantId)
    assert.ok((await chainOf(core, tenantId)).complete_to > late.id)
  })

  test('seals many that come to light late, some in each of many blocks', async () => {
    const { tenantId } = await newTenant()
    await recordMany(core, tenantId, 3_000)
    const all = await recordIds(core, tenantId)
    const late = all.filter((_, index) => index % 2 === 1 && index < 2_400)
    await asSuperuser(core, 'create table kept as select * from audit_logs where id = any($1)', [late])
    await asSuperuser(core, 'delete from audit_logs where id = any($1)', [late])
    await sealAll(core, tenantId)
    await asSuperuser(core, 'insert into audit_logs select * from kept')
    await asSuperuser(core, 'drop table kept')
    assert.equal(await sealAll(core, tenantId), late.length)
    const sealed = await sealedIds(core, tenantId)
    assert.deepEqual(sealed.slice(-late.length), late)
    assert.deepEqual(sealed.toSorted(), all)
  })

  test('that is broken off leaves nothing behind', async () => {
    const { tenantId } = await newTenant()
    await sealAll(core, tenantId)
    const [chain, blocks] = [await chainOf(core, tenantId), await blocksOf(core, tenantId)]
    await record(core, tenantId)
    const stop = core.core.db.observe((sql) => {
      if (sql.startsWith('update "audit_chains"')) throw new Error('the process ended here')
    })
    await assert.rejects(sealAll(core, tenantId), /the process ended here/)
    stop()
    assert.deepEqual([await chainOf(core, tenantId), await blocksOf(core, tenantId)], [chain, blocks])
    assert.equal(await sealAll(core, tenantId), 1)
  })

  test('begins anew to wait when the database was moved and its transactions count from less', async () => {
    const { tenantId } = await newTenant()
    await sealAll(core, tenantId)
    await asSuperuser(core, "update audit_chains set candidate_xmax = '99999999999' where tenant_id = $1", [tenantId])
    core.clock.advance(16 * MINUTES)
    await sealAll(core, tenantId)
    const { candidate_xmax, complete_to, sealed_to } = await chainOf(core, tenantId)
    assert.notEqual(candidate_xmax, '99999999999')
    assert.ok(complete_to < sealed_to)
    await waitUntilComplete(core, tenantId)
  })
})

describe('the jobs of sealing', () => {
  test('seal what was recorded in the last minutes, and look once more when it cannot change any more', async () => {
    const { tenantId } = await newTenant()
    await forget(tenantId)
    await recordMany(core, tenantId, 3, 60)
    await runSchedule(findUnsealed)
    await runSchedule(findUnsealed)
    assert.equal(await waitingJobs(tenantId), 1)
    await runJobs(tenantId)
    assert.deepEqual(await sealedIds(core, tenantId), await recordIds(core, tenantId))
    assert.equal(await waitingJobs(tenantId), 1)
    await runJobsUntilComplete(tenantId)
    assert.equal(await waitingJobs(tenantId), 0)
  })

  test('go on while there is more than one run seals', async () => {
    const { tenantId } = await newTenant()
    await recordMany(core, tenantId, 20_500, 60)
    await runSchedule(findUnsealed)
    await runJobs(tenantId)
    assert.equal((await sealedIds(core, tenantId)).length, (await recordIds(core, tenantId)).length)
  })

  test('seal what nobody came to', async () => {
    const { tenantId } = await newTenant()
    await forget(tenantId)
    await recordMany(core, tenantId, 3, 3_600)
    await runSchedule(findUnsealed)
    assert.equal(await waitingJobs(tenantId), 0)
    const behind = async () => {
      await runSchedule(findBehind)
      return waitingJobs(tenantId)
    }
    assert.equal(await behind(), 1)
    await runJobs(tenantId)
    assert.deepEqual(await sealedIds(core, tenantId), await recordIds(core, tenantId))
    await forgetJobs(tenantId)
    assert.equal(await behind(), 0)
    core.clock.advance(120 * MINUTES)
    assert.equal(await behind(), 1)
    await runJobsUntilComplete(tenantId)
    core.clock.advance(120 * MINUTES)
    assert.equal(await behind(), 0)
  })
})

describe('sealed records', () => {
  const read = (tenantId: string, after: number, limit: number) =>
    core.core.run((ctx) => readSealed(ctx.tx, ctx.tenantId, after, limit), { tenantId })

  test('are read in their order, from any position on', async () => {
    const { tenantId } = await newTenant()
    await sealAll(core, tenantId)
    await recordMany(core, tenantId, 1_200)
    for (let n = 0; n < 30; n++) {
      await record(core, tenantId)
      await sealAll(core, tenantId)
    }
    const ids = await sealedIds(core, tenantId)
    assert.equal(await core.core.run((ctx) => getSealedPosition(ctx.tx, ctx.tenantId), { tenantId }), ids.length)
    for (const [after, limit] of [
      [0, 5],
      [3, 10],
      [995, 300],
      [0, 5_000],
      [ids.length - 31, 7],
      [ids.length - 1, 7],
      [ids.length, 7],
    ] as const) {
      const found = await read(tenantId, after, limit)
      assert.deepEqual(
        found.map(({ position, record }) => [position, record.id]),
        ids.slice(after, after + limit).map((id, index) => [after + index + 1, id]),
        `${limit} after ${after}`,
      )
    }
  })

  test('leave out what was removed, however much that was', async () => {
    const { tenantId } = await newTenant()
    await recordMany(core, tenantId, 2_000)
    await sealAll(core, tenantId)
    const ids = await sealedIds(core, tenantId)
    await asSuperuser(core, 'delete from audit_logs where id = any($1)', [ids.slice(10, 1_500)])
    const found = await read(tenantId, 10, 100)
    assert.deepEqual([found.length, found[0]?.position, found[0]?.record.id], [found.length, 1_501, ids[1_500]])
    assert.equal((await read(tenantId, 5, 100)).length, 5)
  })

  test('are not of a tenant that has none', async () => {
    const { tenantId } = await newTenant()
    assert.deepEqual(await read(tenantId, 0, 10), [])
    assert.equal(await core.core.run((ctx) => getSealedPosition(ctx.tx, ctx.tenantId), { tenantId }), 0)
  })
})

describe('a removal', () => {
  const remove = (tenantId: string, to: string) =>
    core.core.run((ctx) => appendRemoval(ctx, to), { tenantId, role: 'system' })

  test('is a block of its own that says what may be missing', async () => {
    const { tenantId } = await newTenant()
    await recordMany(core, tenantId, 2_500)
    await sealAndComplete(core, tenantId)
    const ids = await sealedIds(core, tenantId)
    await remove(tenantId, ids[1_200] ?? '')
    const block = (await blocksOf(core, tenantId)).at(-1)
    const chain = await chainOf(core, tenantId)
    assert.deepEqual(
      [block?.kind, block?.removed_to, Number(block?.kept_from), Number(block?.first_position), block?.record_count],
      ['removal', ids[1_200], 2, ids.length + 1, 0],
    )
    assert.deepEqual([chain.removed_to, chain.removal_height, chain.hash], [ids[1_200], block?.height, block?.hash])
    await remove(tenantId, ids[1_200] ?? '')
    await remove(tenantId, ids[5] ?? '')
    assert.deepEqual(await chainOf(core, tenantId), chain)
    await record(core, tenantId)
    assert.equal(await sealAll(core, tenantId), 1)
    assert.equal((await blocksOf(core, tenantId)).at(-1)?.first_position, String(ids.length + 1))
  })

  test('of what may not be sealed yet is refused; without a chain there is none', async () => {
    const { tenantId } = await newTenant()
    await remove(tenantId, 'ffffffff-0000-7000-8000-000000000000')
    assert.deepEqual(await blocksOf(core, tenantId), [])
    await sealAll(core, tenantId)
    const { sealed_to } = await chainOf(core, tenantId)
    await assert.rejects(remove(tenantId, sealed_to), /Only what is sealed/)
  })
})

/** As time goes by. Whatever runs on the same server has to end for it. */
async function runJobsUntilComplete(tenantId: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    core.clock.advance(16 * MINUTES)
    await runJobs(tenantId)
    const { complete_to, sealed_to } = await chainOf(core, tenantId)
    if (complete_to > sealed_to) return
  }
  assert.fail('the chain does not come to be complete')
}

async function waitingJobs(tenantId: string): Promise<number> {
  const sql = "select 1 from tenant_jobs where tenant_id = $1 and task = 'audit.seal'"
  return (await asSuperuser(core, sql, [tenantId])).length
}

const forgetJobs = (tenantId: string) => asSuperuser(core, 'delete from tenant_jobs where tenant_id = $1', [tenantId])
/** A new tenant's own records are of now. */
const forget = (tenantId: string) => asSuperuser(core, 'delete from audit_logs where tenant_id = $1', [tenantId])
