import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { eventWaiters } from '../events/waiters.ts'
import { TUS } from '../files/uploads/tus/tus.fixture.ts'
import { streamHub } from '../notifications/stream/hub.ts'
import { act, begin, REASON, recordsOf, requestsIn } from './impersonation.fixture.ts'

let test: TestCore
let tenant: TestTenant
let member: TestPerson
let support: TestPerson
let all: TestPerson
before(async () => {
  test = await createTestCore()
  support = await test.addOperator(['support'])
  all = await test.addOperator(['all'])
  tenant = await test.foundTenant({ plan: 'business' })
  member = await tenant.member({ name: 'Mia Member', role: 'manager' })
})
after(() => test?.close())
afterEach(() => test.clock.start())

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const refused = ({ status, body }: { status: number; body: { code?: string } }) => [status, body.code]
const DENIED = [403, 'permission_denied']

describe('an operator', () => {
  it('acts as a member for a quarter of an hour, by a token that names both and that nothing renews', async () => {
    const { status, body, headers } = await begin(support, tenant, member)
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(body).sort(), [
      'access_token',
      'expires_at',
      'expires_in',
      'read_only',
      'session_id',
      'tenant_id',
      'token_type',
      'user_id',
    ])
    assert.equal(headers['set-cookie'], undefined)
    assert.ok(body.expires_in > 890 && body.expires_in <= 900)
    const { sub, act, tid, exp, iat } = claimsOf(body.access_token)
    assert.deepEqual([sub, act.sub, tid, exp - iat], [member.userId, support.userId, tenant.id, body.expires_in])
    const me = await test.request('GET', '/api/v1/users/me', { token: body.access_token })
    assert.deepEqual([me.status, me.body.id], [200, member.userId])
    const rows = await test.core.db.systemQuery('select 1 from refresh_tokens where session_id = $1', [body.session_id])
    assert.deepEqual(rows, [])
  })

  it('holds what the person holds, and nothing that an operator holds', async () => {
    const acting = await act(test, all, tenant, { as: member, write: true })
    const own = (await member.get('/authz/me')).body
    assert.deepEqual((await acting.get('/authz/me')).body.permissions, own.permissions)
    assert.deepEqual(refused(await acting.get('/api-keys')), DENIED)
    // Also where the person is an operator.
    const operator = await tenant.member({ role: 'admin' })
    await all.post('/admin/operators', { user_id: operator.userId, roles: ['all'] })
    const nested = await act(test, all, tenant, { as: operator, write: true })
    for (const path of ['/admin/overview', '/admin/operators', '/admin/tenants', `/admin/tenants/${tenant.id}`])
      assert.deepEqual(refused(await nested.get(path)), DENIED, path)
    const again = { user_id: member.userId, reason: REASON }
    assert.deepEqual(refused(await nested.send('POST', `/admin/tenants/${tenant.id}/impersonate`, again)), DENIED)
    assert.equal((await operator.get('/admin/overview')).status, 200)
  })

  it('only reads, unless they may everything and have asked to write', async () => {
    const before = await recordsOf(test, tenant.id, 'store.%')
    const reading = await act(test, support, tenant, { as: tenant.owner })
    assert.equal((await reading.get('/stores')).status, 200)
    // What only asks changes nothing, and an Idempotency-Key keeps no answer of it.
    const asked = await reading.send(
      'POST',
      '/authz/explain',
      { permission: 'store.create' },
      { 'idempotency-key': 'k' },
    )
    assert.deepEqual([asked.status, asked.body.allowed], [200, true])
    // Refused before anything is said of what was sent.
    for (const [method, path] of [
      ['POST', '/stores'],
      ['PUT', '/tenants/current'],
      ['DELETE', `/users/${member.userId}`],
    ] as const)
      assert.deepEqual(refused(await reading.send(method, path, { no: 'such field' })), DENIED)
    assert.deepEqual(await recordsOf(test, tenant.id, 'store.%'), before)
    assert.deepEqual(refused(await begin(support, tenant, member, { write: true })), DENIED)
    const writing = await act(test, all, tenant, { as: tenant.owner, write: true })
    assert.equal((await writing.send('POST', '/stores', { name: 'Kiosk' })).status, 201)
  })

  it('is one with the role support or all, and gives a reason', async () => {
    for (const role of ['billing', 'operations'] as const)
      assert.deepEqual(refused(await begin(await test.addOperator([role]), tenant, member)), DENIED)
    assert.deepEqual(refused(await begin(tenant.owner, tenant, member)), DENIED)
    const bad = [
      { reason: '' },
      { reason: 'too short' },
      { reason: 'x'.repeat(501) },
      { reason: ' \u200b        ' },
      { reason: 'two\nlines, and long enough' },
      { reason: null },
      { user_id: 'me' },
      { user_id: null },
      { write: 'yes' },
      { minutes: 60 },
    ]
    for (const more of bad) assert.equal((await begin(support, tenant, member, more)).status, 400, JSON.stringify(more))
    assert.equal((await support.post(`/admin/tenants/${tenant.id}/impersonate`, {})).body.errors.length, 2)
  })

  it('acts as active members of an active tenant, and of no other', async () => {
    const elsewhere = await test.foundTenant()
    for (const person of [elsewhere.owner, { userId: newId() }, await test.addPerson()])
      assert.deepEqual(refused(await begin(support, tenant, person)), [404, 'not_found'])
    assert.deepEqual(refused(await begin(support, { id: newId() }, member)), [404, 'not_found'])
    const disabled = await tenant.member()
    await tenant.owner.put(`/users/${disabled.userId}`, { status: 'disabled' })
    assert.deepEqual(refused(await begin(support, tenant, disabled)), [409, 'conflict'])
    const { body } = await tenant.owner.post('/users/invite', { email: `${newId()}@example.com`, name: 'Ines Invited' })
    assert.deepEqual(refused(await begin(support, tenant, { userId: body.user_id })), [409, 'conflict'])
    await test.core.db.systemQuery("update tenants set status = 'suspended' where id = $1", [elsewhere.id])
    assert.deepEqual(refused(await begin(support, elsewhere, elsewhere.owner)), [409, 'conflict'])
    const both = await tenant.member()
    await all.post('/admin/operators', { user_id: both.userId, roles: ['support'] })
    assert.deepEqual(refused(await begin(both, tenant, both)), [409, 'conflict'])
  })

  it('begins no more often than the limit says', async () => {
    const limited = await createTestCore({ env: { RATE_LIMIT_FACTOR: '0.1' }, rateLimits: true })
    try {
      const operator = await limited.addOperator(['support'])
      const { id, owner } = await limited.foundTenant()
      const statuses = []
      for (let turn = 0; turn < 4; turn++) statuses.push((await begin(operator, { id }, owner)).status)
      assert.deepEqual(statuses, [200, 200, 200, 429])
      assert.equal((await begin(await limited.addOperator(['support']), { id }, owner)).status, 200)
    } finally {
      await limited.close()
    }
  })
})

describe('who acts as somebody else', () => {
  it('may not do what is the person’s own, even when they may write', async () => {
    const writing = await act(test, all, tenant, { as: tenant.owner, write: true })
    const key = (await tenant.owner.post('/api-keys', { name: 'Till', scopes: ['store.view'] })).body
    const webhook = (await tenant.owner.post('/webhooks', { url: 'https://example.com/hook', events: ['*'] })).body
    const form = { file: { name: 'a.txt', content: 'Buy milk', type: 'text/plain' } }
    const file = (await tenant.owner.request('POST', '/files', { form })).body
    const tried: [method: string, path: string, body?: object][] = [
      ['POST', '/auth/change-password', { current_password: 'x', new_password: 'seven lanterns over the harbour' }],
      ['POST', '/auth/logout-all', {}],
      ['POST', '/auth/switch-tenant', { tenant_id: tenant.id }],
      ['POST', '/auth/refresh', { refresh_token: 'x' }],
      ['POST', '/auth/login', { email: tenant.owner.email, password: 'x' }],
      ['POST', '/auth/accept-invite', { token: 'x' }],
      ['POST', '/auth/resend-verification'],
      ['PUT', '/users/me', { name: 'Somebody Else' }],
      ['GET', '/users/me/tenants'],
      ['POST', '/users', { email: `${newId()}@example.com`, name: 'New', password: 'seven lanterns over the harbour' }],
      ['DELETE', `/users/${member.userId}`],
      ['POST', '/tenants', { name: 'Another' }],
      ['POST', '/api-keys', { name: 'Till', scopes: ['store.view'] }],
      ['PUT', `/api-keys/${key.id}`, { name: 'Till 2' }],
      ['POST', `/api-keys/${key.id}/rotate`, {}],
      ['DELETE', `/api-keys/${key.id}`],
      ['POST', '/webhooks', { url: 'https://example.com/other', events: ['*'] }],
      ['POST', `/webhooks/${webhook.id}/rotate-secret`],
      ['PUT', `/webhooks/${webhook.id}`, { url: 'https://example.com/hook/2' }],
      ['PUT', `/files/${file.id}`, { filename: 'b.txt', is_public: true }],
      ['POST', `/files/${file.id}/link`, { expires_in: 60 }],
      ['POST', '/tenants/current/export'],
      ['GET', '/tenants/current/export'],
      ['GET', '/audit/export'],
      ['POST', '/audit/sinks', { url: 'https://example.com/sink' }],
      ['POST', '/notifications/push-subscriptions', {}],
    ]
    for (const [method, path, body] of tried)
      assert.deepEqual(refused(await writing.send(method, path, body)), DENIED, `${method} ${path}`)
    const told = { url: webhook.url, description: 'Till' }
    assert.equal((await writing.send('PUT', `/webhooks/${webhook.id}`, told)).status, 200)
    assert.equal((await writing.send('PUT', `/files/${file.id}`, { filename: 'b.txt', is_public: false })).status, 200)
    const settings = {
      support_access: 'never',
      support_access_until: '2099-01-01T00:00:00.000Z',
      require_two_factor: true,
      two_factor_grace_days: 1,
      session_max_age_hours: 1,
      audit_retention_days: 30,
    }
    for (const [name, value] of Object.entries(settings)) {
      const answer = await writing.send('PUT', '/tenants/current/settings', { [name]: value })
      assert.ok([400, 403].includes(answer.status), `${name} ${answer.text}`)
      if (name !== 'support_access_until') assert.deepEqual(refused(answer), DENIED, name)
    }
    assert.equal((await writing.send('PUT', '/tenants/current/settings', { date_format: 'DD.MM.YYYY' })).status, 200)
  })

  it('gives nobody the tenant, and takes it from nobody', async () => {
    const { id: tenantId, owner, member: hire } = await test.foundTenant({ plan: 'business' })
    const writing = await act(test, all, { id: tenantId }, { as: owner, write: true })
    const { body } = await owner.get('/roles?limit=100')
    const roleId = (name: string) => body.data.find((role: { name: string }) => role.name === name).id
    const [person, second] = [await hire(), await hire({ role: 'owner' })]
    const give = (role: string) => writing.send('POST', `/users/${person.userId}/roles`, { role_id: roleId(role) })
    assert.deepEqual(refused(await give('owner')), DENIED)
    assert.equal((await give('staff')).status, 201)
    const owners = `/users/${second.userId}/roles/${roleId('owner')}` as const // a path is a type
    assert.deepEqual(refused(await writing.send('DELETE', owners)), DENIED)
    assert.deepEqual(refused(await writing.send('PUT', `/users/${second.userId}`, { status: 'disabled' })), DENIED)
    const invitation = { email: `${newId()}@example.com`, roles: [{ role_id: roleId('owner') }] }
    assert.deepEqual(refused(await writing.send('POST', '/users/invite', invitation)), DENIED)
    assert.equal((await owner.delete(owners)).status, 204)
  })

  it('neither goes on with what the person sends, nor has them go on with theirs', async () => {
    const writing = await act(test, all, tenant, { as: tenant.owner, write: true })
    const again = await act(test, all, tenant, { as: tenant.owner, write: true })
    const owner = await tenant.owner.token()
    const filename = Buffer.from('a.txt').toString('base64')
    const begun = { ...TUS, 'upload-length': '8', 'upload-metadata': `filename ${filename}` }
    const sent = { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
    for (const [by, others] of [
      [writing.token, [owner, again.token]],
      [owner, [writing.token]],
    ] as const) {
      const { status, headers } = await test.request('POST', '/api/v1/files/tus', { token: by, headers: begun })
      assert.equal(status, 201)
      const { pathname } = new URL(`${headers.location}`, 'http://localhost')
      const patch = (token: string) => test.request('PATCH', pathname, { token, headers: sent, payload: 'Buy milk' })
      for (const token of others) {
        assert.equal((await patch(token)).status, 404)
        assert.equal((await test.request('DELETE', pathname, { token, headers: TUS })).status, 404)
      }
      assert.equal((await patch(by)).status, 204)
    }
  })

  it('takes no place at what the person holds open or waits for', async () => {
    const { id, owner } = await test.foundTenant()
    const acting = await act(test, support, { id }, { as: owner })
    const [held, leave] = [test.core.use(streamHub), [] as (() => void)[]]
    const open = Promise.all(Array.from({ length: 3 }, () => acting.get('/notifications/stream?wait=2')))
    await until('the streams are open', () => held.countOf(support.userId) === 3)
    assert.equal(held.countOf(owner.userId), 0)
    await held.beat()
    assert.deepEqual((await open).map(refused), Array(3).fill([200, undefined]))
    for (let at = 0; at < 10; at++) leave.push(test.core.use(eventWaiters).enter(support.userId))
    const { next_cursor } = (await acting.get('/events?limit=100')).body
    const path = `/events?wait=1&after=${next_cursor}` as const // a path is a type
    assert.deepEqual(refused(await acting.get(path)), [429, 'rate_limited'])
    assert.equal((await owner.get(path)).status, 200)
    for (const each of leave) each()
  })

  it('has keys of their own for repeated requests', async () => {
    const writing = await act(test, all, tenant, { as: tenant.owner, write: true })
    const headers = { 'idempotency-key': newId() }
    const body = { name: 'Harbour', code: 'HARB' }
    const theirs = await tenant.owner.request('POST', '/stores', { body, headers })
    assert.equal(theirs.status, 201)
    const own = await writing.send('POST', '/stores', body, headers)
    assert.deepEqual([own.status, own.headers['idempotent-replayed']], [409, undefined])
  })
})

describe('what is recorded', () => {
  it('names both people on whatever is done, and shows each request, refused ones too', async () => {
    const { id, owner } = await test.foundTenant()
    const acting = await act(test, all, { id }, { as: owner, write: true })
    const { body: store } = await acting.send('POST', '/stores', { name: 'Kiosk' })
    await acting.get(`/stores/${store.id}?x=1`)
    await acting.get(`/stores/${store.id}`)
    await acting.get('/audit?q=secret')
    await acting.send('POST', '/stores', 'no object')
    await acting.get('/admin/tenants')
    await test.request('HEAD', '/api/v1/stores', { token: acting.token })
    await test.request('GET', '/api/v1/file-links/a-secret-token', { token: acting.token })
    await test.request('GET', '/api/v1/subscriptions/plans', { token: acting.token })
    assert.deepEqual(await requestsIn(test, id), [
      'POST /api/v1/stores 201',
      'GET /api/v1/stores/:id 400',
      'GET /api/v1/stores/:id 200',
      'GET /api/v1/audit 200',
      'POST /api/v1/stores 400',
      'GET /api/v1/admin/tenants 403',
      'HEAD /api/v1/stores 200',
      'GET /api/v1/file-links/:token 404',
      'GET /api/v1/subscriptions/plans 200',
    ])
    const records = await recordsOf(test, id)
    const made = records.filter(({ impersonator_id }) => impersonator_id !== null)
    assert.ok(made.some(({ action }) => action === 'store.created'))
    for (const { actor_type, actor_id, actor_label, impersonator_id } of made) {
      assert.deepEqual([actor_type, actor_id, impersonator_id], ['user', owner.userId, all.userId])
      assert.equal(actor_label, `${owner.name} (support: ${all.name})`)
    }
    const looked = records.find(({ new_values }) => new_values?.route === '/api/v1/stores/:id')
    assert.deepEqual(looked?.new_values?.path_ids, [{ name: 'id', id: store.id }])
    assert.equal(looked?.resource_id, store.id)
    assert.doesNotMatch(JSON.stringify(records), /secret|no object/)
    // And the tenant reads it like anything else.
    const { body } = await owner.get(`/audit?action=admin.impersonated_request&resource_id=${store.id}`)
    assert.equal(body.data[0].actor.impersonator_id, all.userId)
    assert.equal(body.data[0].actor.label, `${owner.name} (support: ${all.name})`)
  })

  it('follows into jobs, and into what goes out', async () => {
    const { id, owner } = await test.foundTenant()
    const acting = await act(test, all, { id }, { as: owner, write: true })
    await acting.send('POST', '/stores', { name: 'Kiosk' })
    const published = await test.core.db.systemQuery<{ impersonator_id: string }>(
      "select impersonator_id from events where tenant_id = $1 and type = 'store.created' order by id desc limit 1",
      [id],
    )
    assert.equal(published[0]?.impersonator_id, all.userId)
    await acting.send('POST', '/users/invite', { email: `${newId()}@example.com`, name: 'Ines Invited' })
    const jobs = await test.core.db.systemQuery<{ origin: { actor: { impersonatorId: string | null } } }>(
      "select origin from tenant_jobs where tenant_id = $1 and task like 'mail.%'",
      [id],
    )
    assert.ok(jobs.some(({ origin }) => origin.actor.impersonatorId === all.userId))
  })

  it('has the beginning and the end with the reason, in both logs, once', async () => {
    const { id, owner, member: hire } = await test.foundTenant()
    const person = await hire({ name: 'Paul Person' })
    const acting = await act(test, support, { id }, { as: person })
    assert.equal((await acting.send('POST', '/auth/logout')).status, 204)
    assert.deepEqual(refused(await acting.get('/users/me')), [401, 'session_revoked'])
    test.clock.advance(16 * 60_000)
    await test.drainJobs(id)
    const expected = (end: string | null) => ({
      id: acting.sessionId,
      tenant_id: id,
      user_id: person.userId,
      user_name: 'Paul Person',
      operator_id: support.userId,
      operator_name: support.name,
      reason: REASON,
      read_only: true,
      end,
    })
    const own = await recordsOf(test, id, 'admin.impersonation_%')
    const global = await test.core.db.systemQuery<(typeof own)[number]>(
      "select action, actor_type, actor_id, impersonator_id, new_values from global_audit_logs where resource_id = $1 and action like 'admin.%' order by id",
      [acting.sessionId],
    )
    for (const log of [own, global]) {
      assert.deepEqual(
        log.map(({ action, actor_type, actor_id, impersonator_id }) => [action, actor_type, actor_id, impersonator_id]),
        [
          ['admin.impersonation_begun', 'admin', support.userId, null],
          ['admin.impersonation_ended', 'user', person.userId, support.userId],
        ],
      )
      for (const [at, end] of [null, 'signed_out'].entries())
        assert.partialDeepStrictEqual(log[at]?.new_values, expected(end))
    }
    assert.deepEqual(await test.core.db.systemQuery('select 1 from impersonations where tenant_id = $1', [id]), [])
    assert.equal((await owner.get('/audit?action=admin.*')).body.data.length > 0, true)
  })

  it('is told to the person and to all owners, by mail too, whatever they have switched off', async () => {
    const { id, owner, member: hire } = await test.foundTenant()
    const second = await hire({ role: 'owner' })
    const [person, other] = [await hire({ name: 'Paul Person' }), await hire({ role: 'admin' })]
    await act(test, support, { id }, { as: person })
    await test.drainJobs(id)
    for (const who of [owner, second, person]) {
      const { body } = await who.get('/notifications?kind=impersonation.begun')
      assert.equal(body.data.length, 1)
      assert.match(body.data[0].title, /Paul Person/)
      for (const text of [support.name, REASON, 'can change nothing'])
        assert.ok(body.data[0].message.includes(text), text)
      assert.equal((await test.mails(who.email)).filter(({ subject }) => subject.includes('Paul Person')).length, 1)
    }
    assert.equal((await other.get('/notifications?kind=impersonation.begun')).body.data.length, 0)
  })

  it('is told by a mail that nobody stops on its way', async () => {
    const { id, owner } = await test.foundTenant()
    const writing = await act(test, all, { id }, { as: owner, write: true })
    await test.drainJobs(id)
    const [mail] = (await writing.get('/mails')).body.data
    await test.core.db.systemQuery("update mails set status = 'queued' where tenant_id = $1 and id = $2", [id, mail.id])
    const stopped = await writing.send('POST', `/mails/${mail.id}/cancel`)
    assert.deepEqual(refused(stopped), [409, 'conflict'], stopped.text)
  })
})
