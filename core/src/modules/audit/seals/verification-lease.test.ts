import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { MINUTES, SECONDS } from '#kernel'
import type { TestCore } from '../../../testing/index.ts'
import { until } from '../../../testing/until.ts'
import type { Person } from '../../auth/auth.fixture.ts'
import { asSuperuser, createAuditCore } from '../audit.fixture.ts'
import { foundWithRecords, sealAndComplete } from './seal.fixture.ts'
import { forgetVerdict, rightAfter, tamperingWith } from './verify.fixture.ts'

const VERIFY = '/api/v1/audit/verify'

let core: TestCore
let second: TestCore
let person: Person
before(async () => {
  core = await createAuditCore()
  second = await createAuditCore({ database: core.database })
  person = await foundWithRecords(core, 5_000)
  await sealAndComplete(core, person.tenantId)
})
after(async () => {
  await second.close()
  await core.close()
})

const verify = (by = core, query = '', { token } = person) => by.request('GET', VERIFY + query, { token })
const lease = async () => {
  const rows = await asSuperuser(core, 'select locked_by, verdict from audit_verifications where tenant_id = $1', [
    person.tenantId,
  ])
  return rows[0]?.locked_by ?? null
}

describe('the check of a chain', () => {
  test('runs once at a time, however many ask in however many processes', async () => {
    await forgetVerdict(core, person.tenantId)
    const answers = await Promise.all(Array.from({ length: 24 }, (_, n) => verify(n % 2 ? core : second)))
    const [done, refused] = [200, 429].map((status) => answers.filter((answer) => answer.status === status))
    assert.equal((done?.length ?? 0) + (refused?.length ?? 0), 24)
    const times = new Set(done?.map(({ body }) => body.verified_at))
    assert.equal(times.size, 1, 'all answers are of one check')
    for (const { body, headers } of refused ?? []) {
      assert.equal(body.code, 'rate_limited')
      assert.equal(headers['retry-after'], '5')
    }
    assert.equal((await verify()).body.verified_at, [...times][0])
    assert.equal(await lease(), null)
  })

  test('is answered with what was found for five minutes, which says how old it is', async () => {
    await forgetVerdict(core, person.tenantId)
    const first = (await verify()).body
    assert.equal(first.valid, true)
    const tools = tamperingWith(core)
    const [record] = await asSuperuser<{ id: string }>(core, 'select id from audit_logs where tenant_id = $1 limit 1', [
      person.tenantId,
    ])
    await tools.insert(person.tenantId, rightAfter(record?.id))
    assert.deepEqual((await verify()).body, first)
    core.clock.advance(5 * MINUTES)
    const later = (await verify()).body
    assert.equal(later.first_invalid?.problem, 'inserted')
    assert.ok(later.verified_at > first.verified_at)
    await tools.remove(person.tenantId, [rightAfter(record?.id)])
    core.clock.advance(5 * MINUTES)
    assert.equal((await verify()).body.valid, true)
  })

  test('of another period is another check', async () => {
    const all = (await verify()).body
    const none = (await verify(core, '?to=2020-01-01T00:00:00Z')).body
    assert.deepEqual([all.checked > 0, none.checked], [true, 0])
    assert.equal((await verify(core, '?to=never')).status, 400)
  })

  test('is not answered with what somebody else wrote there', async () => {
    const other = await foundWithRecords(core, 1)
    await sealAndComplete(core, other.tenantId)
    const { body } = await verify(core, '', other)
    await tamperingWith(core).change(person.tenantId, await firstId())
    for (const verdict of [
      '(select verdict from audit_verifications where tenant_id <> $1 and verdict is not null limit 1)',
      `'${JSON.stringify({ of: [null, null], answer: { ...body, checked: 5_000 } })}'`,
    ]) {
      await forgetVerdict(core, person.tenantId)
      await asSuperuser(
        core,
        `insert into audit_verifications (tenant_id, id, verdict, created_at, updated_at) values ($1, $1, ${verdict}, now(), now())`,
        [person.tenantId],
      )
      assert.equal((await verify()).body.first_invalid?.problem, 'changed')
    }
  })

  test('that a process died over keeps others waiting for a minute', async () => {
    await forgetVerdict(core, person.tenantId)
    await asSuperuser(
      core,
      `insert into audit_verifications (tenant_id, id, locked_by, locked_until, created_at, updated_at) values ($1, $1, $1, $2, now(), now())`,
      [person.tenantId, new Date(core.clock.ms() + 60 * SECONDS).toISOString()],
    )
    assert.equal((await verify()).status, 429)
    core.clock.advance(61 * SECONDS)
    assert.equal((await verify()).status, 200)
  })

  test('is kept by no lease of a clock that was ahead', async () => {
    await forgetVerdict(core, person.tenantId)
    await asSuperuser(
      core,
      `insert into audit_verifications (tenant_id, id, locked_by, locked_until, created_at, updated_at) values ($1, $1, $1, '2100-01-01', now(), now())`,
      [person.tenantId],
    )
    assert.equal((await verify()).status, 200)
  })

  test('ends when nobody waits for it any more, and another may begin', async () => {
    await forgetVerdict(core, person.tenantId)
    await core.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = core.app.server.address() as AddressInfo // it listens on a port
    const headers = { authorization: `Bearer ${person.token}` }
    for (const method of ['GET', 'HEAD']) {
      const request = get({ port, host: '127.0.0.1', path: VERIFY, method, headers, agent: false })
      request.on('error', () => {}) // it is broken off
      const [answer] = await once(request, 'response')
      assert.equal(answer.statusCode, 200)
      request.destroy()
      await until('the check is given up', async () => (await lease()) === null)
      await forgetVerdict(core, person.tenantId)
    }
    assert.equal((await verify()).status, 200)
  })
})

async function firstId(): Promise<string | undefined> {
  const sql = "select id from audit_logs where tenant_id = $1 and action = 'toy.made' order by id limit 1"
  return (await asSuperuser<{ id: string }>(core, sql, [person.tenantId]))[0]?.id
}
