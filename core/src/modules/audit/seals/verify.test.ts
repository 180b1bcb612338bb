import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { type Person, register } from '../../auth/auth.fixture.ts'
import { createAuditCore } from '../audit.fixture.ts'
import { hashBlock } from './chain.ts'
import { keysFromSeeds } from './checkpoint-keys.ts'
import { blocksOf, chainOf, foundWithRecords, record, sealAll, sealAndComplete } from './seal.fixture.ts'
import { RECORDS, rightAfter, type Tampering, tamperingWith } from './verify.fixture.ts'

let core: TestCore
let other: Person
let tools: Tampering
before(async () => {
  core = await createAuditCore()
  tools = tamperingWith(core)
  other = await foundWithRecords(core, 50)
  await sealAndComplete(core, other.tenantId)
})
after(async () => {
  try {
    // Whatever was done to others, this one's chain is as it was.
    const { body } = await verify(other)
    assert.deepEqual([body.valid, body.checked], [true, 50])
  } finally {
    await core.close()
  }
})

const verify: Tampering['verify'] = (...of) => tools.verify(...of)

describe('records as they were sealed', () => {
  test('are valid, and counted', async () => {
    const { person, ids } = await tools.sealedTenant()
    const { status, body, headers } = await verify(person)
    assert.equal(status, 200)
    assert.deepEqual(
      { ...body, sealed_until: '', verified_at: '' },
      { valid: true, checked: RECORDS, first_invalid: null, sealed_until: '', verified_at: '' },
    )
    const newest = await core.request('GET', `/api/v1/audit/${ids.at(-1)}`, { token: person.token })
    assert.equal(body.sealed_until, newest.body.created_at)
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  })

  test('are valid while nothing is sealed, and while some wait for it', async () => {
    const person = await register(core)
    const none = { valid: true, checked: 0, first_invalid: null, sealed_until: null }
    const { verified_at, ...found } = (await verify(person)).body
    assert.deepEqual(found, none)
    await sealAll(core, person.tenantId)
    const { checked } = (await verify(person)).body
    await record(core, person.tenantId, 3)
    assert.deepEqual([(await verify(person)).body.valid, (await verify(person)).body.checked], [true, checked])
  })

  test('are valid while others write and seal', async () => {
    const person = await foundWithRecords(core, 1_500)
    const { tenantId } = person
    await sealAndComplete(core, tenantId)
    let isWriting = true
    const writing = record(core, tenantId, 150).finally(() => {
      isWriting = false
    })
    const sealing = (async () => {
      while (isWriting) await sealAll(core, tenantId)
    })()
    const verdicts: unknown[] = []
    while (isWriting) verdicts.push((await verify(person)).body.first_invalid)
    await Promise.all([writing, sealing])
    assert.deepEqual(
      verdicts,
      verdicts.map(() => null),
    )
    await sealAll(core, tenantId)
    assert.equal((await verify(person)).body.checked, 1_650)
  })

  test('may be of any content', async () => {
    const person = await register(core)
    const content = {
      '': [1e-7, -0, 1e21, 0.1],
      ä: 'ü\u2028\u{1f600}',
      __proto__: null,
      b: { z: [], a: {} },
      10: 1,
      9: true,
    }
    await tools.sql(
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, old_values, user_agent)
       values ($1, $2, now(), 'toy.made', 'system', 'system', 'toy', $3, $4)`,
      [person.tenantId, newId(), `{"__proto__": {"x": 1.50}, ${JSON.stringify(content).slice(1)}`, '"\\\t\u{10ffff}'],
    )
    await sealAll(core, person.tenantId)
    assert.equal((await verify(person)).body.valid, true)
  })
})

describe('what was done behind its back is named:', () => {
  type Tamper = (tenantId: string, ids: string[]) => Promise<unknown>
  type Named = { problem: string; at?: number; position?: number | null }
  const cases: Record<string, { tamper: Tamper; named: Named }> = {
    'a changed record': {
      tamper: (tenantId, ids) => tools.change(tenantId, ids[1_203]),
      named: { problem: 'changed', at: 1_203 },
    },
    'a changed time': {
      tamper: (tenantId, ids) =>
        tools.sql("update audit_logs set created_at = created_at + interval '1 ms' where tenant_id = $1 and id = $2", [
          tenantId,
          ids[7],
        ]),
      named: { problem: 'changed', at: 7 },
    },
    'the first of several': {
      tamper: async (tenantId, ids) => {
        for (const at of [2_000, 1_500, 3]) await tools.change(tenantId, ids[at])
        await tools.remove(tenantId, [ids[4], ids[1]])
      },
      named: { problem: 'removed', at: 1 },
    },
    'a removed record': {
      tamper: (tenantId, ids) => tools.remove(tenantId, [ids[999]]),
      named: { problem: 'removed', at: 999 },
    },
    'the newest record, removed': {
      tamper: (tenantId, ids) => tools.remove(tenantId, [ids.at(-1)]),
      named: { problem: 'removed', at: RECORDS - 1 },
    },
    'two records that swapped their ids': {
      tamper: (tenantId, ids) => tools.swap(tenantId, ids[20], ids[700]),
      named: { problem: 'reordered', at: 20 },
    },
    'records of different blocks that swapped their ids': {
      tamper: (tenantId, ids) => tools.swap(tenantId, ids[20], ids[1_700]),
      named: { problem: 'changed', at: 20 },
    },
    'edited entries of a block': {
      tamper: async (tenantId, ids) => {
        await tools.remove(tenantId, [ids[1_100]])
        await tools.setBlock(tenantId, 2, "entries = overlay(entries placing '\\x00' from 4816)")
      },
      named: { problem: 'seal', position: 1_001 },
    },
    'a block that is gone': {
      tamper: (tenantId) => tools.sql('delete from audit_blocks where tenant_id = $1 and height = 2', [tenantId]),
      named: { problem: 'seal', position: 1_001 },
    },
    'the first block, gone with its records': {
      tamper: async (tenantId, ids) => {
        await tools.remove(tenantId, ids.slice(0, 1_000))
        await tools.sql('delete from audit_blocks where tenant_id = $1 and height = 1', [tenantId])
      },
      named: { problem: 'seal', position: 1 },
    },
    'the last block, gone with its records': {
      tamper: async (tenantId, ids) => {
        await tools.remove(tenantId, ids.slice(2_000))
        await tools.sql('delete from audit_blocks where tenant_id = $1 and height = 3', [tenantId])
      },
      named: { problem: 'seal', position: 2_001 },
    },
    'blocks that swapped their heights': {
      tamper: async (tenantId) => {
        for (const [from, to] of [
          [1, 9],
          [2, 1],
          [9, 2],
        ] as const)
          await tools.setBlock(tenantId, from, `height = ${to}`)
      },
      named: { problem: 'seal', position: 1_001 },
    },
    'a block that another signed': {
      tamper: (tenantId) => tools.setBlock(tenantId, 2, 'signature = overlay(signature placing $$x$$::bytea from 5)'),
      named: { problem: 'seal', position: 1_001 },
    },
    'a last block of a key that nobody knows': {
      tamper: (tenantId) => tools.setBlock(tenantId, 3, "key_id = 'unknown'"),
      named: { problem: 'seal', position: RECORDS },
    },
    'a block filed under other ids': {
      tamper: (tenantId, ids) => tools.setBlock(tenantId, 2, `last_id = '${ids[5]}'`),
      named: { problem: 'seal', position: 1_001 },
    },
    'a chain that ends elsewhere': {
      tamper: (tenantId) =>
        tools.sql('update audit_chains set position = position - 1 where tenant_id = $1', [tenantId]),
      named: { problem: 'seal', position: RECORDS - 1 },
    },
    'a chain that ends too early': {
      tamper: (tenantId) =>
        tools.sql(
          `update audit_chains c set height = b.height, position = 2000, hash = b.hash from audit_blocks b
           where c.tenant_id = $1 and b.tenant_id = $1 and b.height = 2`,
          [tenantId],
        ),
      named: { problem: 'seal', position: null },
    },
    'a chain without its end': {
      tamper: (tenantId) => tools.sql('delete from audit_chains where tenant_id = $1', [tenantId]),
      named: { problem: 'seal', position: null },
    },
  }
  for (const [name, { tamper, named }] of Object.entries(cases)) {
    test(name, async () => {
      const { person, tenantId, ids } = await tools.sealedTenant()
      await tamper(tenantId, ids)
      const { body } = await verify(person)
      const { problem, record_id, position } = body.first_invalid ?? {}
      const { at } = named
      const expected = at === undefined ? [null, named.position] : [ids[at], at + 1]
      assert.deepEqual([body.valid, problem, record_id, position], [false, named.problem, ...expected])
      assert.equal((await verify(other)).body.valid, true)
    })
  }

  test('a record added with an older date, where its id would be', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    const added = rightAfter(ids[1_500])
    await tools.insert(tenantId, added)
    await tools.change(tenantId, ids[1_501])
    const first = async () => (await verify(person)).body.first_invalid
    assert.deepEqual(
      [(await first()).problem, (await first()).record_id, (await first()).position],
      ['inserted', added, null],
    )
    await tools.change(tenantId, ids[1_400])
    assert.deepEqual([(await first()).problem, (await first()).record_id], ['changed', ids[1_400]])
  })

  test('a record added with an older date after the chain was told to take such', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    const { complete_to } = await chainOf(core, tenantId)
    await record(core, tenantId)
    await sealAll(core, tenantId)
    assert.equal((await blocksOf(core, tenantId)).at(-1)?.complete_to, complete_to)
    const added = rightAfter(ids[1_500])
    await tools.insert(tenantId, added)
    await tools.sql('update audit_chains set complete_to = $2 where tenant_id = $1', [tenantId, ids[0]])
    assert.equal(await sealAll(core, tenantId), 1)
    const { problem, record_id, position } = (await verify(person)).body.first_invalid
    assert.deepEqual([problem, record_id, position], ['inserted', added, RECORDS + 2])
  })

  test('a record that was sealed and then given another id', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    const moved = rightAfter(ids[200])
    await tools.sql('update audit_logs set id = $3 where tenant_id = $1 and id = $2', [tenantId, ids[300], moved])
    const { problem, record_id } = (await verify(person)).body.first_invalid
    assert.deepEqual([problem, record_id], ['inserted', moved])
  })

  test('a block that somebody forged with a key of their own', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    await tools.remove(tenantId, ids.slice(2_001))
    const [forger, last] = [keysFromSeeds([Buffer.alloc(32, 7)]), (await blocksOf(core, tenantId))[2]]
    assert.ok(last)
    const entries = last.entries.subarray(0, 48)
    const at = new Date(last.created_at).toISOString()
    const hash = hashBlock({ ...last, created_at: at, entries, record_count: 1 })
    const { key_id, signature } = forger.sign(hash)
    await tools.sql(
      `update audit_blocks set entries = $2, record_count = 1, hash = $3, key_id = $4, signature = $5, last_id = first_id
       where tenant_id = $1 and height = 3`,
      [tenantId, entries, hash, key_id, signature],
    )
    await tools.sql('update audit_chains set hash = $2, position = 2001 where tenant_id = $1', [tenantId, hash])
    assert.equal((await verify(person)).body.first_invalid.problem, 'seal')
    // Under a name that is known it is no better.
    const [known] = (await core.request('GET', '/api/v1/audit/keys', { token: person.token })).body.data
    await tools.setBlock(tenantId, 3, `key_id = '${known.kid}'`)
    assert.match((await verify(person)).body.first_invalid.detail, /signature of block 3 is not valid/)
  })
})
