import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import pg from 'pg'
import { MINUTES, newId } from '#kernel'
import { createTestCore, type TestCore, type TestPerson, type TestTenant } from '../../testing/index.ts'
import { until } from '../../testing/until.ts'
import { createMember } from '../members/index.ts'
import { getUser } from '../users/index.ts'
import { type Acting, act, actingBy, begin, recordsOf, requestsIn } from './impersonation.fixture.ts'

let first: TestCore
let second: TestCore
let all: TestPerson
before(async () => {
  first = await createTestCore()
  second = await createTestCore({ database: first.database })
  all = await first.addOperator(['all'])
})
after(async () => {
  await second?.close()
  await first?.close()
})
afterEach(() => first.clock.start())

/** In both processes. */
function advance(ms: number): void {
  for (const { clock } of [first, second]) clock.advance(ms)
}

interface Scene {
  tenant: TestTenant
  owner: TestPerson
  person: TestPerson
  operator: TestPerson
  /** In both processes, which know it well. */
  here: Acting
  there: Acting
}

async function scene(): Promise<Scene> {
  const tenant = await first.foundTenant()
  const person = await tenant.member({ role: 'manager' })
  const operator = await first.addOperator(['support'])
  const here = await act(first, operator, tenant, { as: person })
  const there = actingBy(second, here.token, here.sessionId)
  for (const each of [here, there]) assert.equal((await each.get('/stores')).status, 200)
  return { tenant, owner: tenant.owner, person, operator, here, there }
}

const isOver = async (acting: Acting) => [401, 403].includes((await acting.get('/stores')).status)

const WAYS: [what: string, end: (scene: Scene) => Promise<unknown>, told: string][] = [
  ['the operator signs out as the person', ({ here }) => here.send('POST', '/auth/logout'), 'signed_out'],
  ['the session that it was begun from ends', ({ operator }) => operator.post('/auth/logout'), 'operator_signed_out'],
  [
    'the operator is signed out everywhere',
    ({ operator }) => operator.in().post('/auth/logout-all'),
    'operator_signed_out',
  ],
  [
    'the operator loses the role',
    ({ operator }) => all.post('/admin/operators', { user_id: operator.userId, roles: ['billing'] }),
    'operator_not_allowed',
  ],
  [
    'the operator is disabled',
    ({ operator }) =>
      first.core.run(
        async (ctx) => {
          await ctx.tx.updateTable('users').set({ status: 'disabled' }).where('id', '=', operator.userId).execute()
          await ctx.forget({ userId: operator.userId })
        },
        { role: 'system', tenantId: null },
      ),
    'operator_not_allowed',
  ],
  ['the person signs out everywhere', ({ person }) => person.post('/auth/logout-all'), 'revoked'],
  ['the person is removed', ({ owner, person }) => owner.delete(`/users/${person.userId}`), 'not_a_member'],
  [
    'the person is disabled',
    ({ owner, person }) => owner.put(`/users/${person.userId}`, { status: 'disabled' }),
    'not_a_member',
  ],
  [
    'the tenant is suspended',
    ({ tenant }) => all.post(`/admin/tenants/${tenant.id}/suspend`, { reason: 'Card testing' }),
    'tenant_suspended',
  ],
  [
    'the tenant forbids it',
    ({ owner }) => owner.put('/tenants/current/settings', { support_access: 'never' }),
    'support_access_ended',
  ],
]

describe('acting as somebody else ends', () => {
  for (const [what, end, told] of WAYS)
    it(`when ${what}, in every process`, async () => {
      const played = await scene()
      const { tenant, here, there } = played
      await end(played)
      assert.ok(await isOver(here), 'it goes on')
      await until('the other process knows', () => isOver(there))
      advance(16 * MINUTES)
      await first.drainJobs(tenant.id)
      const ended = await recordsOf(first, tenant.id, 'admin.impersonation_ended')
      assert.deepEqual(
        ended.map(({ new_values }) => new_values?.end),
        [told],
      )
    })

  it('after a quarter of an hour, to the millisecond, whatever is done meanwhile', async () => {
    const { tenant, here } = await scene()
    const [row] = await first.core.db.systemQuery<{ expires_at: string }>(
      'select expires_at from sessions where id = $1',
      [here.sessionId],
    )
    const endsAt = Date.parse(row?.expires_at ?? '')
    advance(endsAt - first.clock.ms() - 30_000)
    assert.equal((await here.get('/stores')).status, 200)
    first.clock.stop()
    advance(endsAt - first.clock.ms() - 1)
    const last = await here.get('/stores')
    // A token counts in whole seconds.
    assert.ok([200, 401].includes(last.status))
    advance(1)
    assert.equal((await here.get('/stores')).status, 401)
    await first.drainJobs(tenant.id)
    const [ended] = await recordsOf(first, tenant.id, 'admin.impersonation_ended')
    assert.equal(ended?.new_values?.end, 'expired')
    // The row too says so, whatever a token says.
    const stretched = await ours(first, here.token, { exp: Math.floor(endsAt / 1000) + 3_600 })
    assert.equal((await first.request('GET', '/api/v1/stores', { token: stretched })).body.code, 'session_revoked')
    await assert.rejects(
      first.core.db.systemQuery("update sessions set expires_at = created_at + interval '16 minutes' where id = $1", [
        here.sessionId,
      ]),
      /sessions_operator_term_check/,
    )
  })

  it('for requests that run while it does: each is answered as before or as after, and each answer is on record', async () => {
    const { tenant, operator, here } = await scene()
    const before = (await requestsIn(first, tenant.id)).length
    const running = Array.from({ length: 20 }, () => here.get('/stores'))
    const [answers] = await Promise.all([Promise.all(running), operator.post('/auth/logout')])
    const served = answers.filter(({ status }) => status === 200).length
    assert.ok(answers.every(({ status }) => status === 200 || status === 401))
    assert.equal((await requestsIn(first, tenant.id)).length, before + served)
    assert.ok(await isOver(here))
  })

  it('is recorded once, however many end it at once', async () => {
    const { tenant, here, there } = await scene()
    advance(14 * MINUTES)
    await Promise.all([here, there, here, there].map((each) => each.send('POST', '/auth/logout')))
    advance(2 * MINUTES)
    await Promise.all([first.drainJobs(tenant.id), second.drainJobs(tenant.id)])
    assert.equal((await recordsOf(first, tenant.id, 'admin.impersonation_ended')).length, 1)
  })
})

describe('a tenant', () => {
  const set = (owner: TestPerson, settings: object) => owner.put('/tenants/current/settings', settings)
  const inMinutes = (minutes: number) => new Date(first.clock.ms() + minutes * MINUTES).toISOString()

  it('lets support in always, on request, or never, and for a time whatever it says', async () => {
    const tenant = await first.foundTenant()
    const { owner } = tenant
    assert.partialDeepStrictEqual((await owner.get('/tenants/current/settings')).body, {
      support_access: 'always',
      support_access_until: null,
    })
    for (const [support_access, detail] of [
      ['on_request', /on request.*support_access_until/],
      ['never', /forbids/],
    ] as const) {
      assert.equal((await set(owner, { support_access })).status, 200)
      const { status, body } = await begin(all, tenant, owner)
      assert.deepEqual([status, body.code], [403, 'permission_denied'])
      assert.match(body.detail, detail)
      assert.equal((await set(owner, { support_access_until: inMinutes(60) })).status, 200)
      assert.equal((await begin(all, tenant, owner)).status, 200)
      await set(owner, { support_access_until: null })
      assert.equal((await begin(all, tenant, owner)).status, 403)
    }
  })

  it('grants no longer than it says, and that is when it ends', async () => {
    const tenant = await first.foundTenant()
    const { owner } = tenant
    await set(owner, { support_access: 'never', support_access_until: inMinutes(5) })
    const { body } = await begin(all, tenant, owner)
    assert.ok(body.expires_in <= 300)
    await set(owner, { support_access_until: inMinutes(12) })
    const longer = await act(first, all, tenant, { as: owner })
    await set(owner, { support_access_until: inMinutes(2) })
    // Remembered for a minute, but not beyond what is granted.
    advance(2 * MINUTES - 20_000)
    // What forgets it because of the settings has arrived by then.
    assert.ok(await first.core.standings.test(30_000))
    assert.equal((await longer.get('/stores')).status, 200)
    advance(20_000)
    advance(20_000)
    assert.equal((await longer.get('/stores')).body.code, 'session_revoked')
    assert.equal((await owner.get('/tenants/current/settings')).body.support_access_until, null)
  })

  it('grants 30 days at most, and nothing that is over', async () => {
    const { owner, member } = await first.foundTenant()
    for (const support_access_until of [inMinutes(-1), inMinutes(30 * 24 * 60 + 1), 'tomorrow', 5, ''])
      assert.equal((await set(owner, { support_access_until })).status, 400, String(support_access_until))
    for (const support_access of ['sometimes', null, ''])
      assert.equal((await set(owner, { support_access })).status, 400)
    assert.equal((await set(owner, { support_access_until: inMinutes(30 * 24 * 60 - 1) })).status, 200)
    const staff = await member({ role: 'staff' })
    assert.equal((await set(staff, { support_access: 'always' })).status, 403)
  })
})

/** A token with other claims, signed by the core's own key; undefined takes one away. */
async function ours(test: TestCore, token: string, change: Record<string, unknown>): Promise<string> {
  const [header = '', body = ''] = token.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  const [row] = await test.core.db.systemQuery<{ private_sealed: string }>(
    'select private_sealed from signing_keys where id = $1',
    [read(header).kid],
  )
  const pem = test.core.secrets.openText(row?.private_sealed ?? '', `signing_key:${read(header).kid}`)
  const input = `${header}.${Buffer.from(JSON.stringify({ ...read(body), ...change })).toString('base64url')}`
  return `${input}.${sign(null, Buffer.from(input), pem).toString('base64url')}`
}

describe('a token', () => {
  it('is worth nothing for anybody else, anywhere else, or without saying who acts, even signed by us', async () => {
    const { tenant, person, operator, here } = await scene()
    const other = await scene()
    // They could act there themselves.
    await other.tenant.run(async (ctx) =>
      createMember(ctx, { user: await getUser(ctx.tx, person.userId), name: 'Mia Member', roles: [] }),
    )
    const claims = JSON.parse(Buffer.from(here.token.split('.')[1] ?? '', 'base64url').toString())
    const { act: acting } = claims
    const changes: Record<string, unknown>[] = [
      { act: undefined },
      { act: null },
      { act: {} },
      { act: 'nobody' },
      { act: { sub: acting.sub } },
      { act: { sub: all.userId, sid: acting.sid } },
      { act: { sub: acting.sub, sid: newId() } },
      { act: { sub: acting.sub, sid: other.here.sessionId } },
      { tid: other.tenant.id },
      { tid: null },
      { sub: tenant.owner.userId },
      { sub: operator.userId },
      { sid: other.here.sessionId },
      { sid: acting.sid },
    ]
    for (const change of changes) {
      const token = await ours(first, here.token, change)
      assert.equal((await first.request('GET', '/api/v1/stores', { token })).status, 401, JSON.stringify(change))
    }
    for (const act of [acting, null, {}, [], 'nobody', { sub: acting.sub }, { sub: 'x', sid: acting.sid }]) {
      const token = await ours(first, await person.token(), { act })
      assert.equal((await first.request('GET', '/api/v1/users/me', { token })).status, 401, JSON.stringify(act))
    }
    const tampered = here.token.replace(/\.(.)/, (_, letter) => `.${letter === 'A' ? 'B' : 'A'}`)
    assert.equal((await first.request('GET', '/api/v1/stores', { token: tampered })).status, 401)
    assert.equal((await here.get('/stores')).status, 200)
  })

  it('is given to nobody by a request: only an operator’s transaction opens such a session', async () => {
    const { tenant, here } = await scene()
    await assert.rejects(
      tenant.run(({ tx }) =>
        tx
          .insertInto('sessions')
          .columns([
            'id',
            'user_id',
            'created_at',
            'last_active_at',
            'expires_at',
            'device',
            'operator_id',
            'operator_session_id',
            'scope_tenant_id',
            'read_only',
          ])
          .expression((eb) =>
            eb
              .selectFrom('sessions')
              .select([
                'user_id as id',
                'user_id',
                'created_at',
                'last_active_at',
                'expires_at',
                'device',
                'operator_id',
                'operator_session_id',
                'scope_tenant_id',
                'read_only',
              ])
              .where('id', '=', here.sessionId),
          )
          .execute(),
      ),
      /row-level security/,
    )
  })
})

describe('an answer', () => {
  const client = () => new pg.Client({ connectionString: first.database.superuserUrl })

  it('does not leave before the request is on record', async () => {
    const { tenant, here } = await scene()
    const [holder, onlooker] = [client(), client()]
    await Promise.all([holder.connect(), onlooker.connect()])
    try {
      await holder.query('begin; lock table core.audit_logs in share row exclusive mode')
      let isAnswered = false
      const asked = here.get('/stores').finally(() => (isAnswered = true))
      await until('the record waits', async () => {
        const waiting = await onlooker.query(
          "select 1 from pg_locks where relation = 'core.audit_logs'::regclass and not granted",
        )
        return waiting.rowCount !== 0
      })
      assert.equal(isAnswered, false)
      await holder.query('rollback')
      assert.equal((await asked).status, 200)
      assert.equal((await requestsIn(first, tenant.id)).length, 3)
    } finally {
      await Promise.all([holder.end(), onlooker.end()])
    }
  })

  it('does not leave at all when the request cannot be recorded, in any form', async () => {
    const { owner, here } = await scene()
    const file = { name: 'a.txt', content: 'the content of a file', type: 'text/plain' }
    const { id } = (await owner.request('POST', '/files', { form: { file } })).body
    const superuser = client()
    await superuser.connect()
    await superuser.query(
      "alter table core.audit_logs add constraint no_records check (action <> 'admin.impersonated_request') not valid",
    )
    try {
      for (const path of ['/stores', '/stores?x=1', `/files/${id}/download`, '/admin/overview', '/users/me']) {
        const { status, text, body, headers } = await here.get(path)
        assert.deepEqual([status, body.code], [503, 'unavailable'], text)
        assert.equal(headers['retry-after'], '1')
        for (const name of ['etag', 'content-disposition', 'ratelimit']) assert.equal(headers[name], undefined, name)
        assert.doesNotMatch(text, /the content of|MAIN/)
      }
      assert.equal((await owner.get('/stores')).status, 200)
    } finally {
      await superuser.query('alter table core.audit_logs drop constraint no_records')
      await superuser.end()
    }
    const { status, text } = await here.get(`/files/${id}/download`)
    assert.deepEqual([status, text], [200, 'the content of a file'])
  })
})
