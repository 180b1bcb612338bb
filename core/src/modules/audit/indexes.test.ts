import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { DAYS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { type Person, register } from '../auth/auth.fixture.ts'
import { addHistory, asSuperuser, createAuditCore } from './audit.fixture.ts'
import { completeAll } from './search/search.fixture.ts'

const COUNT = 30_000

let core: TestCore
let ada: Person
let wanted: Awaited<ReturnType<typeof addHistory>>
before(async () => {
  core = await createAuditCore()
  ada = await register(core)
  await asSuperuser(
    core,
    "select tenantry.ensure_partitions('audit_logs', (current_date - interval '1 year')::date, 12)",
  )
  wanted = await addHistory(core, ada.tenantId, COUNT)
})
after(() => core.close())

/** What the statements of a request read, by the plans that the application's role gets for them. */
async function planOf(filters: Record<string, string>) {
  const sent: { sql: string; values: readonly unknown[] }[] = []
  const stop = core.core.db.observe((sql, values) => {
    if (/from "?audit_/.test(sql)) sent.push({ sql, values })
  })
  const url = `/api/v1/audit?${new URLSearchParams(filters)}`
  const { body } = await core.request('GET', url, { token: ada.token })
  stop()
  assert.ok(sent.length > 0, 'nothing was read')
  const client = new pg.Client({ connectionString: core.database.appUrl, options: '-c search_path=core' })
  await client.connect()
  try {
    await client.query('begin')
    await client.query('select tenantry.set_tenant($1)', [ada.tenantId])
    const lines: string[] = []
    for (const { sql, values } of sent) {
      const { rows } = await client.query(`explain (analyze, costs off, timing off, summary off) ${sql}`, [...values])
      lines.push(...rows.map((row) => row['QUERY PLAN']))
    }
    const partitions = lines.flatMap((line) => / on (audit_logs_\d{6}) /.exec(line)?.[1] ?? [])
    const records = lines.reduce((sum, _, at) => sum + readBy(lines, at), 0)
    return { found: body.data.length, records, partitions, plan: lines.join('\n') }
  } finally {
    await client.end()
  }
}

/** How many rows the scan in that line of a plan looked at, in all its rounds. */
function readBy(lines: readonly string[], at: number): number {
  const scan = /Scan .*on audit_.*actual rows=([\d.]+) loops=(\d+)/.exec(lines[at] ?? '')
  if (!scan) return 0
  const removed = lines.slice(at + 1).findIndex((line) => line.includes('->'))
  const own = lines.slice(at + 1, removed < 0 ? undefined : at + 1 + removed).join(' ')
  const thrownAway = Number(/Rows Removed by \w+: (\d+)/.exec(own)?.[1] ?? 0)
  return (Number(scan[1]) + thrownAway) * Number(scan[2])
}

test('a page without filters leaves the partitions of older times alone', async () => {
  const { found, records, partitions, plan } = await planOf({})
  const month = new Date(Date.now() - 31 * DAYS).toISOString().slice(0, 7).replace('-', '')
  const older = partitions.filter((name) => name < `audit_logs_${month}`)
  assert.ok(found === 20 && records <= 45 && older.length === 0, `${records}: ${plan}`)
})

test('a time range leaves out the partitions of other times', async () => {
  const day = (ago: number) => new Date(Date.now() - ago * DAYS).toISOString()
  const { found, records, partitions, plan } = await planOf({ from: day(130), to: day(110) })
  assert.ok(found === 20 && records < 100 && partitions.length <= 2, plan)
})

test('each filter by itself finds its records by an index', async () => {
  for (const [name, value] of Object.entries(wanted)) {
    const { found, records, plan } = await planOf({ [name]: value })
    assert.ok(found >= 15 && records < 500, `${name}: ${records} records for ${found}\n${plan}`)
  }
})

test('what is rare is found without reading the rest', async () => {
  for (const [name, value] of Object.entries({
    action: 'webhook.*',
    resource_type: 'webhook',
    ip_address: '10.0.0.1',
  })) {
    const { records, plan } = await planOf({ [name]: value })
    assert.ok(records < 500, `${name}: ${records}\n${plan}`)
  }
})

test('a word is found without reading the rest, wherever it stands', async () => {
  await completeAll(core, ada.tenantId)
  for (const [q, most] of Object.entries({
    person: 1_000,
    'person 7': 1_000,
    zebra: 600,
    'thing 1234': 1_500,
    webh: 1_500,
  })) {
    const { found, records, plan } = await planOf({ q })
    assert.ok((q === 'zebra') === (found === 0) && records < most, `${q}: ${records} for ${found}\n${plan}`)
  }
})
