import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS, firstIdAt, LEAST_ID, newId } from '#kernel'
import { contextOf } from '../../../testing/context.ts'
import type { TestCore } from '../../../testing/index.ts'
import { asSuperuser, createAuditCore } from '../audit.fixture.ts'
import { chainEnds } from './chain-ends.ts'
import { blocksOf, chainOf, foundWithRecords, record, recordIds, sealAll, sealAndComplete } from './seal.fixture.ts'
import { appendRemoval, sealTenant } from './seal.ts'

let core: TestCore
before(async () => {
  core = await createAuditCore()
})
after(() => core.close())

const systemQuery = (sql: string, ...values: unknown[]) => core.core.db.systemQuery(sql, values)

describe('what has just happened', () => {
  const remove = (tenantId: string, before: string) =>
    systemQuery('select * from tenantry.remove_audit_logs($1, $2, $3, 100)', tenantId, LEAST_ID, before)

  test('stays, though the chain gives it up and says so with a genuine signature', async () => {
    const { tenantId } = await foundWithRecords(core, 20)
    await sealAndComplete(core, tenantId)
    const [ids, { complete_to }] = [await recordIds(core, tenantId), await chainOf(core, tenantId)]
    await core.core.run((ctx) => appendRemoval(ctx, complete_to), { tenantId, role: 'system' })
    await assert.rejects(remove(tenantId, complete_to), { code: '42501' })
    const week = firstIdAt(Date.now() - 7 * DAYS)
    assert.deepEqual(await remove(tenantId, firstIdAt(Date.now() - 8 * DAYS)), [{ removed: 0, next_id: null }])
    assert.ok((ids[0] ?? '') > week)
    assert.deepEqual(await recordIds(core, tenantId), ids)
  })

  test('stays though somebody makes up a block that gives it up, as do the blocks that seal it', async () => {
    const { tenantId } = await foundWithRecords(core, 20)
    await sealAndComplete(core, tenantId)
    const [ids, blocks] = [await recordIds(core, tenantId), await blocksOf(core, tenantId)]
    const end = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    await systemQuery(
      `insert into audit_blocks (tenant_id, id, height, kind, first_position, record_count, entries, complete_to, removed_to, kept_from, previous_hash, hash, key_id, signature, created_at)
       select tenant_id, $2, height + 1, 'removal', position + 1, 0, '', complete_to, $3, height + 1, hash, hash, 'made up', '', now() from audit_chains where tenant_id = $1`,
      tenantId,
      newId(),
      end,
    )
    await systemQuery(
      'update audit_chains set removed_to = $2, removal_height = height + 1, height = height + 1 where tenant_id = $1',
      tenantId,
      end,
    )
    await assert.rejects(remove(tenantId, end), { code: '42501' })
    const [removed] = await systemQuery('select tenantry.remove_audit_blocks($1, 100) as count', tenantId)
    assert.equal(removed?.count, 0)
    assert.deepEqual(await recordIds(core, tenantId), ids)
    assert.equal((await blocksOf(core, tenantId)).length, blocks.length + 1)
  })
})

describe('the end of a chain', () => {
  test('is removed by neither role', async () => {
    const { tenantId } = await foundWithRecords(core, 2)
    await sealAll(core, tenantId)
    await assert.rejects(systemQuery('delete from audit_chains'), { code: '42501' })
  })

  test('that is gone nevertheless stops the sealing with a word that says so, and is an alarm', async () => {
    assert.equal(await chainEnds.check(core.core), 'every chain of seals has its end')
    const { tenantId } = await foundWithRecords(core, 2)
    await sealAll(core, tenantId)
    const chain = await chainOf(core, tenantId)
    await asSuperuser(core, 'delete from audit_chains where tenant_id = $1', [tenantId])
    await record(core, tenantId)
    core.clock.advance(60_000)
    const missing = new RegExp(`end of the chain of seals of tenant ${tenantId} is missing`)
    await assert.rejects(sealTenant(contextOf(core.core, tenantId)), missing)
    await assert.rejects(chainEnds.check(core.core), new RegExp(tenantId))
    const columns = Object.keys(chain).join(', ')
    const values = Object.keys(chain).map((_, index) => `$${index + 1}`)
    await asSuperuser(core, `insert into audit_chains (${columns}) values (${values})`, Object.values(chain))
    assert.equal((await sealTenant(contextOf(core.core, tenantId))).sealed, 1)
    assert.equal(await chainEnds.check(core.core), 'every chain of seals has its end')
  })
})
