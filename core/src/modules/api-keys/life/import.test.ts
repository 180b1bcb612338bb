import assert, { partialDeepStrictEqual as has } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sha256 } from '#kernel'
import { createTestCore, type TestCore, type TestTenant } from '../../../testing/index.ts'
import { makeKey, outcome, pointersOf, recordsOf } from '../api-keys.fixture.ts'

let t: TestCore
let tenant: TestTenant
let other: TestTenant
before(async () => {
  t = await createTestCore()
  tenant = await t.foundTenant({ plan: 'business' })
  other = await t.foundTenant({ plan: 'business' })
})
after(() => t.close())

const foreignKey = () => `sk_${randomBytes(24).toString('base64url')}`
const hashOf = (key: string) => sha256(key).toString('hex')
const wish = (key: string, more: object = {}) => ({ name: 'Old', hash: hashOf(key), scopes: ['store.view'], ...more })
const importKeys = (keys: object[], who = tenant.owner) => who.post('/api-keys/import', { keys })

describe('an imported key', () => {
  test('goes on working as its customer has it, in either header', async () => {
    const [key, dotted] = [foreignKey(), `SG.${foreignKey()}.x`]
    const { status, body } = await importKeys([wish(key, { key_prefix: 'sk_live' }), wish(dotted)])
    assert.equal(status, 201)
    has(body.data, [
      { key_prefix: 'sk_live', created_by: tenant.owner.userId },
      { key_prefix: hashOf(dotted).slice(0, 8) },
    ])
    assert.equal(await outcome(t, key), '200')
    const send = (value: string) => t.request('GET', '/api/v1/stores', { headers: { 'x-api-key': value } })
    assert.deepEqual([(await send(key)).status, (await send(dotted)).status], [200, 200])
    assert.equal((await send(`${key}x`)).status, 401)
    const actions = (await recordsOf(tenant, body.data[0].id)).map(({ action }) => action)
    assert.deepEqual(actions, ['api_key.imported'])
    await tenant.owner.delete(`/api-keys/${body.data[0].id}`)
    assert.equal(await outcome(t, key), '401 invalid_api_key')
  })

  test('is taken once, whoever has it, and nobody is told who', async () => {
    const [key, mine, theirs] = [foreignKey(), foreignKey(), foreignKey()]
    assert.equal((await importKeys([wish(mine)])).status, 201)
    assert.equal((await importKeys([wish(theirs)], other.owner)).status, 201)
    const [own, foreign] = [await importKeys([wish(key), wish(mine)]), await importKeys([wish(key), wish(theirs)])]
    assert.deepEqual([own.status, foreign.status], [409, 409])
    const said = ({ body: { request_id: _, ...rest } }: typeof own) => rest
    assert.deepEqual(said(own), said(foreign))
    assert.deepEqual(pointersOf(own), ['#/keys/1/hash'])
    assert.equal(await outcome(t, key), '401 invalid_api_key', 'all or none')
  })

  test('is never a key that we made: whoever imports its hash gets nothing of it', async () => {
    const { id, key } = await makeKey(tenant.owner)
    assert.equal((await importKeys([wish(key)], other.owner)).status, 409)
    await t.core.db.systemQuery('delete from api_key_hashes where api_key_id = $1 returning 1', [id])
    assert.equal((await importKeys([wish(key)], other.owner)).status, 201)
    const fresh = await createTestCore({ database: t.database })
    assert.equal(await outcome(fresh, key), '401 invalid_api_key')
    await fresh.close()
  })

  test('is refused with all that is wrong, in every one of them', async () => {
    const key = foreignKey()
    const answer = await importKeys([
      wish(key),
      wish(key, { scopes: ['nothing', 'user.create'] }),
      wish(foreignKey(), { expires_at: '2001-01-01T00:00:00Z', allowed_cidrs: ['x'] }),
    ])
    assert.equal(answer.status, 400)
    assert.deepEqual(pointersOf(answer), [
      '#/keys/1/hash',
      '#/keys/1/scopes/0',
      '#/keys/1/scopes/1',
      '#/keys/2/allowed_cidrs/0',
      '#/keys/2/expires_at',
    ])
    for (const hash of ['', 'x'.repeat(64), 'a'.repeat(63), 'a'.repeat(65)])
      assert.deepEqual(pointersOf(await importKeys([{ ...wish(key), hash }])), ['#/keys/0/hash'])
    assert.equal((await importKeys([])).status, 400)
    assert.equal((await importKeys(Array.from({ length: 101 }, () => wish(foreignKey())))).status, 400)
  })

  test('holds no more than whoever imports it, and counts towards the plan', async () => {
    const little = await tenant.member({ permissions: ['api_key.create'] })
    const { status, body } = await importKeys([wish(foreignKey())], little)
    assert.deepEqual([status, body.permission], [403, 'store.view'])
    const small = await t.foundTenant({ plan: 'free' })
    const three = [foreignKey(), foreignKey(), foreignKey()]
    assert.equal(
      (
        await importKeys(
          three.map((key) => wish(key)),
          small.owner,
        )
      ).status,
      402,
    )
    assert.equal(
      (
        await importKeys(
          three.slice(1).map((key) => wish(key)),
          small.owner,
        )
      ).status,
      201,
    )
  })

  test('is taken once by twenty who import it at once', async () => {
    const keys = [foreignKey(), foreignKey(), foreignKey()].map((key) => wish(key))
    const people = await Promise.all([tenant.owner.token(), other.owner.token()])
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        t.request('POST', '/api/v1/api-keys/import', {
          token: people[index % 2],
          body: { keys: index % 3 ? keys : keys.toReversed() },
        }),
      ),
    )
    const counts = Object.groupBy(answers, ({ status }) => String(status))
    assert.deepEqual([counts['201']?.length, counts['409']?.length], [1, 19])
  })
})
