import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DAYS, MINUTES, momentAt, newId, type OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../../testing/index.ts'
import { addHistory, asSuperuser } from '../../audit/audit.fixture.ts'
import { type Found, readEverywhere } from '../../audit/everywhere/read.ts'
import { criteriaOf } from '../../audit/filters.ts'
import type { Reading } from '../../audit/read.ts'
import { operatorsOf } from '../admin.fixture.ts'

let test: TestCore
let operators: Record<OperatorRole, TestPerson>
let one: TestTenant
let two: TestTenant
before(async () => {
  test = await createTestCore()
  operators = await operatorsOf(test)
  one = await test.foundTenant({ name: 'One' })
  two = await test.foundTenant({ name: 'Two' })
})
after(() => test?.close())

interface Log {
  id: string
  created_at: string
  tenant_id: string | null
  user_id: string | null
  actor: { type: string; id: string | null }
  action: string
  resource_id: string | null
}

const query = (filters: Record<string, string>) => `/admin/audit?${new URLSearchParams(filters)}` as const
async function ask(filters: Record<string, string> = {}, operator = operators.support) {
  const { status, body, text } = await operator.get(query(filters))
  assert.equal(status, 200, text)
  return body as { data: Log[]; next_cursor: string | null }
}
/** All pages of what matches. */
async function all(filters: Record<string, string> = {}): Promise<Log[]> {
  const logs: Log[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await ask({ ...filters, ...(cursor !== '' && { cursor }) })
    logs.push(...page.data)
    cursor = page.next_cursor
  }
  return logs
}
const stored = () =>
  test.core.db.systemQuery<{ id: string; tenant_id: string | null }>(
    `select id, tenant_id from audit_logs union all select id, null from global_audit_logs order by id desc`,
  )
const ids = (logs: { id: string }[]) => logs.map(({ id }) => id)

describe('what happened everywhere', () => {
  it('is seen by support and operations, and by nobody else', async () => {
    for (const role of ['support', 'operations', 'all'] as const)
      assert.equal((await operators[role].get('/admin/audit')).status, 200, role)
    for (const person of [operators.billing, one.owner])
      assert.equal((await person.get('/admin/audit')).body.code, 'permission_denied')
  })

  it('is of all tenants and of the installation, the newest first, each once, page by page', async () => {
    await one.owner.post('/stores', { name: 'North' })
    await two.owner.post('/stores', { name: 'South' })
    await operators.operations.post(`/admin/tenants/${two.id}/suspend`, { reason: 'Card testing' })
    await operators.operations.post(`/admin/tenants/${two.id}/reactivate`)
    const expected = await stored()
    assert.ok(expected.some(({ tenant_id }) => tenant_id === null))
    for (const limit of ['1', '3', '100']) {
      const logs = await all({ limit })
      assert.deepEqual(ids(logs), ids(expected))
      assert.deepEqual(
        logs.map(({ tenant_id }) => tenant_id),
        expected.map(({ tenant_id }) => tenant_id),
      )
    }
  })

  it('is narrowed to a tenant, or to what happened in none', async () => {
    const ofTwo = await all({ tenant_id: two.id.toUpperCase(), limit: '2' })
    assert.deepEqual(ids(ofTwo), ids((await stored()).filter(({ tenant_id }) => tenant_id === two.id)))
    const own = await all({ tenant_id: 'none', limit: '2' })
    assert.deepEqual(ids(own), ids((await stored()).filter(({ tenant_id }) => tenant_id === null)))
    assert.deepEqual(await all({ tenant_id: newId() }), [])
  })

  it('is narrowed by who acted, person, key or operator, and by all that the log of a tenant is', async () => {
    const by = async (filters: Record<string, string>) =>
      (await all(filters)).map(({ tenant_id, action }) => [tenant_id, action])
    const { userId } = operators.operations
    const done = [
      [null, 'auth.login'],
      [null, 'admin.tenant_reactivated'],
      [two.id, 'tenant.reactivated'],
      [null, 'admin.tenant_suspended'],
      [two.id, 'tenant.suspended'],
    ]
    const sorted = (list: unknown[][]) => list.map((each) => each.join(' ')).sort()
    assert.deepEqual(sorted(await by({ actor: userId })), sorted(done))
    assert.deepEqual(sorted(await by({ user_id: userId.toUpperCase() })), sorted(done))
    assert.deepEqual(sorted(await by({ actor: 'admin', tenant_id: two.id })), sorted(done.filter(([tenant]) => tenant)))
    assert.ok((await all({ actor: 'system' })).every(({ actor }) => actor.type === 'system'))
    assert.ok((await all({ actor: 'user' })).some(({ tenant_id }) => tenant_id === one.id))
    const made = (await one.owner.post('/api-keys', { name: 'Till', scopes: ['store.create'] })).body
    await test.request('POST', '/api/v1/stores', { token: made.key, body: { name: 'Keyed' } })
    assert.deepEqual(await by({ actor: made.api_key?.id ?? made.id }), [[one.id, 'store.created']])
    assert.deepEqual(sorted(await by({ action: 'store.created', q: 'nor' })), sorted([[one.id, 'store.created']]))
    assert.deepEqual(sorted(await by({ q: 'south' })), sorted([[two.id, 'store.created']]))
    assert.deepEqual(new Set((await by({ action: 'store.*' })).map(([, action]) => action)), new Set(['store.created']))
    assert.deepEqual(
      sorted(await by({ resource_type: 'tenant', action: 'admin.*' })),
      sorted(done.filter(([tenant, action]) => !tenant && action !== 'auth.login')),
    )
    const [log] = await all({ action: 'tenant.suspended' })
    assert.deepEqual(ids(await all({ resource_id: two.id, action: 'tenant.suspended' })), [log?.id])
  })

  it('goes from a moment on to before another, and refuses what is none', async () => {
    const [middle] = await all({ action: 'tenant.suspended' })
    assert.ok(middle)
    const at = middle.created_at
    const [from, to] = [await all({ from: at }), await all({ to: at })]
    assert.ok(ids(from).includes(middle.id) && !ids(to).includes(middle.id))
    assert.ok(from.every(({ created_at }) => created_at >= at) && to.every(({ created_at }) => created_at < at))
    assert.equal(from.length + to.length, (await stored()).length)
    const refused: Record<string, string>[] = [
      { from: 'yesterday' },
      { tenant_id: 'me' },
      { actor: 'somebody' },
      { user_id: 'x' },
      { limit: '0' },
      { sort: 'id' },
      { cursor: 'x' },
    ]
    for (const wrong of refused)
      assert.equal((await operators.support.get(query(wrong))).status, 400, JSON.stringify(wrong))
    const { next_cursor } = await ask({ limit: '1' })
    assert.ok(next_cursor)
    const other = await operators.support.get(query({ limit: '1', tenant_id: one.id, cursor: next_cursor }))
    assert.equal(other.body.code, 'invalid_cursor')
  })

  it('shows nothing that is secret, as JSON and as a file', async () => {
    const { body: key } = await one.owner.post('/api-keys', { name: 'Secretive', scopes: ['store.view'] })
    const { body: hook } = await one.owner.post('/webhooks', { url: 'https://example.com/hook', events: ['*'] })
    const secrets = [key.key, hook.secret].map(String)
    assert.ok(
      secrets.every((secret) => secret.length > 20),
      JSON.stringify([key, hook]),
    )
    const json = await operators.support.get(query({ limit: '100', tenant_id: one.id }))
    const file = await operators.support.request('GET', '/admin/audit', { headers: { accept: 'text/csv' } })
    for (const { text } of [json, file]) {
      assert.ok(text.includes('Secretive'))
      for (const secret of secrets) assert.ok(!text.includes(secret))
    }
  })
})

describe('a file of what happened everywhere', () => {
  const file = (filters: Record<string, string>, method: 'GET' = 'GET') =>
    operators.operations.request(method, query(filters), { headers: { accept: 'text/csv' } })

  it('has all that matches, the fields of a record as columns, and is recorded with what was asked for', async () => {
    const expected = await stored()
    const { status, text, headers } = await file({ limit: '1' })
    assert.equal(status, 200)
    assert.match(String(headers['content-type']), /^text\/csv/)
    assert.match(String(headers['content-disposition']), /^attachment; filename="audit-\d{4}-\d\d-\d\d\.csv"$/)
    const [head, ...lines] = text.trimEnd().split('\r\n')
    assert.match(head ?? '', /^"id","created_at","tenant_id","user_id","actor","action"/)
    // The record of the file is the first line of it.
    assert.deepEqual(
      lines.slice(1).map((line) => line.slice(1, 37)),
      ids(expected),
    )
    await file({ tenant_id: two.id, action: 'store.*' })
    const [last] = await all({ action: 'admin.audit_exported' })
    const { new_values, ...log } = last as Log & { new_values: unknown } // the schema has it
    assert.deepEqual(
      [log.actor.id, new_values],
      [operators.operations.userId, { filters: { tenant_id: two.id, action: 'store.*' } }],
    )
  })

  it('is none for HEAD, and for whoever would rather have JSON', async () => {
    const count = async () => (await all({ action: 'admin.audit_exported' })).length
    const before = await count()
    for (const accept of ['application/json', '*/*', 'text/csv;q=0'])
      assert.ok((await operators.support.request('GET', '/admin/audit', { headers: { accept } })).body.data, accept)
    const token = await operators.support.token()
    const head = await test.request('HEAD', '/api/v1/admin/audit', { token, headers: { accept: 'text/csv' } })
    assert.deepEqual([head.status, head.text, await count()], [200, '', before])
  })

  it('is refused before it begins where a moment is none', async () => {
    assert.equal((await file({ to: 'never' })).status, 400)
  })
})

describe('among many records', () => {
  const COUNT = 10_000
  let wanted: Awaited<ReturnType<typeof addHistory>>
  before(async () => {
    await asSuperuser(
      test,
      "select tenantry.ensure_partitions('audit_logs', (current_date - interval '1 year')::date, 12)",
    )
    wanted = await addHistory(test, one.id, COUNT)
  })

  /** How many rows of how many partitions the statements of a request looked at. */
  async function effort(filters: Record<string, string>) {
    const sent: { sql: string; values: readonly unknown[] }[] = []
    const stop = test.core.db.observe((sql, values) => {
      if (/from audit_logs/.test(sql)) sent.push({ sql, values })
    })
    const { data } = await ask(filters)
    stop()
    const lines: string[] = []
    for (const { sql, values } of sent) {
      const rows = await asSuperuser<{ 'QUERY PLAN': string }>(
        test,
        `explain (analyze, costs off, timing off, summary off) ${sql}`,
        [...values],
      )
      lines.push(...rows.map((row) => row['QUERY PLAN']))
    }
    const partitions = new Set(lines.flatMap((line) => / on (audit_logs_\d{6})/.exec(line)?.[1] ?? []))
    return { found: data.length, partitions: [...partitions].sort(), plan: lines.join('\n') }
  }

  it('a page reads the partitions of its own time alone', async () => {
    const month = (ago: number) =>
      `audit_logs_${momentAt(Date.now() - ago)
        .slice(0, 7)
        .replace('-', '')}`
    const newest = await effort({})
    const older = newest.partitions.filter((name) => name < month(31 * DAYS))
    assert.deepEqual([newest.found, older], [20, []], newest.plan)
    const [from, to] = [momentAt(Date.now() - 130 * DAYS), momentAt(Date.now() - 110 * DAYS)]
    const past = await effort({ from, to })
    assert.ok(past.found === 20 && past.partitions.length <= 3, past.plan)
  })

  it('a value that is asked for is looked for where summaries say that it may be', async () => {
    for (const [name, value] of Object.entries(wanted)) {
      const { found, plan } = await effort({ [name]: value })
      assert.ok(found > 0, `${name}\n${plan}`)
    }
    const { found, plan } = await effort({ actor: newId(), to: momentAt(Date.now() - 2 * DAYS) })
    const read = [...plan.matchAll(/Heap Blocks: (?:exact=\d+ )?lossy=(\d+)/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    )
    const [{ pages } = { pages: 0 }] = await asSuperuser<{ pages: number }>(
      test,
      "select sum(relpages)::int as pages from pg_class where relname ~ '^audit_logs_[0-9]{6}$'",
    )
    assert.ok(found === 0 && read < pages / 4, `${read} of ${pages}\n${plan}`)
  })

  it('the same is found as one tenant finds, by every filter', async () => {
    for (const filters of [
      ...Object.entries(wanted).map(([name, value]) => ({ [name]: value })),
      { action: 'webhook.*' },
      { q: 'webhook' },
      { q: 'person 0', action: 'webhook.created' },
      { user_id: wanted.user_id, resource_type: 'user' },
      { from: momentAt(Date.now() - 40 * MINUTES) },
    ]) {
      const url = `/audit?${new URLSearchParams({ ...filters, limit: '50' } as Record<string, string>)}` as const
      const own = (await one.owner.get(url)).body.data as Log[]
      const found = (await ask({ ...(filters as Record<string, string>), limit: '100' })).data
      const ofOne = found.filter(({ tenant_id }) => tenant_id === one.id).slice(0, 50)
      assert.ok(own.length > 0, JSON.stringify(filters))
      assert.deepEqual(ids(ofOne).slice(0, 20), ids(own).slice(0, 20), JSON.stringify(filters))
    }
  })

  it('what nothing says beforehand is looked for so far for one page, and the next goes on', async () => {
    const [oldest] = await asSuperuser<{ id: string }>(test, 'select id from audit_logs order by id limit 1')
    await asSuperuser(test, "update audit_logs set actor_label = 'Zebra' where id = $1", [oldest?.id])
    const criteria = criteriaOf({ q: 'zebra' })
    const found: string[] = []
    let pages = 0
    for (let beforeId: string | null = null; ; pages++) {
      const reading: Reading = { beforeId, limit: 20 }
      const { rows, end }: Found = await test.core.run(
        (ctx) => readEverywhere(ctx, undefined, criteria, reading, 1_000),
        {
          role: 'system',
          tenantId: null,
          readOnly: true,
        },
      )
      found.push(...ids(rows))
      if (end === null) break
      assert.ok(beforeId === null || end < beforeId)
      beforeId = end
    }
    assert.ok(pages >= 2 && pages < 20, `${pages}`)
    assert.deepEqual(found, [oldest?.id])
  })
})
