import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId, type OperatorRole } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../testing/index.ts'
import { globalRecords, operatorsOf, ownRecords } from './admin.fixture.ts'

let test: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  test = await createTestCore()
  operators = await operatorsOf(test)
})
after(() => test?.close())

const ROLES: readonly OperatorRole[] = ['support', 'billing', 'operations', 'all']
const EVERYBODY = ROLES
/** Who may do what: what each route answers to everybody else is 403. */
const MATRIX: [method: 'GET' | 'PUT' | 'POST', path: string, body: object | undefined, may: readonly OperatorRole[]][] =
  [
    ['GET', '/admin/overview', undefined, EVERYBODY],
    ['GET', '/admin/tenants', undefined, EVERYBODY],
    ['GET', '/admin/tenants/:id', undefined, EVERYBODY],
    ['PUT', '/admin/tenants/:id', { name: 'Another' }, ['operations', 'all']],
    ['POST', '/admin/tenants/:id/extend-trial', { days: 3 }, ['billing', 'all']],
    ['POST', '/admin/tenants/:id/change-plan', { plan_id: '01900000-0000-7000-8000-000000000003' }, ['billing', 'all']],
    ['POST', '/admin/tenants/:id/suspend', { reason: 'Unpaid' }, ['operations', 'all']],
    ['POST', '/admin/tenants/:id/reactivate', undefined, ['operations', 'all']],
    ['GET', '/admin/operators', undefined, ['all']],
  ]

describe('the roles of operators', () => {
  for (const role of ROLES)
    it(`let ${role} do what is theirs, and nothing else`, async () => {
      const { id } = await test.foundTenant()
      const before = (await operators.all.get(`/admin/tenants/${id}`)).body
      for (const [method, path, body, may] of MATRIX) {
        const url = path.replace(':id', id) as `/${string}`
        const answer = await operators[role].request(method, url, body ? { body } : {})
        const expected = may.includes(role) ? [200, undefined] : [403, 'permission_denied']
        assert.deepEqual([answer.status, answer.body.code], expected, `${method} ${path}: ${answer.text}`)
      }
      if (role === 'support') assert.deepEqual((await operators.all.get(`/admin/tenants/${id}`)).body, before)
    })
})

describe('the list of tenants', () => {
  const ids = async (query: string, operator = operators.support) => {
    const { status, body, text } = await operator.get(`/admin/tenants?${query}`)
    assert.equal(status, 200, text)
    return body.data.map(({ id }: { id: string }) => id) as string[]
  }

  it('is found by parts of name, slug and address of the owner, and filtered by status and plan', async () => {
    const word = `W${newId().slice(-10)}`
    const [one, two] = [
      await test.foundTenant({ name: `${word} & Sons`, plan: 'business' }),
      await test.foundTenant({ name: `The ${word}` }),
    ]
    assert.deepEqual(await ids(`q=${word.toLowerCase()}`), [two.id, one.id])
    assert.deepEqual(await ids(`q=${encodeURIComponent(`${word} & S`)}`), [one.id])
    assert.deepEqual(await ids(`q=${encodeURIComponent(two.owner.email)}`), [two.id])
    const { slug } = (await operators.support.get(`/admin/tenants/${one.id}`)).body
    assert.ok((await ids(`q=${slug}`)).includes(one.id))
    assert.deepEqual(await ids('q=%25'), [])
    await operators.operations.post(`/admin/tenants/${two.id}/suspend`, { reason: 'Unpaid' })
    assert.deepEqual(await ids(`q=${word}&status=suspended`), [two.id])
    assert.deepEqual(await ids(`q=${word}&status=active`), [one.id])
    assert.deepEqual(await ids(`q=${word}&status=deleted`), [])
    const business = '01900000-0000-7000-8000-000000000003'
    assert.deepEqual(await ids(`q=${word}&plan_id=${business.toUpperCase()}`), [one.id])
    assert.deepEqual(await ids(`q=${word}&plan_id=${newId()}`), [])
  })

  it('shows plan, trial, owner and why one is suspended, newest first', async () => {
    const { id, owner } = await test.foundTenant()
    await operators.operations.post(`/admin/tenants/${id}/suspend`, { reason: 'Card testing' })
    const { body } = await operators.billing.get('/admin/tenants?limit=1')
    const [row] = body.data
    assert.ok(body.next_cursor)
    assert.deepEqual(
      [row.id, row.owner_email, row.plan.code, row.subscription_status, row.suspended_reason],
      [id, owner.email, 'starter', 'trialing', 'Card testing'],
    )
    assert.ok(row.suspended_at && row.trial_ends_at)
  })

  it('refuses filters that are none', async () => {
    for (const query of ['status=gone', 'plan_id=starter', 'limit=0', 'limit=101', 'sort=name', `q=${'x'.repeat(201)}`])
      assert.equal((await operators.support.get(`/admin/tenants?${query}`)).status, 400, query)
  })

  it('comes as a file for whoever asks for one: all that match, no cell a formula, and recorded once', async () => {
    const word = `F${newId().slice(-10)}`
    const made = [await test.foundTenant({ name: `=cmd ${word}` }), await test.foundTenant({ name: `Plain, ${word}` })]
    const exports = async () =>
      (
        await test.core.db.systemQuery<{ new_values: { q: string } }>(
          "select new_values from global_audit_logs where action = 'admin.tenants_exported' order by id",
        )
      ).map(({ new_values }) => new_values.q)
    const ask = (method: 'GET', accept: string) =>
      operators.support.request(method, `/admin/tenants?q=${word}&limit=1`, { headers: { accept } })
    const file = await ask('GET', 'text/csv')
    assert.equal(file.status, 200)
    assert.match(String(file.headers['content-type']), /^text\/csv/)
    assert.match(String(file.headers['content-disposition']), /^attachment; filename="tenants-\d{4}-\d\d-\d\d\.csv"$/)
    const lines = file.text.trimEnd().split('\r\n')
    assert.equal(lines.length, 3)
    assert.match(lines[0] ?? '', /^"id","name","slug","status"/)
    assert.ok(lines[1]?.startsWith(`"${made[1]?.id}","Plain, ${word}"`), lines[1])
    assert.ok(lines[2]?.startsWith(`"${made[0]?.id}","'=cmd ${word}"`), lines[2])
    assert.deepEqual(
      (await exports()).filter((q) => q === word),
      [word],
    )
    for (const accept of [
      'application/json',
      '*/*',
      'application/json, text/csv',
      'text/csv;q=0',
      'text/csv; header=present; Q=0.000, */*',
    ]) {
      const list = await ask('GET', accept)
      assert.deepEqual([list.body.data.length, list.headers.vary], [1, 'accept'], accept)
    }
    assert.deepEqual(
      (await exports()).filter((q) => q === word),
      [word],
    )
  })

  it('is as long as there are tenants, in a file of several batches', async () => {
    await test.core.db.systemQuery(
      `insert into tenants (id, name, slug, owner_id, created_at, updated_at)
       select gen_random_uuid(), 'Many ' || n, 'many-' || n, $1, $2::timestamptz - n * interval '1 millisecond', $2
       from generate_series(1, 1100) n returning 1`,
      [operators.all.userId, test.clock.now()],
    )
    const { text } = await operators.all.request('GET', '/admin/tenants?q=many-', { headers: { accept: 'text/csv' } })
    const ids = text
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(0, 38))
    assert.deepEqual([ids.length, new Set(ids).size], [1_100, 1_100])
  })
})

describe('a tenant', () => {
  it('is shown with its subscription and what it uses, and to nobody of another one', async () => {
    const { id, owner } = await test.foundTenant({ plan: 'starter' })
    await owner.post('/stores', { name: 'North' })
    const { body } = await operators.support.get(`/admin/tenants/${id}`)
    assert.deepEqual([body.subscription.status, body.subscription.plan.code], ['active', 'starter'])
    assert.deepEqual(body.usage.stores, { used: 2, max: 5, percent: 40 })
    assert.equal((await owner.get(`/admin/tenants/${id}`)).status, 403)
  })

  it('is 404 where there is none, whatever is done to it', async () => {
    for (const [method, path, body] of MATRIX.filter(([, path]) => path.includes(':id')))
      for (const id of [newId(), 'me', 'x'.repeat(300)]) {
        const answer = await operators.all.request(
          method,
          path.replace(':id', id) as `/${string}`,
          body ? { body } : {},
        )
        assert.deepEqual([answer.status, answer.body.code], [404, 'not_found'], `${method} ${path}`)
      }
  })

  it('is renamed by several at once, and each record tells what that one changed', async () => {
    const { id } = await test.foundTenant({ name: 'Name 0' })
    const rename = (n: number) => operators.operations.put(`/admin/tenants/${id}`, { name: `Name ${n % 5}` })
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => rename(n)))
    for (const { status, text } of answers) assert.equal(status, 200, text)
    const records = await test.core.db.systemQuery<Record<'old_values' | 'new_values', { name: string }>>(
      "select old_values, new_values from global_audit_logs where resource_id = $1 and action = 'admin.tenant_changed' order by id",
      [id],
    )
    const own = (await ownRecords(test, id)).filter(({ action }) => action === 'tenant.updated')
    assert.equal(records.length, own.length)
    // A chain: whoever came later found what the one before had left, and changed it.
    const left = new Map<string, number>()
    const count = (name: string, by: number) => left.set(name, (left.get(name) ?? 0) + by)
    for (const { old_values, new_values } of records) {
      assert.notEqual(old_values.name, new_values.name)
      count(old_values.name, -1)
      count(new_values.name, 1)
    }
    const { body } = await operators.support.get(`/admin/tenants/${id}`)
    const expected =
      body.name === 'Name 0'
        ? []
        : [
            ['Name 0', -1],
            [body.name, 1],
          ]
    assert.deepEqual([...left].filter(([, times]) => times !== 0).sort(), expected.sort())
  })

  it('is left alone once it is deleted: 409 for whatever would be done to it but to bring it back', async () => {
    const { id } = await test.foundTenant()
    await test.core.db.systemQuery("update tenants set status = 'deleted' where id = $1", [id])
    const plans = (await test.request('GET', '/api/v1/subscriptions/plans')).body.data
    for (const [method, path, body] of [
      ['PUT', '', { name: 'Other' }],
      ['POST', '/suspend', { reason: 'Breach' }],
      ['POST', '/extend-trial', { days: 7 }],
      ['POST', '/change-plan', { plan_id: plans[0].id }],
    ] as const) {
      const answer = await operators.all.request(method, `/admin/tenants/${id}${path}`, { body })
      assert.deepEqual([answer.status, answer.body.code], [409, 'conflict'], path)
    }
    assert.deepEqual([await ownRecords(test, id), await globalRecords(test, id)], [[], []])
  })

  it('is renamed by an operator, and both logs say who did it', async () => {
    const [one, two] = [await test.foundTenant(), await test.foundTenant()]
    const path = `/admin/tenants/${one.id}` as const
    const slug = `s-${newId().slice(-12)}`
    const { status, body } = await operators.operations.put(path, { name: ' Better  name ', slug })
    assert.deepEqual([status, body.name, body.slug], [200, 'Better name', slug])
    const taken = await operators.operations.put(`/admin/tenants/${two.id}`, { slug })
    assert.deepEqual([taken.status, taken.body.code], [409, 'slug_taken'])
    assert.equal((await operators.operations.put(path, { name: 'Better name' })).status, 200)
    const { userId } = operators.operations
    const acts = (records: { action: string; actor_id: string | null }[]) =>
      records.map(({ action, actor_id }) => [action, actor_id])
    assert.deepEqual(acts(await ownRecords(test, one.id)), [['tenant.updated', userId]])
    const global = await globalRecords(test, one.id)
    assert.deepEqual(acts(global), [['admin.tenant_changed', userId]])
    assert.deepEqual([global[0]?.new_values.name, global[0]?.new_values.slug], ['Better name', slug])
    assert.deepEqual(await globalRecords(test, two.id), [])
    for (const wrong of [
      { name: '' },
      { slug: 'A B' },
      { slug: 'admin' },
      { status: 'suspended' },
      { owner_id: userId },
      [],
    ])
      assert.equal((await operators.operations.put(path, wrong)).status, 400, JSON.stringify(wrong))
  })
})
