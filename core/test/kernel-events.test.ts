import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import pg from 'pg'
import { type Ctx, defineEvent, newId, Type, timeOfId } from '#kernel'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore } from '../src/testing/index.ts'
import {
  behaviour,
  countProbes,
  gadgetChanged,
  gadgetLost,
  gadgetTuned,
  inTenant,
  probe,
  tenantOf,
  writeProbe,
} from './probe-module.ts'

const gadget = {
  id: '01926f3c-7b1e-7cc3-98c4-dc0c0c07398f',
  name: 'Lamp',
  pin: 'pin-1',
  options: { colour: 'red', key: 'key-1' },
  parts: [{ name: 'bulb', code: 'code-1' }],
  updated_at: '2026-01-31T12:00:00.000Z',
}

describe('events', () => {
  let test: TestCore
  before(async () => {
    test = await createTestCore({ modules: [probe] })
  })
  after(() => test.close())
  afterEach(() => {
    behaviour.listener = undefined
    behaviour.inner = undefined
  })

  const records = (tenant: string) =>
    test.core.db.systemQuery('select * from audit_logs where tenant_id = $1 order by id', [tenantOf(tenant)])

  async function recorded(tenant: string, content: Parameters<Ctx['emit']>[1]) {
    await inTenant(test.core, tenant, (ctx) => ctx.emit(gadgetLost, content))
    return (await records(tenant)).at(-1)
  }

  it('are heard within their transaction by who asks for that: once, as whoever acts', async () => {
    const heard: unknown[] = []
    behaviour.inner = async (ctx, { name, after, before, tenantId }) => {
      heard.push([name, tenantId, before, Object.keys(after ?? {}), ctx.actor.type])
      await writeProbe(ctx, 'inner')
    }
    const before = (await records('b')).length
    await inTenant(test.core, 'b', async (ctx) => {
      await ctx.emit(gadgetTuned, { after: { serial: '1' } })
      assert.equal(heard.length, 1, 'before emit returns')
    })
    assert.deepEqual(heard, [['gadget.tuned', tenantOf('b'), null, ['serial'], 'system']])
    assert.deepEqual([await countProbes(test.core, 'inner'), (await records('b')).length], [1, before + 1])
    await drainJobs(test.core, tenantOf('b'))
    assert.equal(heard.length, 1, 'and by no job')
  })

  it('are undone, with the change, by what is thrown within', async () => {
    behaviour.inner = async () => {
      throw new Error('not this way')
    }
    const before = (await records('b')).length
    const failing = inTenant(test.core, 'b', async (ctx) => {
      await writeProbe(ctx, 'undone')
      await ctx.emit(gadgetTuned, { after: { serial: '2' } })
    })
    await assert.rejects(failing, /not this way/)
    assert.deepEqual([await countProbes(test.core, 'undone'), (await records('b')).length], [0, before])
  })

  it('are recorded together with the change, or not at all', async () => {
    const change = async (ctx: Ctx) => {
      await writeProbe(ctx, 'told')
      await ctx.emit(gadgetLost, { after: gadget })
    }
    await inTenant(test.core, 'a', change)
    const failing = inTenant(test.core, 'a', async (ctx) => {
      await change(ctx)
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    assert.equal(await countProbes(test.core, 'told'), 1)
    assert.equal((await records('a')).length, 1)
  })

  it('take the change along when they cannot be recorded', async () => {
    const wrong = ({ actor }: Ctx) => ({ ...actor, id: 'no uuid' })
    const failing = inTenant(test.core, 'b', async (ctx) => {
      await writeProbe(ctx, 'untold')
      await ctx.as(wrong(ctx)).emit(gadgetLost, { after: gadget })
    })
    await assert.rejects(failing, /no uuid/)
    const goingOn = inTenant(test.core, 'b', async (ctx) => {
      await ctx.as(wrong(ctx)).emit(gadgetLost, { after: gadget })
      await writeProbe(ctx, 'untold')
    })
    await assert.rejects(goingOn, /no uuid/, 'not by what the next statement says of a failed transaction')
    assert.equal(await countProbes(test.core, 'untold'), 0)
  })

  it('blot out what the schema calls secret, at every depth', async () => {
    const row = await recorded('c', { after: gadget })
    assert.deepEqual(row?.new_values, {
      ...gadget,
      pin: '[redacted]',
      options: { colour: 'red', key: '[redacted]' },
      parts: [{ name: 'bulb', code: '[redacted]' }],
    })
    assert.equal(row?.old_values, null)
    const text = JSON.stringify([row, await test.core.db.systemQuery('select * from tenant_jobs')])
    for (const secret of ['pin-1', 'key-1', 'code-1']) assert.ok(!text.includes(secret), secret)
  })

  it('record the fields that changed, and that a secret did, but not its values', async () => {
    const before = { ...gadget, options: { key: 'key-1', colour: 'red' } }
    const after = { ...gadget, name: 'Torch', pin: 'pin-2', updated_at: '2027-01-31T12:00:00.000Z' }
    const row = await recorded('d', { before, after })
    assert.deepEqual(row?.old_values, { name: 'Lamp', pin: '[redacted]' })
    assert.deepEqual(row?.new_values, { name: 'Torch', pin: '[redacted]' })
    const nested = await recorded('d', {
      before: gadget,
      after: { ...gadget, options: { colour: 'blue', key: 'key-2' } },
    })
    assert.deepEqual(nested?.old_values, { options: { colour: 'red', key: '[redacted]' } })
    assert.deepEqual(nested?.new_values, { options: { colour: 'blue', key: '[redacted]' } })
  })

  describe('of an object that the schema leaves open', () => {
    const emit = async (tenant: string, content: Parameters<Ctx['emit']>[1]) => {
      await inTenant(test.core, tenant, (ctx) => ctx.emit(gadgetTuned, content))
      return (await records(tenant)).at(-1)
    }
    const hash = /^hmac:[\w-]{16}$/
    const before = { extra: { api_key: 'sk_live_Leaky', theme: 'dark', limits: { a: 1, b: [2] } } }

    it('record the keys that changed, and no value', async () => {
      const after = { extra: { theme: 'dark', api_key: 'sk_live_Other', limits: { b: [2], a: 1 }, fresh: true } }
      const row = await emit('open', { before, after })
      assert.deepEqual(Object.keys(row?.old_values.extra), ['api_key'])
      assert.deepEqual(Object.keys(row?.new_values.extra).sort(), ['api_key', 'fresh'])
      const [old, now] = [row?.old_values.extra.api_key, row?.new_values.extra.api_key]
      assert.match(old, hash)
      assert.notEqual(old, now)
      const made = await emit('open', { after: { extra: { api_key: 'sk_live_Leaky' } } })
      assert.equal(made?.new_values.extra.api_key, old, 'equal values are seen to be equal')
      const other = await emit('shut', { after: { extra: { api_key: 'sk_live_Leaky' } } })
      assert.notEqual(other?.new_values.extra.api_key, old, 'by nobody else')
      const text = JSON.stringify(await test.core.db.systemQuery('select * from audit_logs, tenant_jobs'))
      assert.ok(!text.includes('sk_live'))
    })

    it('record no more than a few keys, however many and long they are', async () => {
      const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`key ${n}`, 'x'.repeat(10)]))
      const row = await emit('open', { before, after: { extra: { ['k'.repeat(60_000)]: 1, ...many } } })
      const text = JSON.stringify([row?.old_values, row?.new_values])
      assert.ok(text.length < 4_000, `${text.length} characters`)
      assert.equal(row?.new_values.extra['…'], '3951 more')
    })

    it('record it whole where the schema says so, and hash what else the schema wants hashed', async () => {
      const row = await emit('open', { after: { plain: { shown: [1] }, serial: 'A-1', maybe: null, any: [{ a: 1 }] } })
      assert.deepEqual(row?.new_values.plain, { shown: [1] })
      assert.match(row?.new_values.serial, hash)
      assert.equal(row?.new_values.maybe, null)
      assert.match(row?.new_values.any[0].a, hash)
    })
  })

  it('never record a field that the schema does not name', async () => {
    const loose = {
      ...gadget,
      password: 'x1',
      options: { ...gadget.options, token: 'x2' },
      parts: [{ ...gadget.parts[0], seed: 'x3' }],
    }
    for (const content of [{ after: loose }, { before: loose }, { before: gadget, after: loose }]) {
      const text = JSON.stringify(await recorded('e', content))
      for (const secret of ['x1', 'x2', 'x3']) assert.ok(!text.includes(secret), secret)
    }
  })

  it('say who did what to what, from where', async () => {
    const anna = { type: 'user' as const, id: tenantOf('anna'), label: 'Anna', impersonatorId: tenantOf('boss') }
    await inTenant(test.core, 'f', (ctx) => ctx.as(anna).emit(gadgetLost, { before: gadget }))
    const row = (await records('f'))[0]
    assert.partialDeepStrictEqual(row, {
      action: 'gadget.lost',
      actor_type: 'user',
      actor_id: anna.id,
      actor_label: 'Anna',
      impersonator_id: anna.impersonatorId,
      resource_type: 'gadget',
      resource_id: gadget.id,
      resource_label: 'Lamp',
      new_values: null,
    })
    assert.ok(Math.abs(Date.parse(row?.created_at) - test.clock.ms()) < 60_000)
  })

  it('go to every listener of theirs and of all, in the tenant, each in a job of its own', async () => {
    const heard: string[] = []
    behaviour.listener = async (ctx, name) => void heard.push(`${name} ${ctx.tenant === tenantOf('g')}`)
    await inTenant(test.core, 'g', async (ctx) => {
      await ctx.emit(gadgetChanged, { after: gadget })
      await ctx.emit(gadgetLost, { after: gadget })
    })
    assert.deepEqual(heard, [], 'not before the commit')
    await drainJobs(test.core, tenantOf('g'))
    assert.deepEqual(heard.sort(), ['all gadget.changed true', 'all gadget.lost true', 'first gadget.changed true'])
  })

  it('outside of a tenant go to a table of their own and are followed by nobody', async () => {
    await test.core.run((ctx) => ctx.emit(gadgetChanged, { after: gadget }))
    const rows = await test.core.db.systemQuery('select * from global_audit_logs')
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.new_values.pin, '[redacted]')
    assert.deepEqual(await test.core.db.systemQuery('select * from system_jobs'), [])
  })

  it('are refused when no module declares them', async () => {
    const stray = defineEvent('stray.seen', { description: 'In no list', data: Type.Object({}) })
    await assert.rejects(
      test.core.run((ctx) => ctx.emit(stray, { after: {} })),
      /stray\.seen belongs to no module/,
    )
    await assert.rejects(
      inTenant(test.core, 'h', (ctx) => ctx.emit(stray, { after: {} })),
      /stray\.seen belongs to no module/,
    )
  })

  it('cannot be changed or removed by the application or the system role, neither in the whole nor in a partition', async () => {
    await recorded('i', { after: gadget })
    const [{ part }] = (await test.core.db.systemQuery(
      'select tableoid::regclass::text as part from audit_logs limit 1',
    )) as [{ part: string }]
    for (const url of [test.database.appUrl, test.database.systemUrl]) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query("select set_config('app.tenant_id', $1, false)", [tenantOf('i')])
      for (const table of ['audit_logs', 'global_audit_logs', part]) {
        for (const statement of [`update ${table} set action = 'x'`, `delete from ${table}`, `truncate ${table}`]) {
          await assert.rejects(client.query(statement), { code: '42501' }, statement)
        }
      }
      await client.end()
    }
    assert.equal((await records('i')).length, 1)
  })

  it('lie in the partition of their month, and are found by id in that one', async () => {
    const row = await recorded('j', { after: gadget })
    const month = new Date(timeOfId(row?.id)).toISOString().slice(0, 7).replace('-', '')
    const [found] = await test.core.db.systemQuery(
      'select tableoid::regclass::text as part from audit_logs where id = $1',
      [row?.id],
    )
    assert.equal(found?.part, `audit_logs_${month}`)
    const explain = 'explain (format json) select * from audit_logs where tenant_id = $1 and id = $2'
    const plan = JSON.stringify(await test.core.db.systemQuery(explain, [tenantOf('j'), row?.id]))
    assert.deepEqual([...new Set(plan.match(/"Relation Name":"[^"]+"/g))], [`"Relation Name":"audit_logs_${month}"`])
  })

  it('are never refused for want of a partition', async () => {
    const id = `ffffffff${newId().slice(8)}`
    await test.core.db.systemQuery(
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
       values ($1, $2, now(), 'x', 'system', 'x', 'x')`,
      [tenantOf('k'), id],
    )
    const [found] = await test.core.db.systemQuery(
      'select tableoid::regclass::text as part from audit_logs where id = $1',
      [id],
    )
    assert.equal(found?.part, 'audit_logs_other')
  })

  it('move from the table for everything else into their month once it is made', async () => {
    const id = '03a00000-0000-7000-8000-000000000001' // a moment in 2096
    const at = new Date(0x03a000000000)
    await test.core.db.systemQuery(
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
       values ($1, $2, now(), 'x', 'system', 'x', 'x')`,
      [tenantOf('l'), id],
    )
    await test.core.db.systemQuery("select tenantry.ensure_partitions('audit_logs', $1::date, 1)", [at.toISOString()])
    const [found] = await test.core.db.systemQuery(
      'select tableoid::regclass::text as part from audit_logs where id = $1',
      [id],
    )
    assert.equal(found?.part, `audit_logs_${at.toISOString().slice(0, 7).replace('-', '')}`)
  })
})
