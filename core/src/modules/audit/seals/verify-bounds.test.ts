import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SECONDS } from '#kernel'
import { TEST_SECRET } from '../../../testing/core.ts'
import type { TestCore } from '../../../testing/index.ts'
import type { Person } from '../../auth/auth.fixture.ts'
import { createAuditCore } from '../audit.fixture.ts'
import { foundWithRecords, record, recordMany, sealAll, sealAndComplete } from './seal.fixture.ts'
import { appendRemoval } from './seal.ts'
import { forgetVerdict, RECORDS, rightAfter, type Tampering, tamperingWith, verifyBehind } from './verify.fixture.ts'

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

describe('a period', () => {
  test('bounds what is checked to the blocks that it touches', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    const timeOf = async (id: string | undefined) =>
      (await core.request('GET', `/api/v1/audit/${id}`, { token: person.token })).body.created_at
    await tools.change(tenantId, ids[100])
    assert.equal((await verify(person)).body.valid, false)
    const late = `?from=${await timeOf(ids[1_900])}`
    assert.deepEqual((await verify(person, late)).body.checked, RECORDS - 1_000)
    await tools.change(tenantId, ids[2_100])
    assert.equal((await verify(person, late)).body.first_invalid.record_id, ids[2_100])
    const middle = `?from=${await timeOf(ids[1_400])}&to=${await timeOf(ids[1_600])}`
    const { valid, checked } = (await verify(person, middle)).body
    assert.deepEqual([valid, checked], [true, 1_000])
    const added = rightAfter(ids[1_500])
    await tools.insert(tenantId, added)
    assert.equal((await verify(person, middle)).body.first_invalid.record_id, added)
    assert.equal((await verify(person, `?to=${await timeOf(ids[50])}`)).body.first_invalid.record_id, ids[100])
    for (const nothing of ['?from=2100-01-01T00:00:00Z', '?to=2001-01-01T00:00:00Z'])
      assert.deepEqual(
        [(await verify(person, nothing)).body.valid, (await verify(person, nothing)).body.checked],
        [true, 0],
      )
  })

  test('that is none is refused', async () => {
    const { status, body } = await verify(other, '?from=yesterday&action=x')
    assert.deepEqual(
      [status, body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()],
      [400, ['query/action', 'query/from']],
    )
    assert.equal((await verify(other, '?to=2026-02-30T00:00:00Z')).status, 400)
  })
})

describe('what retention removes', () => {
  const giveUp = (tenantId: string, to: string) =>
    core.core.run((ctx) => appendRemoval(ctx, to), { tenantId, role: 'system' })

  test('may be missing, with the blocks that held nothing else; and nothing more', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    await giveUp(tenantId, ids[1_200] ?? '')
    assert.equal((await verify(person)).body.checked, RECORDS)
    await tools.remove(tenantId, ids.slice(0, 600))
    assert.deepEqual([(await verify(person)).body.valid, (await verify(person)).body.checked], [true, RECORDS - 600])
    await tools.remove(tenantId, ids.slice(600, 1_200))
    await tools.sql('delete from audit_blocks where tenant_id = $1 and height = 1', [tenantId])
    assert.deepEqual([(await verify(person)).body.valid, (await verify(person)).body.checked], [true, RECORDS - 1_200])
    await record(core, tenantId)
    await sealAll(core, tenantId)
    assert.equal((await verify(person)).body.valid, true)
    await tools.remove(tenantId, [ids[1_200]])
    const { problem, record_id } = (await verify(person)).body.first_invalid
    assert.deepEqual([problem, record_id], ['removed', ids[1_200]])
  })

  test('are no blocks that hold more', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    await giveUp(tenantId, ids[1_200] ?? '')
    await tools.remove(tenantId, ids.slice(0, 2_000))
    await tools.sql('delete from audit_blocks where tenant_id = $1 and height < 3', [tenantId])
    assert.equal((await verify(person)).body.first_invalid.problem, 'seal')
  })

  test('is not what the chain alone says', async () => {
    const { person, tenantId, ids } = await tools.sealedTenant()
    await giveUp(tenantId, ids[100] ?? '')
    await tools.remove(tenantId, ids.slice(0, 200))
    await tools.sql('update audit_chains set removed_to = $2 where tenant_id = $1', [tenantId, ids[1_000]])
    assert.equal((await verify(person)).body.first_invalid.record_id, ids[100])
    await tools.sql('update audit_blocks set removed_to = $2 where tenant_id = $1 and removed_to is not null', [
      tenantId,
      ids[1_000],
    ])
    assert.equal((await verify(person)).body.valid, false)
  })
})

describe('the keys', () => {
  test('are those of APP_SECRET and of the ones before it', async () => {
    const { person, tenantId } = await tools.sealedTenant()
    const keysOf = async (test: TestCore) =>
      (await test.request('GET', '/api/v1/audit/keys', { token: person.token })).body.data
    const before = await keysOf(core)
    const rotated = await createAuditCore({
      database: core.database,
      env: { APP_SECRET: 'another-secret-of-the-tests-0123456789-abcdefghij', APP_SECRET_PREVIOUS: TEST_SECRET },
    })
    const forgotten = await createAuditCore({
      database: core.database,
      env: { APP_SECRET: 'another-secret-of-the-tests-0123456789-abcdefghij' },
    })
    try {
      const after = await keysOf(rotated)
      assert.deepEqual([after.length, after[1]], [2, before[0]])
      assert.equal((await verify(person, '', rotated)).body.valid, true)
      // The last seal is of a key that this one does not know, until it has sealed itself.
      assert.equal((await verifyBehind(forgotten, tenantId)).valid, false)
      await recordMany(core, tenantId, 1)
      rotated.clock.advance(10 * SECONDS)
      await sealAll(rotated, tenantId)
      assert.equal((await verify(person, '', rotated)).body.valid, true)
      const { valid, checked } = await verifyBehind(forgotten, tenantId)
      assert.deepEqual([valid, checked], [true, RECORDS + 1])
      assert.match((await verify(person)).body.first_invalid.detail, /a key that is not known here/)
    } finally {
      await rotated.close()
      await forgotten.close()
    }
  })
})

describe('a long check', () => {
  const MANY = 30_000
  const BATCHES = MANY / 1_000

  test('sends spaces while it works, and ends when the client goes away', async () => {
    const person = await foundWithRecords(core, MANY)
    await sealAndComplete(core, person.tenantId)
    const { text, body } = await verify(person)
    assert.deepEqual([body.valid, body.checked], [true, MANY])
    assert.ok((/^ +/.exec(text)?.[0].length ?? 0) >= BATCHES)

    await forgetVerdict(core, person.tenantId)
    await core.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = core.app.server.address() as AddressInfo // it listens on a port
    let batches = 0
    const stop = core.core.db.observe((sql) => {
      if (sql.includes('from "audit_blocks"') && sql.includes('"entries"')) batches++
    })
    const reading = core.core.db.observe((sql) => {
      if (sql.includes('any(')) batches++
    })
    const headers = { authorization: `Bearer ${person.token}` }
    const request = get({ port, host: '127.0.0.1', path: '/api/v1/audit/verify', headers, agent: false })
    request.on('error', () => {}) // it is broken off
    const [answer] = await once(request, 'response')
    await once(answer, 'data')
    request.destroy()
    for (let seen = -1; seen !== batches; await sleep(1_000)) seen = batches
    stop()
    reading()
    assert.ok(batches > 0 && batches < BATCHES, `${batches} batches were read for a client that had gone`)
  })
})
