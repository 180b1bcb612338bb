import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Closed, defineModule, defineRoute, ListQuery, newId, type OperatorRole, Page, Streamed, Type } from '#kernel'
import { createTestCore, type TestCore, type TestPerson } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import { makeKey, outcome } from '../../api-keys/api-keys.fixture.ts'
import { builtinModules } from '../../index.ts'
import { globalRecords, operatorsOf } from '../admin.fixture.ts'
import { answerList, asFile } from '../list-file.ts'

/** A file whose second piece waits. */
let secondPiece: PromiseWithResolvers<void>
const slow = defineModule({
  name: 'slow',
  routes: [
    defineRoute({
      method: 'GET',
      path: '/admin/slow',
      summary: 'List slowly',
      access: { operator: ['support', 'billing'] },
      ...asFile(Page(Closed({ word: Type.String() }))),
      query: ListQuery({}),
      response: { 200: Streamed },
      handler: (ctx, { headers }) =>
        answerList(ctx, headers, {
          name: 'slow',
          page: async () => ({ data: [], next_cursor: null }),
          record: async () => {},
          async *write() {
            yield Buffer.from('first ')
            await secondPiece.promise
            yield Buffer.from('second ')
            yield Buffer.from('third')
          },
        }),
    }),
  ],
})

let first: TestCore
let second: TestCore
let operators: Record<OperatorRole, TestPerson>
before(async () => {
  first = await createTestCore({ modules: [...builtinModules, slow] })
  second = await createTestCore({ database: first.database })
  operators = await operatorsOf(first)
})
after(async () => {
  await second?.close()
  await first?.close()
})

type Verb = 'disable' | 'enable' | 'revoke-sessions'
const act = (userId: string, verb: Verb, by = operators.operations) => by.post(`/admin/users/${userId}/${verb}`)
const told = ({ status, body }: { status: number; body: { code?: string } }) => `${status} ${body.code ?? ''}`.trim()
const actionsOf = async (userId: string) => (await globalRecords(first, userId)).map(({ action }) => action)
const statusOf = async (core: TestCore, token: string) => told(await core.request('GET', '/api/v1/users/me', { token }))

describe('the people of the installation', () => {
  it('are found by parts of name and address, filtered by status, the newest first and in pages', async () => {
    const word = `P${newId().slice(-10)}`
    const people = [
      await first.addPerson(`${word} One`),
      await first.addPerson(`Two ${word}`),
      await first.addPerson(word),
    ]
    const ids = people.map(({ userId }) => userId).reverse()
    const list = async (query: string) => (await operators.support.get(`/admin/users?${query}`)).body
    const shown = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id)
    assert.deepEqual(shown(await list(`q=${word.toLowerCase()}`)), ids)
    assert.deepEqual(shown(await list(`q=${encodeURIComponent(people[1]?.email ?? '')}`)), [ids[1]])
    assert.deepEqual(shown(await list(`q=${word}_`)), [])
    const page = await list(`q=${word}&limit=2`)
    assert.deepEqual(shown(page), ids.slice(0, 2))
    assert.deepEqual(shown(await list(`q=${word}&limit=2&cursor=${page.next_cursor}`)), ids.slice(2))
    await act(ids[0] ?? '', 'disable')
    assert.deepEqual(shown(await list(`q=${word}&status=disabled`)), ids.slice(0, 1))
    assert.deepEqual(shown(await list(`q=${word}&status=active`)), ids.slice(1))
    for (const query of ['status=gone', 'limit=0', 'sort=name', `q=${'x'.repeat(201)}`, 'cursor=x'])
      assert.equal((await operators.support.get(`/admin/users?${query}`)).status, 400, query)
  })

  it('come as a file for whoever asks for one, and that is recorded', async () => {
    const word = `F${newId().slice(-10)}`
    await first.addPerson(`=cmd ${word}`)
    const { status, text, headers } = await operators.billing.request('GET', `/admin/users?q=${word}`, {
      headers: { accept: 'text/csv' },
    })
    assert.deepEqual(
      [status, String(headers['content-disposition']).slice(0, 28)],
      [200, 'attachment; filename="users-'],
    )
    const [head, line, ...rest] = text.trimEnd().split('\r\n')
    assert.deepEqual([rest, head?.slice(0, 4)], [[], '"id"'])
    assert.ok(line?.includes(`"'=cmd ${word}"`), line)
    const records = await first.core.db.systemQuery<{ actor_id: string }>(
      "select actor_id from global_audit_logs where action = 'admin.users_exported' and new_values->>'q' = $1",
      [word],
    )
    assert.deepEqual(records, [{ actor_id: operators.billing.userId }])
  })

  it('come no further than their reader may read', async () => {
    await first.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = first.app.server.address() as AddressInfo // it listens on a port
    const ends: [(reader: TestPerson) => Promise<unknown>, whole: boolean][] = [
      [async () => {}, true],
      [({ userId }) => operators.all.post('/admin/operators', { user_id: userId, roles: ['billing'] }), false],
      [(reader) => act(reader.userId, 'disable'), false],
    ]
    for (const [end, whole] of ends) {
      secondPiece = Promise.withResolvers()
      const reader = await first.addOperator(['support', 'billing'])
      const headers = { authorization: `Bearer ${await reader.token()}`, accept: 'text/csv' }
      const { status, body } = await fetch(`http://127.0.0.1:${port}/api/v1/admin/slow`, { headers })
      assert.ok(status === 200 && body)
      let text = ''
      const read = (async () => {
        for await (const piece of body) text += Buffer.from(piece).toString()
        return true
      })().catch(() => false)
      await until('it has begun', () => text !== '')
      await end(reader)
      secondPiece.resolve()
      assert.deepEqual([await read, text.includes('third')], [whole, whole])
    }
  })

  it('are shown with what they belong to and are invited to, their sessions and whether they are locked out', async () => {
    const [one, two] = [await first.foundTenant(), await first.foundTenant()]
    const { owner } = one
    assert.equal((await two.owner.post('/users/invite', { email: owner.email })).status, 201)
    await operators.operations.post(`/admin/tenants/${one.id}/suspend`, { reason: 'Unpaid' })
    await owner
      .in(one.id)
      .token()
      .catch(() => {})
    const { status, body } = await operators.support.get(`/admin/users/${owner.userId.toUpperCase()}`)
    assert.equal(status, 200)
    has(body, { id: owner.userId, operator_roles: [], status: 'active', membership_count: 2, locked_until: null })
    has(body.memberships, [
      { tenant: { id: one.id, name: one.name, status: 'suspended' }, status: 'active', is_owner: true },
      { tenant: { id: two.id }, status: 'invited', is_owner: false },
    ])
    assert.equal(body.memberships[0].roles[0].name, 'owner')
    const person = await first.addPerson()
    const locked = async () => (await operators.support.get(`/admin/users/${person.userId}`)).body
    assert.equal((await locked()).open_sessions, 0)
    await person.token()
    for (let i = 0; i < 10; i++)
      await first.request('POST', '/api/v1/auth/login', { body: { email: person.email, password: 'wrong password' } })
    const after = await locked()
    assert.equal(after.open_sessions, 1)
    assert.ok(after.last_login_at)
    assert.ok(after.locked_until > first.clock.now())
    has((await operators.support.get(`/admin/users/${operators.billing.userId}`)).body, { operator_roles: ['billing'] })
  })

  it('are nobody: 404 for an id that is none, whatever is done to it', async () => {
    for (const id of [newId(), 'me', 'x'.repeat(300)]) {
      assert.equal(told(await operators.all.get(`/admin/users/${id}`)), '404 not_found')
      assert.equal(told(await operators.all.put(`/admin/users/${id}`, { name: 'A' })), '404 not_found')
      for (const verb of ['disable', 'enable', 'revoke-sessions'] as const)
        assert.equal(told(await act(id, verb)), '404 not_found')
    }
  })

  it('are looked at by every operator and acted on by `operations`', async () => {
    const { userId } = await first.addPerson()
    for (const role of ['support', 'billing', 'operations', 'all'] as const) {
      const by = operators[role]
      assert.equal((await by.get('/admin/users')).status, 200)
      assert.equal((await by.get(`/admin/users/${userId}`)).status, 200)
      const expected = role === 'operations' || role === 'all' ? '200' : '403 permission_denied'
      assert.equal(told(await by.put(`/admin/users/${userId}`, { name: 'Ann' })), expected)
      for (const verb of ['disable', 'enable', 'revoke-sessions'] as const)
        assert.equal(told(await act(userId, verb, by)), expected, `${role} ${verb}`)
    }
  })
})

describe('a person whose account an operator changes', () => {
  it('is renamed and counts as confirmed or not, with a record of what was found', async () => {
    const { userId } = await first.addPerson('Old Name')
    const change = (body: unknown) => operators.operations.put(`/admin/users/${userId}`, body)
    const { body } = await change({ name: '  New   Name ', email_verified: false })
    assert.deepEqual([body.name, body.email_verified_at], ['New Name', null])
    assert.ok((await change({ email_verified: true })).body.email_verified_at)
    assert.equal((await change({ email_verified: true })).status, 200)
    const records = await globalRecords(first, userId)
    assert.deepEqual(
      records.map(({ action, actor_type, actor_id, old_values, new_values }) => [
        action,
        actor_type,
        actor_id,
        old_values,
        new_values,
      ]),
      [
        [
          'admin.user_changed',
          'admin',
          operators.operations.userId,
          { name: 'Old Name', email_verified: true },
          { name: 'New Name', email_verified: false },
        ],
        [
          'admin.user_changed',
          'admin',
          operators.operations.userId,
          { email_verified: false },
          { email_verified: true },
        ],
      ],
    )
    for (const wrong of [
      { name: '' },
      { name: null },
      { email: 'a@example.com' },
      { email_verified: 'yes' },
      { status: 'disabled' },
      [],
    ])
      assert.equal((await change(wrong)).status, 400, JSON.stringify(wrong))
  })

  it('is out of every process within a second when disabled: sessions, and keys that act with their rights', async () => {
    const times: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      const { owner, member } = await first.foundTenant({ plan: 'business' })
      const person = await member({ permissions: ['api_key.create', 'store.view'] })
      const leaver = await member({ permissions: ['api_key.create', 'store.view'] })
      const [{ key }, { key: left }, { key: other }] = [
        await makeKey(person),
        await makeKey(leaver),
        await makeKey(owner),
      ]
      assert.equal((await owner.delete(`/users/${leaver.userId}`)).status, 204)
      const token = await person.token()
      for (const core of [first, second]) {
        assert.equal(await statusOf(core, token), '200')
        for (const each of [key, left, other]) assert.equal(await outcome(core, each), '200')
      }
      assert.equal((await act(leaver.userId, 'disable')).body.status, 'disabled')
      const { status, body } = await act(person.userId, 'disable')
      assert.deepEqual([status, body.status, body.open_sessions], [200, 'disabled', 0])
      const disabledAt = performance.now()
      assert.equal(await statusOf(first, token), '401 session_revoked')
      assert.equal(await outcome(first, key), '401 invalid_api_key')
      await until('the other process knows', async () => (await outcome(second, key)) === '401 invalid_api_key')
      assert.equal(await statusOf(second, token), '401 session_revoked')
      times.push(performance.now() - disabledAt)
      for (const each of [left, other]) assert.equal(await outcome(second, each), '200', 'the tenant’s, or another’s')
      assert.equal(told(await act(person.userId, 'disable')), '200')
      assert.equal((await act(person.userId, 'enable')).body.status, 'active')
      assert.equal(await statusOf(first, token), '401 session_revoked', 'no session comes back')
      await until('the key is good again', async () => (await outcome(second, key)) === '200')
      assert.equal(await statusOf(first, await person.in().token()), '200')
      assert.deepEqual(await actionsOf(person.userId), ['admin.user_disabled', 'admin.user_enabled'])
    }
    // The best of them: a busy machine is late with others.
    assert.ok(Math.min(...times) < 1_000, `${times} ms`)
  })

  it('does not sign in while disabled, nor get a link for another password', async () => {
    const email = `${newId()}@example.com`
    const password = 'correct horse battery staple'
    const body = { email, password, name: 'Rita', tenant_name: 'Rita & Sons' }
    const { body: made } = await first.request('POST', '/api/v1/auth/register', { body })
    await act(made.user.id, 'disable')
    const login = () => first.request('POST', '/api/v1/auth/login', { body: { email, password } })
    assert.equal(told(await login()), '403 account_disabled')
    await first.drainJobs(null)
    const before = (await first.mails(email)).length
    await first.request('POST', '/api/v1/auth/forgot-password', { body: { email } })
    await first.drainJobs(null)
    assert.equal((await first.mails(email)).length, before)
    await act(made.user.id, 'enable')
    assert.equal(told(await login()), '200')
  })

  it('is disabled once by many at once, and signed out where there is something to end', async () => {
    const person = await first.addPerson()
    await person.token()
    const answers = await Promise.all(Array.from({ length: 20 }, () => act(person.userId, 'disable')))
    assert.deepEqual(new Set(answers.map(told)), new Set(['200']))
    await act(person.userId, 'enable')
    assert.equal((await act(person.userId, 'revoke-sessions')).status, 200)
    const token = await person.in().token()
    assert.equal((await act(person.userId, 'revoke-sessions')).body.open_sessions, 0)
    assert.equal(await statusOf(first, token), '401 session_revoked')
    assert.deepEqual(await actionsOf(person.userId), [
      'admin.user_disabled',
      'admin.user_enabled',
      'admin.sessions_revoked',
    ])
  })
})

describe('an operator', () => {
  it('disables nobody who may more, and not oneself', async () => {
    const { operations, all } = operators
    const other = await first.addOperator(['all'])
    assert.equal(told(await act(operations.userId, 'disable')), '409 conflict')
    for (const verb of ['disable', 'enable', 'revoke-sessions'] as const)
      assert.equal(told(await act(other.userId, verb)), '403 permission_denied')
    assert.equal(told(await operations.put(`/admin/users/${other.userId}`, { name: 'No' })), '403 permission_denied')
    assert.deepEqual(await actionsOf(other.userId), [])
    const peer = await first.addOperator(['operations', 'support'])
    assert.equal(told(await act(peer.userId, 'disable')), '200')
    assert.equal(told(await act(other.userId, 'disable', all)), '200')
    assert.equal(told(await act(other.userId, 'enable')), '403 permission_denied')
    assert.equal(told(await act(all.userId, 'disable', all)), '409 conflict')
  })

  it('who is the last super admin stays, however many are disabled, unconfirmed and removed at once', async () => {
    const test = await createTestCore()
    try {
      const admins = await Promise.all(Array.from({ length: 21 }, () => test.addOperator(['all'])))
      const tokens = await Promise.all(admins.map((admin) => admin.token()))
      const answers = await Promise.all(
        admins.map(({ userId }, i) => {
          // Each by another one.
          const token = tokens[(i + 1) % tokens.length] ?? ''
          const path = '/api/v1/admin'
          if (i % 3 === 0) return test.request('POST', `${path}/users/${userId}/disable`, { token })
          if (i % 3 === 1) return test.request('DELETE', `${path}/operators/${userId}`, { token })
          return test.request('PUT', `${path}/users/${userId}`, { token, body: { email_verified: false } })
        }),
      )
      // Some have lost what they asked with by the time that they ask.
      const refused = answers.map(told).filter((each) => !/^20[04]$/.test(each))
      for (const each of refused) assert.match(each, /^(409 conflict|401 session_revoked|403 permission_denied)$/)
      const [left] = await test.core.db.systemQuery<{ id: string; count: number }>(
        "select min(id::text) as id, count(*)::int as count from users where is_super_admin and status = 'active' and email_verified_at is not null",
      )
      assert.ok(left && left.count >= 1, 'nobody is left')
      // Whoever is left goes by no way, once they are alone.
      await test.core.db.systemQuery('update users set email_verified_at = null where id <> $1', [left.id])
      const last = admins.find(({ userId }) => userId === left.id)
      assert.ok(last)
      const helper = await test.addOperator(['all'])
      await test.core.db.systemQuery('update users set email_verified_at = null where id = $1', [helper.userId])
      assert.equal(told(await helper.post(`/admin/users/${left.id}/disable`)), '409 conflict')
      assert.equal(told(await helper.put(`/admin/users/${left.id}`, { email_verified: false })), '409 conflict')
      assert.equal(told(await helper.delete(`/admin/operators/${left.id}`)), '409 conflict')
      assert.equal((await helper.put(`/admin/users/${left.id}`, { name: 'Last' })).body.name, 'Last')
    } finally {
      await test.close()
    }
  })
})
