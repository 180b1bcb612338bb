import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAYS } from '#kernel'
import type { TestCore } from '../../testing/index.ts'
import { twenty } from '../auth/auth.fixture.ts'
import {
  asSuperuser,
  createOwner,
  createSinksCore,
  isSignedBy,
  type Owner,
  type Receiver,
  recordMany,
  sealAll,
  sealAndSend,
  startReceiver,
} from './audit-sinks.fixture.ts'

let core: TestCore
let receiver: Receiver
before(async () => {
  core = await createSinksCore({ env: { LOG_LEVEL: 'trace' } })
  receiver = await startReceiver()
})
after(async () => {
  await receiver?.close()
  await core?.close()
})

const recordsOf = ({ tenantId }: Owner, action: string) =>
  asSuperuser(core, 'select * from audit_logs where tenant_id = $1 and action = $2 order by id', [tenantId, action])

describe('a sink', () => {
  test('is made with a secret that is shown once', async () => {
    const owner = await createOwner(core)
    const { secret, ...sink } = await owner.addSink(receiver.url, { description: 'Our SIEM', from: 'now' })
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    const { id, created_at, ...rest } = sink
    assert.deepEqual(rest, {
      tenant_id: owner.tenantId,
      url: receiver.url,
      description: 'Our SIEM',
      status: 'active',
      paused_reason: null,
      last_error: null,
      backlog: 0,
      sent_until: null,
      last_sent_at: null,
      next_attempt_at: null,
      updated_at: created_at,
    })
    assert.deepEqual(await owner.send('GET', `/audit/sinks/${id}`), sink)
    assert.deepEqual(await owner.send('GET', '/audit/sinks'), { data: [sink] })
    await owner.send('DELETE', `/audit/sinks/${id}`)
    assert.deepEqual(await owner.send('GET', '/audit/sinks'), { data: [] })
  })

  test('gets what is recorded from now on, or all that is there', async () => {
    const owner = await createOwner(core)
    await recordMany(core, owner.tenantId, 30, 60)
    await sealAll(core, owner.tenantId)
    const [now, all] = [await owner.addSink(receiver.url, { from: 'now' }), await owner.addSink(receiver.url)]
    assert.deepEqual([now.backlog, all.backlog > 30], [0, true])
    await sealAndSend(core, owner)
    const actionsFor = ({ id }: { id: string }) =>
      receiver.received
        .filter((each) => each.id.startsWith(id))
        .flatMap(({ body }) => body.trimEnd().split('\n'))
        .map((line) => JSON.parse(line).action)
    assert.deepEqual(actionsFor(now), ['audit_sink.created', 'audit_sink.created'])
    assert.equal(actionsFor(all).filter((action) => action === 'toy.made').length, 30)
  })

  test('is one of three at most, however many are made at once', async () => {
    const owner = await createOwner(core)
    const body = { url: receiver.url }
    const answers = await twenty(() => owner.post('/audit/sinks', body))
    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    assert.deepEqual([count(201), count(409)], [3, 17])
    const { data } = await owner.send('GET', '/audit/sinks')
    assert.equal(data.length, 3)
    await owner.send('DELETE', `/audit/sinks/${data[1].id}`)
    await owner.addSink(receiver.url)
    const one = await owner.post('/audit/sinks', body)
    assert.deepEqual([one.status, one.body.code], [409, 'conflict'])
  })

  test('is changed field by field', async () => {
    const owner = await createOwner(core)
    const { id } = await owner.addSink(receiver.url, { description: 'Old' })
    const change = (body: object) => owner.send('PUT', `/audit/sinks/${id}`, body)
    assert.equal((await change({ description: 'New' })).description, 'New')
    assert.equal((await change({ url: `${receiver.url}?x` })).url, `${receiver.url}?x`)
    const { url, description } = await change({ description: null })
    assert.deepEqual([url, description], [`${receiver.url}?x`, null])
    await change({ description: null })
    assert.equal((await recordsOf(owner, 'audit_sink.updated')).length, 3, 'what changes nothing is not recorded')
  })

  test('of another tenant is not there', async () => {
    const [owner, other] = [await createOwner(core), await createOwner(core)]
    const { id } = await owner.addSink(receiver.url)
    for (const [method, path] of [
      ...(['GET', 'PUT', 'DELETE'] as const).map((method) => [method, ''] as const), // pairs
      ...['/pause', '/resume', '/rotate-secret', '/test'].map((path) => ['POST', path] as const), // as above
    ]) {
      const body = method === 'PUT' ? { description: 'x' } : undefined
      const url = `/audit/sinks/${id}${path}` as const
      assert.equal((await other.request(method, url, { body })).status, 404, `${method} ${path}`)
    }
    assert.deepEqual(await other.send('GET', '/audit/sinks'), { data: [] })
    assert.equal((await owner.send('GET', `/audit/sinks/${id}`)).description, null)
  })

  test('leads to public addresses only, unless the installation says otherwise', async () => {
    const owner = await createOwner(core)
    const { id } = await owner.addSink(receiver.url)
    for (const url of [
      'http://10.0.0.1/',
      'http://[::1]/',
      'http://0xa9fea9fe/',
      'ftp://a.example',
      'https://a:b@c.example',
    ])
      for (const [method, path] of [
        ['POST', ''],
        ['PUT', `/${id}`],
      ] as const) {
        const { status, body } = await owner.request(method, `/audit/sinks${path}`, { body: { url } })
        assert.deepEqual([status, body.errors?.[0]?.pointer], [400, '#/url'], `${method} ${url}`)
      }
  })

  test('is for owners and admins', async () => {
    const owner = await createOwner(core)
    const { data } = await owner.send('GET', '/roles?limit=100')
    const holders = data.filter(({ permissions }: { permissions: string[] }) => permissions.includes('audit.stream'))
    assert.deepEqual(holders.map(({ name }: { name: string }) => name).sort(), ['admin', 'owner'])
  })
})

describe('a secret', () => {
  test('is in no log, no record and no table', async () => {
    const owner = await createOwner(core)
    const { id, secret } = await owner.addSink(`${receiver.url}?key=in-the-query`)
    const rotated = await owner.send('POST', `/audit/sinks/${id}/rotate-secret`)
    await owner.send('POST', `/audit/sinks/${id}/test`)
    receiver.answer(() => 500)
    await sealAndSend(core, owner)
    receiver.answer(() => 200)
    await owner.send('PUT', `/audit/sinks/${id}`, { url: `${receiver.url}?key=another-in-the-query` })
    await owner.send('DELETE', `/audit/sinks/${id}`)
    const records = JSON.stringify(
      await asSuperuser(core, 'select * from audit_logs where tenant_id = $1', [owner.tenantId]),
    )
    const jobs = JSON.stringify(await asSuperuser(core, 'select * from tenant_jobs'))
    for (const each of [secret, rotated.secret]) {
      const bare = each.slice('whsec_'.length)
      for (const text of [records, jobs, core.logs.join('')]) assert.equal(text.includes(bare), false)
    }
    for (const text of [records, jobs, core.logs.join('')]) assert.equal(text.includes('in-the-query'), false)
    const [created] = await recordsOf(owner, 'audit_sink.created')
    assert.partialDeepStrictEqual(created?.new_values, { url: receiver.url, secret: '[redacted]', query: '[redacted]' })
    const [changed] = await recordsOf(owner, 'audit_sink.updated')
    assert.partialDeepStrictEqual(changed?.new_values, { query: '[redacted]' })
  })

  test('is sealed for its sink', async () => {
    const owner = await createOwner(core)
    const { secret, id } = await owner.addSink(receiver.url)
    const [row] = await asSuperuser<{ secret: string }>(core, 'select * from audit_sinks where id = $1', [id])
    const sealed = row?.secret ?? assert.fail('there is no sink')
    assert.equal(core.core.secrets.openText(sealed, `audit_sink:${id}`), secret)
    assert.equal(JSON.stringify(row).includes(secret.slice('whsec_'.length)), false)
  })

  test('that was rotated signs beside the new one for a day', async () => {
    const owner = await createOwner(core)
    const { id, secret: first } = await owner.addSink(receiver.url)
    const next = async () => {
      const before = receiver.received.length
      await recordMany(core, owner.tenantId, 1)
      await sealAndSend(core, owner)
      const [request] = receiver.received.slice(before).filter((each) => each.id.startsWith(id))
      return request ?? assert.fail('nothing came')
    }
    const before = await next()
    assert.deepEqual([before.signatures.split(' ').length, isSignedBy(first, before)], [1, true])

    const { secret: second, previous_expires_at } = await owner.send('POST', `/audit/sinks/${id}/rotate-secret`)
    assert.ok(Math.abs(Date.parse(previous_expires_at) - core.clock.ms() - DAYS) < 60_000)
    assert.notEqual(first, second)
    const during = await next()
    assert.equal(during.signatures.split(' ').length, 2)
    assert.deepEqual([isSignedBy(first, during), isSignedBy(second, during)], [true, true])

    core.clock.advance(DAYS)
    const afterwards = await next()
    assert.deepEqual([isSignedBy(first, afterwards), isSignedBy(second, afterwards)], [false, true])
    assert.equal((await recordsOf(owner, 'audit_sink.secret_rotated')).length, 1)
  })
})

describe('a test', () => {
  test('sends an empty batch that is signed, and tells the answer', async () => {
    const owner = await createOwner(core)
    const { id, secret } = await owner.addSink(receiver.url)
    const before = receiver.received.length
    const probe = () => owner.send('POST', `/audit/sinks/${id}/test`)
    assert.deepEqual(await probe(), { ok: true, status: 200, error: null })
    receiver.answer(() => 401)
    assert.deepEqual(await probe(), { ok: false, status: 401, error: 'The server answered 401' })
    receiver.answer(() => 302)
    assert.deepEqual(await probe(), { ok: false, status: 302, error: 'The server answered 302' })
    receiver.answer(() => 200)
    const probes = receiver.received.slice(before)
    assert.deepEqual(
      probes.map((each) => [each.body, isSignedBy(secret, each)]),
      [1, 2, 3].map(() => ['', true]),
    )
    assert.equal(new Set(probes.map((each) => each.id)).size, 3)
    await owner.send('PUT', `/audit/sinks/${id}`, { url: 'http://127.0.0.1:9/' })
    assert.deepEqual(await probe(), { ok: false, status: null, error: 'The server refuses connections' })
    assert.equal((await owner.send('GET', `/audit/sinks/${id}`)).last_error, null, 'it changes nothing')
  })
})
