import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DAYS, defineError, HOURS, isTimeSigned, MINUTES, openapiDocument, SECONDS } from '#kernel'
import { forgetInboundMessages } from '../src/kernel/inbound/tidy.ts'
import { drainJobs } from '../src/testing/drain-jobs.ts'
import { createTestCore, type TestCore, undescribed } from '../src/testing/index.ts'
import { BANK_ENV, bank, PARCELS, PAYMENTS, paid, parcels } from './bank-module.ts'
import { countProbes, inTenant, probe, tenantOf, until, writeProbe } from './probe-module.ts'

const modules = [probe, bank]
let test: TestCore
before(async () => {
  test = await createTestCore({ modules, env: BANK_ENV })
  await inTenant(test.core, 'a', (ctx) => writeProbe(ctx, 'account A'))
  await inTenant(test.core, 'b', (ctx) => writeProbe(ctx, 'account B'))
})
after(() => test?.close())
afterEach(() => {
  parcels.verify = undefined
  parcels.handle = undefined
})

type Paid = Parameters<typeof paid>[2]
const pay = (id: string, options: Paid = {}, at = test.clock.ms()) =>
  test.request('POST', PAYMENTS, paid(id, at, options))
const drop = (payload: string | Buffer, headers: Record<string, string> = {}, url = PARCELS) =>
  test.request('POST', url, { payload, headers: { 'content-type': 'text/plain', ...headers } })
const rows = (sql: string, values: unknown[] = []) => test.core.db.systemQuery(sql, values)
const stored = async (id: string) => {
  const found = await rows(
    `select message_id from inbound_messages where message_id = $1
     union all select message_id from global_inbound_messages where message_id = $1`,
    [id],
  )
  return found.length
}
const waiting = async (id: string) => {
  const found = await rows(
    `select 1 from tenant_jobs where payload->>'id' = $1 union all select 1 from system_jobs where payload->>'id' = $1`,
    [id],
  )
  return found.length
}
const warnings = (words: string) => test.logs.filter((line) => line.includes(words))

describe('a webhook of another server', () => {
  it('is stored with its job, answered, and worked in its tenant alone', async () => {
    const answer = await pay('msg_1', { cents: 250 })
    assert.deepEqual([answer.status, answer.body], [200, { received: true }])
    assert.equal(await countProbes(test.core, 'msg_1 250'), 0)
    assert.equal((await pay('msg_2', { account: 'B' })).status, 200)
    await test.drainJobs(tenantOf('a'))
    const booked = await rows("select tenant_id from probes where label = 'msg_1 250'")
    assert.deepEqual(booked, [{ tenant_id: tenantOf('a') }])
    assert.equal(await countProbes(test.core, 'msg_2 1'), 0, 'that of the other tenant waits for its turn')
    await test.drainJobs(tenantOf('b'))
    assert.deepEqual(await rows("select tenant_id from probes where label = 'msg_2 1'"), [{ tenant_id: tenantOf('b') }])
  })

  it('comes as often as it likes and is worked once', async () => {
    await pay('msg_often')
    for (let time = 0; time < 3; time++)
      assert.deepEqual((await pay('msg_often')).body, { received: true, duplicate: true })
    await test.drainJobs(tenantOf('a'))
    assert.deepEqual((await pay('msg_often')).body, { received: true, duplicate: true })
    await test.drainJobs(tenantOf('a'))
    assert.equal(await countProbes(test.core, 'msg_often 1'), 1)
    assert.deepEqual(warnings('with another body'), [])
  })

  it('that comes again with another body is none that is new, and the log says so', async () => {
    await pay('msg_two', { cents: 1 })
    assert.deepEqual((await pay('msg_two', { cents: 2 })).body, { received: true, duplicate: true })
    await test.drainJobs(tenantOf('a'))
    assert.deepEqual([await countProbes(test.core, 'msg_two 1'), await countProbes(test.core, 'msg_two 2')], [1, 0])
    assert.equal(warnings('with another body').filter((line) => line.includes('msg_two')).length, 1)
  })

  it('is one of its tenant: another tenant’s of the same id is worked too', async () => {
    await pay('msg_same', { account: 'A' })
    assert.deepEqual((await pay('msg_same', { account: 'B' })).body, { received: true })
    for (const tenant of ['a', 'b']) await test.drainJobs(tenantOf(tenant))
    assert.equal(await countProbes(test.core, 'msg_same 1'), 2)
  })

  it('makes one job when it comes twenty times at once, in two processes', async () => {
    const other = await createTestCore({ modules, database: test.database, env: BANK_ENV })
    try {
      const message = paid('msg_race', test.clock.ms())
      const cores = [test, other]
      const sent = Array.from({ length: 20 }, (_, at) => cores[at % 2]!.request('POST', PAYMENTS, message)) // one of two
      const answers = await Promise.all(sent)
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(answers.filter(({ body }) => !body.duplicate).length, 1)
      assert.equal(await waiting('msg_race'), 1)
      await Promise.all(cores.map(({ core }) => drainJobs(core, tenantOf('a'))))
      assert.equal(await countProbes(test.core, 'msg_race 1'), 1)
    } finally {
      await other.close()
    }
  })

  it('is refused and not stored without a signature, with a wrong one, or an old one', async () => {
    const now = test.clock.ms()
    const good = paid('msg_bad', now)
    const without = (name: string) => ({ ...good, headers: { ...good.headers, [name]: '' } })
    const wrong = [
      paid('msg_bad', now, { secret: `whsec_${Buffer.from('another').toString('base64')}` }),
      paid('msg_bad', now - 6 * MINUTES),
      paid('msg_bad', now + 6 * MINUTES),
      { ...good, payload: good.payload.replace('1', '2') },
      { ...good, headers: { ...good.headers, 'webhook-id': 'msg_other' } },
      { ...good, headers: { 'content-type': 'application/json' } },
      ...['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(without),
    ]
    for (const message of wrong) {
      const { status, body } = await test.request('POST', PAYMENTS, message)
      assert.deepEqual([status, body.code], [401, 'signature_invalid'])
    }
    assert.equal(await stored('msg_bad'), 0)
    assert.equal((await test.request('POST', PAYMENTS, good)).status, 200)
  })

  it('is ignored when it is authentic and nobody’s here, and may become somebody’s', async () => {
    assert.deepEqual((await pay('msg_lost', { account: 'C' })).body, { received: true })
    assert.equal(await stored('msg_lost'), 0)
    assert.equal(warnings('nobody’s here').length, 1)
    await inTenant(test.core, 'c', (ctx) => writeProbe(ctx, 'account C'))
    assert.deepEqual((await pay('msg_lost', { account: 'C' })).body, { received: true })
    await test.drainJobs(tenantOf('c'))
    assert.equal(await countProbes(test.core, 'msg_lost 1'), 1)
  })

  it('is answered in its own way: 404, 405, 413, 415, and 400 for nothing', async () => {
    parcels.verify = () => ({ id: 'never', tenantId: null })
    assert.equal((await drop('x', {}, '/api/v1/inbound/nobody')).status, 404)
    assert.equal((await test.request('GET', PARCELS)).status, 405)
    assert.equal((await drop('x'.repeat(1_001))).status, 413)
    assert.equal((await drop('<x/>', { 'content-type': 'application/xml' })).status, 415)
    assert.equal((await drop('')).status, 400)
    assert.equal(await stored('never'), 0)
    assert.equal((await drop('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).status, 200)
  })

  it('of 1,000 bytes is taken, and the usual limit is 256 KiB', async () => {
    parcels.verify = () => ({ id: 'whole', tenantId: null })
    assert.equal((await drop('x'.repeat(1_000))).status, 200)
    const headers = { 'content-type': 'application/json' }
    const send = (size: number) => test.request('POST', PAYMENTS, { payload: 'x'.repeat(size), headers })
    assert.equal((await send(256 * 1024)).status, 401)
    assert.equal((await send(256 * 1024 + 1)).status, 413)
  })
})

describe('a verifier', () => {
  it('sees headers, address and bytes as they were sent', async () => {
    let seen: string[] = []
    parcels.verify = (_ctx, { headers, url, query, body }) => {
      seen = [headers['x-sign'] ?? '', url, query.get('b') ?? '', body.toString('hex')]
      return null
    }
    assert.equal((await drop(Buffer.from([0, 255]), { 'X-Sign': 'Abc' }, `${PARCELS}?a=1&b=%20?`)).status, 401)
    assert.deepEqual(seen, ['Abc', `${PARCELS}?a=1&b=%20?`, ' ?', '00ff'])
  })

  it('that fails takes nothing and loses nothing: 503, and the sender comes again', async () => {
    parcels.verify = () => {
      throw new Error('the directory is away')
    }
    const { status, body, text } = await drop('x')
    assert.deepEqual([status, body.code, text.includes('directory')], [503, 'unavailable', false])
    assert.equal(warnings('the directory is away').length, 1)
    for (const wrong of [{ id: 7 }, { id: '' }, { id: 'w' }, { id: 'w', tenantId: 'a' }]) {
      parcels.verify = () => ({ tenantId: undefined, ...wrong }) as never // as plain JavaScript may
      assert.equal((await drop('x')).status, 503)
    }
    parcels.verify = () => undefined as never // forgotten, as above
    assert.equal((await drop('x')).status, 401)
    assert.equal(await stored('w'), 0)
  })

  it('answers by its own errors where it throws them', async () => {
    parcels.verify = () => {
      throw defineError('signature_invalid', 401, 'Not this one')()
    }
    assert.equal((await drop('x')).body.title, 'Not this one')
  })

  it('may give ids of 255 characters, and no longer ones', async () => {
    const taken = 'é'.repeat(255)
    parcels.verify = () => ({ id: taken, tenantId: null })
    assert.equal((await drop('x')).status, 200)
    assert.equal(await stored(taken), 1)
    for (const id of [`${taken}x`, 'nul\0']) {
      parcels.verify = () => ({ id, tenantId: null })
      assert.equal((await drop('x')).status, 400)
    }
  })

  it('without a secret takes nothing yet', async () => {
    const bare = await createTestCore({ modules, database: test.database })
    try {
      const { status } = await bare.request('POST', PAYMENTS, paid('msg_early', test.clock.ms()))
      assert.equal(status, 503)
    } finally {
      await bare.close()
    }
  })
})

describe('a message that is worked', () => {
  it('has its exact bytes, and the headers that were asked for', async () => {
    const bodies = [
      'plain',
      '\ufeffé',
      '{"a":"\\u0000"}',
      Buffer.from([0x61, 0, 0x62]),
      Buffer.from([0xff, 0xfe, 0xed]),
    ]
    await rows('delete from system_jobs returning 1')
    for (const [place, body] of bodies.entries()) {
      const id = `bytes_${place}`
      parcels.verify = () => ({ id, tenantId: null })
      assert.equal((await drop(body, { 'x-kind': 'k', 'x-other': 'o', authorization: 'Bearer t' })).status, 200)
      let worked: unknown[] = []
      let at = ''
      parcels.handle = async (ctx, message) => {
        worked = [
          ctx.tenant,
          ctx.actor.type,
          ctx.actor.label,
          message.id,
          message.headers,
          message.body.toString('hex'),
        ]
        at = message.receivedAt
      }
      await test.drainJobs(null)
      assert.deepEqual(await rows('select received_at from global_inbound_messages where message_id = $1', [id]), [
        { received_at: at },
      ])
      const hex = Buffer.from(body).toString('hex')
      assert.deepEqual(worked, [null, 'system', 'parcels', id, { 'x-kind': 'k' }, hex])
    }
  })

  it('does not keep its sender waiting', async () => {
    const working = await createTestCore({ modules, database: test.database, env: BANK_ENV, worker: true })
    const gate = Promise.withResolvers<void>()
    let state = 'not begun'
    parcels.verify = () => ({ id: 'slow', tenantId: tenantOf('a') })
    parcels.handle = async () => {
      state = 'begun'
      await gate.promise
      state = 'done'
    }
    try {
      const send = () => working.request('POST', PARCELS, { payload: 'x', headers: { 'content-type': 'text/plain' } })
      assert.deepEqual((await send()).body, { received: true })
      assert.notEqual(state, 'done')
      await until('it is worked', () => state === 'begun')
      assert.deepEqual((await send()).body, { received: true, duplicate: true })
      assert.equal(state, 'begun')
      gate.resolve()
      await until('it is done', () => state === 'done')
    } finally {
      gate.resolve()
      await working.close()
    }
  })

  it('is tried again when that fails, and has its effect once', async () => {
    let tries = 0
    parcels.verify = () => ({ id: 'shaky', tenantId: tenantOf('a') })
    parcels.handle = async (ctx) => {
      await writeProbe(ctx, 'shaky')
      if (++tries === 1) throw new Error('not yet')
    }
    await drop('x')
    await drainJobs(test.core, tenantOf('a'))
    assert.deepEqual([tries, await countProbes(test.core, 'shaky')], [1, 0])
    test.clock.advance(MINUTES)
    await drainJobs(test.core, tenantOf('a'))
    assert.deepEqual([tries, await countProbes(test.core, 'shaky'), await waiting('shaky')], [2, 1, 0])
  })

  it('is there, once, when the process that stored it was killed before anybody heard of it', async () => {
    const script = fileURLToPath(new URL('./inbound-process.ts', import.meta.url))
    const { drop: _, ...urls } = test.database
    const child = spawn(process.execPath, [script, JSON.stringify(urls), 'msg_killed'], { stdio: 'inherit' })
    try {
      const [, signal] = await once(child, 'exit')
      assert.equal(signal, 'SIGKILL')
    } finally {
      child.kill('SIGKILL')
    }
    assert.deepEqual([await stored('msg_killed'), await waiting('msg_killed')], [1, 1])
    assert.deepEqual((await pay('msg_killed')).body, { received: true, duplicate: true })
    await test.drainJobs(tenantOf('a'))
    assert.equal(await countProbes(test.core, 'msg_killed 1'), 1)
  })
})

describe('a door for webhooks', () => {
  it('is an operation of the API document, under its module, for whoever is no client of ours', () => {
    const operation = openapiDocument(test.core).paths[PARCELS]?.post ?? assert.fail('there is none')
    assert.deepEqual(
      [operation.operationId, operation.tags, operation.security, operation['x-rate-limits']],
      ['receiveParcelsWebhook', ['bank'], [], ['inbound']],
    )
    assert.match(operation.description ?? '', /^Where parcels are\. /)
    const types = Object.keys(operation.requestBody?.content ?? {})
    assert.deepEqual(types, ['application/json', 'application/x-www-form-urlencoded', 'text/plain'])
    for (const status of ['200', '400', '401', '413', '415', '429', '503'])
      assert.ok(status in operation.responses, status)
    const silent = undescribed(openapiDocument(test.core)).filter((pointer) => /inbound|Inbound|bank/.test(pointer))
    assert.deepEqual(silent, [])
  })

  it('is open to 600 messages a minute from one address', async () => {
    const counting = await createTestCore({ modules, database: test.database, rateLimits: true })
    try {
      const headers = { 'content-type': 'text/plain' }
      const send = () => counting.request('POST', PARCELS, { payload: 'x', headers })
      const first = await send()
      assert.deepEqual([first.status, first.headers['ratelimit-policy']], [401, '"inbound";q=600;w=60'])
      for (let sent = 1; sent < 600; sent++) await send()
      assert.equal((await send()).status, 429)
    } finally {
      await counting.close()
    }
  })
})

describe('what has come in', () => {
  it('is forgotten after thirty days, and not before', async () => {
    await rows('delete from inbound_messages returning 1')
    await rows('delete from global_inbound_messages returning 1')
    parcels.verify = (_ctx, { body }) => ({ id: String(body), tenantId: null })
    await pay('msg_old')
    await drop('old')
    test.clock.advance(3 * HOURS)
    await drop('later')
    test.clock.advance(30 * DAYS - HOURS)
    await pay('msg_new')
    await forgetInboundMessages(test.core)
    const left = await Promise.all(['msg_old', 'old', 'later', 'msg_new'].map(stored))
    assert.deepEqual(left, [0, 0, 1, 1])
  })
})

describe('the header of a time and signatures', () => {
  const ms = 1_767_182_400_000
  const body = Buffer.from('{"id":"evt_1"}')
  const made = (secret: string, at = ms / SECONDS) =>
    createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex')
  const holds = (header: string | undefined, at = ms) => isTimeSigned({ header, body }, ['old', 'new'], at)
  const t = `t=${ms / SECONDS}`

  it('fits with one signature of one secret, near its time', () => {
    assert.ok(holds(`${t},v1=${made('new')}`))
    assert.ok(holds(`${t}, v1=${made('other')}, v1=${made('old')}, v0=x`, ms + 5 * MINUTES))
  })

  it('fits in no other way', () => {
    const wrong = [
      undefined,
      '',
      t,
      `v1=${made('new')}`,
      `${t},v1=`,
      `${t},v0=${made('new')}`,
      `${t},v1=${made('third')}`,
    ]
    for (const header of [...wrong, `t=1,v1=${made('new')}`, `t=x,v1=${made('new')}`]) assert.ok(!holds(header), header)
    for (const at of [ms + 5 * MINUTES + 1, ms - 5 * MINUTES - 1]) assert.ok(!holds(`${t},v1=${made('new')}`, at))
  })
})
