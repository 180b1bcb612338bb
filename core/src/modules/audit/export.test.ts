import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { TestCore } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { type Person, register } from '../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore, readCsv } from './audit.fixture.ts'

const MANY = 200_000
const MB = 1024 * 1024

let core: TestCore
let ada: Person
let big: Person
before(async () => {
  core = await createAuditCore()
  ada = await register(core, { name: '=1+1', tenant_name: 'Acme, "the" company' })
  big = await register(core, { tenant_name: 'Big' })
  await addMany(big.tenantId)
  await core.app.listen({ port: 0, host: '127.0.0.1' })
})
after(() => core.close())

/** What receivers of such files rely on. */
const COLUMNS = [
  'id',
  'created_at',
  'tenant_id',
  'user_id',
  'actor',
  'action',
  'resource_type',
  'resource_id',
  'store_id',
  'old_values',
  'new_values',
  'ip_address',
  'user_agent',
  'request_id',
  'resource_label',
]

const send = (path: string, { token } = ada) => core.request('GET', `/api/v1/audit${path}`, { token })

describe('a file', () => {
  test('of JSON is what the list shows', async () => {
    const { body } = await send('?limit=100&to=2100-01-01T00:00:00Z')
    const { headers, body: exported } = await send('/export?format=json&to=2100-01-01T00:00:00Z')
    // The export is the newest record itself.
    assert.deepEqual(exported.slice(1), body.data)
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
    assert.match(String(headers['content-disposition']), /^attachment; filename="audit-\d{4}-\d\d-\d\d\.json"$/)
    assert.deepEqual((await send('/export?format=json&q=nothing-like-this')).body, [])
  })

  test('of NDJSON has a line for each record', async () => {
    const filter = 'action=store.*'
    const { text, headers } = await send(`/export?format=ndjson&${filter}`)
    const lines = text.trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      (await send(`?${filter}`)).body.data,
    )
    assert.equal(headers['content-type'], 'application/x-ndjson; charset=utf-8')
  })

  test('of CSV has the fields in their order, objects as JSON, and no formula', async () => {
    const { text, headers } = await send('/export?action=store.*')
    const [names = [], ...rows] = readCsv(text)
    const expected = (await send('?action=store.*')).body.data
    assert.equal(rows.length, expected.length)
    assert.deepEqual(names, COLUMNS)
    assert.deepEqual(Object.keys(expected[0]), COLUMNS)
    const field = (name: string) => rows[0]?.[names.indexOf(name)] ?? ''
    assert.deepEqual(JSON.parse(field('actor')), expected[0].actor)
    assert.deepEqual(JSON.parse(field('new_values')), expected[0].new_values)
    assert.deepEqual([field('id'), field('old_values')], [expected[0].id, ''])
    assert.match(String(headers['content-type']), /^text\/csv/)
    const people = readCsv((await send('/export?format=csv&resource_type=user')).text)
    assert.equal(people[1]?.[names.indexOf('resource_label')], "'=1+1")
  })

  test('is recorded once, with its filters and its format', async () => {
    const exports = async () => (await send('?action=audit.exported&limit=100')).body.data
    const before = (await exports()).length
    await send('/export?format=ndjson&action=store.*&q=main')
    const [latest, ...earlier] = await exports()
    assert.equal(earlier.length, before)
    assert.deepEqual(latest.new_values, { format: 'ndjson', filters: { action: 'store.*', q: 'main' } })
    assert.equal(latest.user_id, ada.userId)
  })

  test('is refused before it begins', async () => {
    for (const query of ['format=xml', 'from=yesterday', 'limit=5', 'cursor=x'])
      assert.equal((await send(`/export?${query}`)).status, 400, query)
  })

  test('has no body for HEAD, and none is read for it', async () => {
    const reading = countBatches()
    const answer = await core.request('HEAD', '/api/v1/audit/export?format=ndjson', { token: big.token })
    assert.deepEqual([answer.status, answer.text], [200, ''])
    assert.equal(answer.headers['content-type'], 'application/x-ndjson; charset=utf-8')
    assert.equal(reading.stop(), 0)
  })
})

describe(`${MANY} records`, () => {
  test('leave in constant memory', async (context) => {
    const file = await open()
    const atStart = memory()
    const most = { heap: 0, all: 0 }
    let [bytes, lines, looked] = [0, 0, 0]
    for await (const chunk of file as AsyncIterable<Buffer>) {
      bytes += chunk.length
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      if (bytes - looked < 10 * MB) continue
      looked = bytes
      const { heap, all } = memory()
      most.heap = Math.max(most.heap, heap - atStart.heap)
      most.all = Math.max(most.all, all - atStart.all)
    }
    const inMb = (size: number) => Math.round(size / MB)
    context.diagnostic(`${inMb(bytes)} MB; the heap grew by ${inMb(most.heap)} MB, with buffers ${inMb(most.all)} MB`)
    assert.ok(lines > MANY && bytes > 150 * MB, `${lines} lines, ${bytes} bytes`)
    // Buffers that nobody holds are given back with a delay.
    assert.ok(most.heap < 10 * MB && most.all < 75 * MB, `${JSON.stringify(most)} more in memory`)
  })

  test('wait for a client that reads slowly, and stop when it goes away', async () => {
    const reading = countBatches()
    const file = await open()
    file.once('readable', () => {})
    await until('it has begun', () => reading.count() > 0)
    const ahead = await stableCount(reading.count)
    assert.ok(ahead > 0 && ahead < 100, `${ahead} batches were read for a client that takes nothing`)
    file.destroy()
    const before = await stableCount(reading.count)
    assert.ok(before <= ahead + 1, `${before - ahead} batches were read for a client that had gone`)
    assert.equal(reading.stop(), before)
    await until('no connection is held', () => core.core.db.load().app.waiting === 0 && busyConnections() === 0)
  })
})

/** Begins an export of the many over a real connection. */
function open(): Promise<IncomingMessage> {
  const { port } = core.app.server.address() as AddressInfo // it listens on a port
  const headers = { authorization: `Bearer ${big.token}` }
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/api/v1/audit/export?format=ndjson', headers, agent: false }, resolve).on(
      'error',
      reject,
    )
  })
}

/** Counts the batches that are asked for from now on. */
function countBatches() {
  let count = 0
  const stop = core.core.db.observe((sql) => {
    if (sql.includes('from "audit_logs"')) count++
  })
  return {
    count: () => count,
    stop: () => {
      stop()
      return count
    },
  }
}

/** What is counted once nothing was added for half a second, and the database is not just being slow. */
async function stableCount(count: () => number): Promise<number> {
  for (let last = -1; ; ) {
    if (count() === last && busyConnections() === 0) return last
    last = count()
    await sleep(500)
  }
}

function busyConnections(): number {
  const { total, idle } = core.core.db.load().app
  return total - idle
}

/** After everything that nobody holds was thrown away. */
function memory(): { heap: number; all: number } {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, all: heapUsed + external }
}

/** Records of the last month, a kilobyte each. */
async function addMany(tenantId: string): Promise<void> {
  await asSuperuser(
    core,
    `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type, new_values)
     select $1, overlay(tenantry.uuid_at(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid, at, 'toy.made', 'system',
       'system', 'toy', jsonb_build_object('name', repeat('x', 600))
     from (select n, now() - n * interval '10 seconds' as at from generate_series(1, $2::int) n) as moments`,
    [tenantId, MANY],
  )
}
