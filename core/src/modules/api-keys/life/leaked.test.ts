import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { sha256 } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { makeKey, outcome, recordsOf } from '../api-keys.fixture.ts'

let t: TestCore
let tenant: TestTenant
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const NEVER = 'tk_live_00000000_000000000000000000000000000000003dy4zX'
const report = (payload: unknown, type = 'application/json') =>
  t.request('POST', '/api/v1/api-keys/leaked', {
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
    headers: { 'content-type': type },
  })
async function asSuperuser(statement: string): Promise<void> {
  const superuser = new pg.Client({ connectionString: t.database.superuserUrl })
  await superuser.connect()
  await superuser.query(statement)
  await superuser.end()
}
const hashOf = (token: string) => sha256(token).toString('hex')

describe('a report of a secret scanner', () => {
  test('revokes the key, records it and tells the owners', async () => {
    const second = await tenant.member({ role: 'owner' })
    const { id, key } = await makeKey(tenant.owner, { name: 'Till' })
    assert.equal(await outcome(t, key), '200')
    const url = 'https://github.com/octocat/hello/blob/main/.env'
    const { status, body } = await report([{ token: key, type: 'tenantry', url, source: 'content', more: 1 }])
    assert.equal(status, 200)
    assert.deepEqual(body, [{ token_hash: hashOf(key), token_type: 'tenantry', label: 'true_positive' }])
    assert.equal(await outcome(t, key), '401 invalid_api_key')
    const [, leaked] = await recordsOf(tenant, id)
    has(leaked, {
      action: 'api_key.leaked',
      actor_type: 'user',
      actor_id: null,
      new_values: { source: 'content', url },
    })
    await t.drainJobs(tenant.id)
    for (const { email } of [tenant.owner, second]) {
      const [mail] = await t.mails(email)
      assert.match(mail?.subject ?? '', /was found in public and revoked/)
      assert.ok(mail?.text.includes('Till'))
    }
  })

  test('tells of anything else that it is none, and nothing more', async () => {
    const { key } = await makeKey(tenant.owner)
    const tokens = [NEVER, `${key.slice(0, -1)}_`, key.slice(0, 40), await tenant.owner.token(), 'x', `${key} `]
    const { body } = await report(tokens.map((token) => ({ token, type: 't' })))
    assert.deepEqual(
      body,
      tokens.map((token) => ({ token_hash: hashOf(token), token_type: 't', label: 'false_positive' })),
    )
    assert.equal(await outcome(t, key), '200')
  })

  test('of several, twice and in two tenants, ends each once', async () => {
    const other = await t.foundTenant()
    const [one, two] = [await makeKey(tenant.owner), await makeKey(other.owner)]
    const reports = [one.key, two.key, one.key, NEVER].map((token) => ({ token, type: 't' }))
    await Promise.all([report(reports), report(reports.toReversed())])
    const { body } = await report(reports)
    assert.deepEqual(
      body.map(({ label }: { label: string }) => label),
      ['true_positive', 'true_positive', 'true_positive', 'false_positive'],
    )
    for (const [where, { id }] of [
      [tenant, one],
      [other, two],
    ] as const) {
      const actions = (await recordsOf(where, id)).map(({ action }) => action)
      assert.deepEqual(actions, ['api_key.created', 'api_key.leaked'])
    }
  })

  test('of an imported key is one too', async () => {
    const key = `sk_${'f'.repeat(30)}`
    await tenant.owner.post('/api-keys/import', { keys: [{ name: 'Old', hash: hashOf(key), scopes: ['store.view'] }] })
    has((await report([{ token: key, type: 't' }])).body, [{ label: 'true_positive' }])
    assert.equal(await outcome(t, key), '401 invalid_api_key')
  })

  test('revokes whatever is said of where it was found, however that is cut', async () => {
    for (const found of [{ url: `${'h'.repeat(499)}😀` }, { source: `${'s'.repeat(99)}😀` }]) {
      const { id, key } = await makeKey(tenant.owner)
      assert.equal((await report([{ token: key, type: 't', ...found }])).status, 200)
      assert.equal(await outcome(t, key), '401 invalid_api_key')
      const [, leaked] = await recordsOf(tenant, id)
      assert.equal(leaked?.action, 'api_key.leaked')
    }
  })

  test('revokes the others when it fails for one, and says then that it failed', async () => {
    const other = await t.foundTenant()
    // In whichever order they are revoked, one comes after the one that fails.
    const [first, held, last] = [await makeKey(tenant.owner), await makeKey(other.owner), await makeKey(tenant.owner)]
    const reports = [first, held, last].map(({ key }) => ({ token: key, type: 't' }))
    await asSuperuser(`alter table core.api_keys add constraint stays check (id <> '${held.id}' or revoked_at is null)`)
    const failed = await report(reports)
    await asSuperuser('alter table core.api_keys drop constraint stays')
    assert.equal(failed.status, 400)
    assert.deepEqual([await outcome(t, first.key), await outcome(t, last.key)], Array(2).fill('401 invalid_api_key'))
    assert.equal((await report(reports)).status, 200)
    assert.equal(await outcome(t, held.key), '401 invalid_api_key')
  })

  test('names a key that is gone with its tenant, and revokes the others', async () => {
    const other = await t.foundTenant()
    const [gone, here] = [await makeKey(other.owner), await makeKey(tenant.owner)]
    await asSuperuser(`delete from core.api_keys where id = '${gone.id}'`)
    assert.equal((await report([gone, here].map(({ key }) => ({ token: key, type: 't' })))).status, 200)
    assert.equal(await outcome(t, here.key), '401 invalid_api_key')
  })

  test('is bounded and strict, and leaves no token in the log', async () => {
    const { key } = await makeKey(tenant.owner)
    const many = Array.from({ length: 101 }, () => ({ token: key }))
    const wrong: unknown[] = [
      many,
      [],
      {},
      [{}],
      [{ token: 1 }],
      [{ token: 'x'.repeat(1_001) }],
      'no json',
      '[',
      'null',
    ]
    for (const each of wrong) assert.equal((await report(each)).status, 400, JSON.stringify(each)?.slice(0, 50))
    assert.equal((await report([{ token: key }], 'text/plain')).status, 415)
    assert.equal((await report(`[{"token":"${'x'.repeat(200_000)}"}]`)).status, 413)
    assert.equal(await outcome(t, key), '200', 'nothing of that has revoked it')
    await report([{ token: key }])
    assert.deepEqual(
      t.logs.filter((line) => line.includes(key.slice(17))),
      [],
    )
  })
})
