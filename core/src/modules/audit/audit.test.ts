import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { newId } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { type Person, register } from '../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore } from './audit.fixture.ts'
import { AuditLog } from './schema.ts'

let core: TestCore
let ada: Person
let otto: Person
let storeId: string

before(async () => {
  core = await createAuditCore()
  ada = await register(core, { name: 'Ada Byron', tenant_name: 'Acme' })
  otto = await register(core, { name: 'Otto', tenant_name: 'Other' })
  const headers = { 'user-agent': 'a browser', 'x-request-id': 'the-request' }
  const made = await core.request('POST', '/api/v1/stores', { token: ada.token, body: { name: 'North' }, headers })
  storeId = made.body.id
  await core.request('PUT', `/api/v1/stores/${storeId}`, { token: ada.token, body: { name: 'Far North' } })
})
after(() => core.close())

const send = (path: string, token = ada.token) => core.request('GET', `/api/v1/audit${path}`, { token })
const list = async (filters: Record<string, string> = {}, token = ada.token) => {
  const { status, body, text } = await send(`?${new URLSearchParams({ limit: '100', ...filters })}`, token)
  assert.equal(status, 200, text)
  return body.data
}
const actions = async (filters: Record<string, string>) =>
  (await list(filters)).map(({ action }: { action: string }) => action)

describe('a record', () => {
  test('says who did what, when and from where', async () => {
    const [record] = await list({ action: 'store.created', resource_id: storeId })
    const { new_values, created_at, id, ...rest } = record
    assert.deepEqual(rest, {
      tenant_id: ada.tenantId,
      user_id: ada.userId,
      actor: { type: 'user', id: ada.userId, label: 'Ada Byron', impersonator_id: null },
      action: 'store.created',
      resource_type: 'store',
      resource_id: storeId,
      resource_label: 'North',
      store_id: storeId,
      old_values: null,
      ip_address: '127.0.0.1',
      user_agent: 'a browser',
      request_id: 'the-request',
    })
    assert.equal(new_values.name, 'North')
    assert.deepEqual(Object.keys(record), Object.keys(AuditLog.properties))
    assert.deepEqual((await send(`/${id}`)).body, record)
    assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
  })

  test('of a change has the changed fields alone', async () => {
    const [{ old_values, new_values }] = await list({ action: 'store.updated' })
    assert.deepEqual([old_values, new_values], [{ name: 'North' }, { name: 'Far North' }])
  })

  test('of another tenant is not there, and neither is one that never was', async () => {
    const [theirs] = await list({}, otto.token)
    for (const id of [theirs.id, newId(), 'no-uuid']) assert.equal((await send(`/${id}`)).status, 404)
    for (const record of await list()) assert.equal(record.tenant_id, ada.tenantId)
    assert.deepEqual(await list({ user_id: otto.userId }), [])
  })
})

describe('filters', () => {
  test('take an action, all of a kind, or everything', async () => {
    assert.deepEqual(await actions({ action: 'store.updated' }), ['store.updated'])
    assert.deepEqual(await actions({ action: 'store.*' }), ['store.updated', 'store.created', 'store.created'])
    assert.deepEqual(await actions({ action: 'stor.*' }), [])
    assert.deepEqual(await actions({ action: 'store' }), [])
    assert.deepEqual(await actions({ action: 's%' }), [])
    assert.deepEqual(await list({ action: '*' }), await list())
  })

  test('combine', async () => {
    const all = { action: 'store.*', resource_type: 'store', resource_id: storeId, user_id: ada.userId, q: 'byron' }
    assert.equal((await list({ ...all, ip_address: '127.0.0.1' })).length, 2)
    for (const spelling of ['127.0.0.1:5555', '::ffff:127.0.0.1', '[::FFFF:7f00:1]:443'])
      assert.equal((await list({ ...all, ip_address: spelling })).length, 2, spelling)
    assert.equal((await list({ ...all, ip_address: '127.0.0.2' })).length, 0)
    assert.equal((await list({ ...all, user_id: ada.userId.toUpperCase() })).length, 2)
    assert.equal((await list({ ...all, user_id: newId() })).length, 0)
    assert.equal((await list({ ...all, resource_type: 'role' })).length, 0)
    assert.equal((await list({ ...all, store_id: newId() })).length, 0)
  })

  test('find the store that something happened in', async () => {
    const [main] = (await core.request('GET', '/api/v1/stores?q=MAIN', { token: ada.token })).body.data
    const headers = { 'x-store-id': main.id }
    await core.request('PUT', '/api/v1/tenants/current', { token: ada.token, body: { name: 'Acme Ltd' }, headers })
    assert.deepEqual(await actions({ store_id: main.id }), ['tenant.updated', 'store.created'])
  })

  test('find words of names and actions by their beginning, without patterns', async () => {
    assert.deepEqual(await actions({ q: 'FAR north' }), ['store.updated'])
    assert.deepEqual(await actions({ q: 'updat', resource_type: 'store' }), ['store.updated'])
    assert.deepEqual(await actions({ q: 'ar north' }), [])
    assert.deepEqual(await list({ q: ' ' }), await list())
    for (const q of ['%', '_', '\\', "'", 'n%h', '.*']) assert.deepEqual(await actions({ q }), [], q)
  })

  test('begin with a moment and end before one, to the millisecond', async () => {
    const [created] = await list({ action: 'store.created' })
    const at = created.created_at
    const later = new Date(Date.parse(at) + 1).toISOString()
    const found = async (filters: Record<string, string>) =>
      (await list({ resource_id: storeId, action: 'store.created', ...filters })).length
    assert.equal(await found({ from: at }), 1)
    assert.equal(await found({ from: later }), 0)
    assert.equal(await found({ to: at }), 0)
    assert.equal(await found({ to: later }), 1)
    assert.equal(await found({ from: at, to: later }), 1)
    assert.equal(await found({ from: later, to: at }), 0)
    assert.equal(await found({ from: at.replace('Z', '+00:00') }), 1)
    assert.equal(await found({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999Z' }), 1)
  })

  test('that are none are refused, all at once', async () => {
    const { status, body } = await send('?from=yesterday&to=2026-13-01T00:00:00Z&user_id=me&action=&actor=x')
    const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()
    assert.deepEqual(
      [status, pointers],
      [400, ['query/action', 'query/actor', 'query/from', 'query/to', 'query/user_id']],
    )
    for (const from of ['2026-12-31T23:59:60Z', '2026-02-30T00:00:00Z'])
      assert.ok([200, 400].includes((await send(`?from=${from}`)).status))
  })
})

describe('pages', () => {
  test('go back over months, with no record twice or left out', async () => {
    const tenantId = otto.tenantId
    const before = (await list({}, otto.token)).length
    await asSuperuser(
      core,
      `insert into audit_logs (tenant_id, id, created_at, action, actor_type, actor_label, resource_type)
       select $1, tenantry.uuid_at(at), at, 'toy.made', 'system', 'system', 'toy'
       from (select now() - n * interval '5 days' as at from generate_series(1, 150) n) as moments`,
      [tenantId],
    )
    const seen: { id: string; created_at: string }[] = []
    let cursor = ''
    do {
      const { body } = await send(`?limit=7${cursor}`, otto.token)
      seen.push(...body.data)
      cursor = body.next_cursor && `&cursor=${body.next_cursor}`
    } while (cursor)
    const ids = seen.map(({ id }) => id)
    assert.equal(new Set(ids).size, before + 150)
    assert.deepEqual(ids, ids.toSorted().reverse())
  })
})

describe('permissions', () => {
  test('admins see and export; others may not even ask', async () => {
    const roles = (await core.request('GET', '/api/v1/roles?limit=100', { token: ada.token })).body.data
    const holders = (code: string) =>
      roles
        .filter(({ permissions }: { permissions: string[] }) => permissions.includes(code))
        .map(({ name }: { name: string }) => name)
        .sort()
    assert.deepEqual(holders('audit.view'), ['admin', 'owner'])
    assert.deepEqual(holders('audit.export'), ['admin', 'owner'])
  })

  test('the application can neither change nor remove a record', async () => {
    for (const statement of ["update audit_logs set action = 'x'", 'delete from audit_logs', 'truncate audit_logs']) {
      for (const role of ['app', 'system'] as const) {
        const url = role === 'app' ? core.database.appUrl : core.database.systemUrl
        const client = new pg.Client({ connectionString: url, options: '-c search_path=core' })
        await client.connect()
        await client.query("select set_config('app.tenant_id', $1, false)", [ada.tenantId])
        await assert.rejects(client.query(statement), { code: '42501' }, `${role}: ${statement}`)
        await client.end()
      }
    }
  })
})
