import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { defineEvent, defineModule, newId, Type } from '#kernel'
import { createTestCore, type TestCore } from '../src/testing/index.ts'

const lit = defineEvent('beacon.lit', {
  description: 'A beacon was lit',
  data: Type.Object({
    id: Type.String(),
    pin: Type.String({ secret: true }),
    place: Type.Object({ hill: Type.String() }),
  }),
  published: true,
})
const relit = defineEvent('beacon.relit', {
  description: 'It was lit again',
  data: lit.data,
  published: { as: 'beacon.lit' },
})
const smoked = defineEvent('beacon.smoked', { description: 'It smoked', data: Type.Object({ id: Type.String() }) })
const beacons = defineModule({ name: 'beacons', events: [lit, relit, smoked] })

const values = () => ({ id: newId(), pin: '1234', place: { hill: 'Tor', owner: 'nobody says' } })

describe('the feed of a tenant', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [beacons] })
  })
  after(() => test.close())

  const feed = (tenantId: string) =>
    test.core.db.systemQuery<{ id: string; position: number; type: string; data: unknown; created_at: string }>(
      'select * from events where tenant_id = $1 order by position',
      [tenantId],
    )
  const light = (tenantId: string, work: () => void = () => {}) =>
    test.core.run(
      async (ctx) => {
        await ctx.emit(lit, { after: values() })
        work()
      },
      { tenantId },
    )

  it('has what is published, under its public name, without what is secret or unnamed', async () => {
    const tenantId = newId()
    const { id, ...rest } = values()
    await test.core.run(
      async (ctx) => {
        await ctx.emit(lit, { after: { id, ...rest } })
        await ctx.emit(smoked, { after: { id } })
        await ctx.emit(relit, { before: { id, ...rest } })
      },
      { tenantId },
    )
    const rows = await feed(tenantId)
    assert.deepEqual(
      rows.map(({ position, type, data }) => ({ position, type, data })),
      [1, 2].map((position) => ({ position, type: 'beacon.lit', data: { id, place: { hill: 'Tor' } } })),
    )
    const records = await test.core.db.systemQuery<{ id: string }>(
      "select id from audit_logs where tenant_id = $1 and action <> 'beacon.smoked' order by id",
      [tenantId],
    )
    assert.deepEqual(
      rows.map(({ id }) => id),
      records.map(({ id }) => id),
    )
  })

  it('has no gap where a transaction was undone', async () => {
    const tenantId = newId()
    await light(tenantId)
    const fails = () => {
      throw new Error('on second thought')
    }
    await assert.rejects(light(tenantId, fails), /on second thought/)
    await light(tenantId)
    assert.deepEqual(
      (await feed(tenantId)).map(({ position }) => position),
      [1, 2],
    )
  })

  it('is in the order of commits, whoever emitted first', async () => {
    const tenantId = newId()
    const emitted = Promise.withResolvers<void>()
    const committed = Promise.withResolvers<void>()
    const [early, late] = [newId(), newId()]
    const slow = test.core.run(
      async (ctx) => {
        await ctx.emit(lit, { after: { ...values(), id: early } })
        emitted.resolve()
        await committed.promise
      },
      { tenantId },
    )
    await emitted.promise
    await test.core.run((ctx) => ctx.emit(lit, { after: { ...values(), id: late } }), { tenantId })
    committed.resolve()
    await slow
    assert.deepEqual(
      (await feed(tenantId)).map(({ data }) => (data as { id: string }).id),
      [late, early],
    )
  })

  it('numbers what many transactions publish at once without gap or double', async () => {
    const tenantId = newId()
    await Promise.all(Array.from({ length: 60 }, () => light(tenantId)))
    assert.deepEqual(
      (await feed(tenantId)).map(({ position }) => position),
      Array.from({ length: 60 }, (_, index) => index + 1),
    )
  })
})
