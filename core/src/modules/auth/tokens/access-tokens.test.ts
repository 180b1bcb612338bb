import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { after, afterEach, before, describe, test } from 'node:test'
import { newId } from '#kernel'
import { TEST_SECRET } from '../../../testing/core.ts'
import type { TestCore } from '../../../testing/index.ts'
import { createAuthCore, login, type Person, refresh, register, statusOf } from '../auth.fixture.ts'
import { keyRing } from './key-ring.ts'
import { renewSigningKey, rotateSigningKey } from './key-rotation.ts'

let t: TestCore
let person: Person
before(async () => {
  t = await createAuthCore()
  person = await register(t)
})
after(() => t?.close())
afterEach(() => t.clock.start())

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
const partsOf = (token: string) => {
  const [header, claims] = token.split('.')
  return { header: decode(header), claims: decode(claims) }
}
const jwks = async () => (await t.request('GET', '/.well-known/jwks.json')).body.keys

/** A token with whatever header and claims, signed by the core's own key. */
async function ours(header: object, claims: object): Promise<string> {
  const [row] = await t.core.db.systemQuery<{ id: string; private_sealed: string }>(
    'select id, private_sealed from signing_keys order by generation desc limit 1',
  )
  const pem = t.core.secrets.openText(row!.private_sealed, `signing_key:${row!.id}`)
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign(null, Buffer.from(input), pem).toString('base64url')}`
}

function signedBy(key: KeyObject, header: object, claims: object): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

test('an access token has the claims and header that other services verify it by', async () => {
  const { header, claims } = partsOf(person.token)
  const { kid, ...rest } = header
  assert.deepEqual(rest, { alg: 'EdDSA', typ: 'at+jwt' })
  const { sid, iat, exp, ...who } = claims
  const { publicUrl } = t.core.config.http
  assert.deepEqual(who, { sub: person.userId, tid: person.tenantId, iss: publicUrl, aud: publicUrl })
  assert.equal(exp - iat, 600)
  assert.equal(typeof sid, 'string')
  const answer = await t.request('GET', '/.well-known/jwks.json')
  assert.equal(answer.headers['cache-control'], 'public, max-age=300')
  assert.deepEqual(Object.keys(answer.body.keys[0]).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  assert.equal(answer.body.keys[0].kid, kid)
})

test('a token is refused unless it is ours in every respect', async () => {
  const { header, claims } = partsOf(person.token)
  const [key] = await jwks()
  const pem = createPublicKey({ key: { kty: key.kty, crv: key.crv, x: key.x }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString()
  const hmac = (secret: string | Buffer) => {
    const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const foreign = generateKeyPairSync('ed25519')
  const [head = '', body = '', signature = ''] = person.token.split('.')
  const later = { ...claims, exp: claims.exp + 86_400 }
  const attacks: Record<string, string> = {
    'no signature, alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'alg None': `${encode({ ...header, alg: 'None' })}.${body}.`,
    'no algorithm': `${encode({ typ: 'at+jwt', kid: header.kid })}.${body}.${signature}`,
    'HS256 with the public PEM as secret': hmac(pem),
    'HS256 with the raw public key as secret': hmac(Buffer.from(key.x, 'base64url')),
    'HS256 with the text of the JWK as secret': hmac(JSON.stringify(key)),
    'a foreign key under our kid': signedBy(foreign.privateKey, header, claims),
    'a foreign key under its own kid': signedBy(foreign.privateKey, { ...header, kid: newId() }, claims),
    'a foreign key in the header': signedBy(
      foreign.privateKey,
      { ...header, jwk: foreign.publicKey.export({ format: 'jwk' }), jku: 'https://evil.example/jwks.json' },
      claims,
    ),
    'no kid': await ours({ alg: 'EdDSA', typ: 'at+jwt' }, claims),
    'a kid that is no id': await ours({ ...header, kid: "' or 1=1" }, claims),
    'another type': await ours({ ...header, typ: 'JWT' }, claims),
    'no type': await ours({ alg: 'EdDSA', kid: header.kid }, claims),
    'the type of a challenge': await ours({ ...header, typ: 'tfc+jwt' }, claims),
    'a critical extension': await ours({ ...header, crit: ['exp'] }, claims),
    'another issuer': await ours(header, { ...claims, iss: 'https://evil.example' }),
    'no issuer': await ours(header, { ...claims, iss: undefined }),
    'another audience': await ours(header, { ...claims, aud: 'https://evil.example' }),
    'several audiences': await ours(header, { ...claims, aud: [claims.aud, 'https://evil.example'] }),
    'no expiry': await ours(header, { ...claims, exp: undefined }),
    'an expiry as text': await ours(header, { ...claims, exp: '9999999999' }),
    'a subject that is no id': await ours(header, { ...claims, sub: 'admin' }),
    'no session': await ours(header, { ...claims, sid: undefined }),
    'no tenant claim': await ours(header, { ...claims, tid: undefined }),
    'changed claims': `${head}.${encode(later)}.${signature}`,
    'claims that are no object': `${head}.${encode([1])}.${signature}`,
    'a cut signature': person.token.slice(0, -1),
    'another spelling of the signature': person.token.slice(0, -1) + nextCharacter(person.token.at(-1)),
    'half a token': person.token.slice(0, person.token.length / 2),
    'two parts': `${head}.${body}`,
    'four parts': `${person.token}.${signature}`,
    'two tokens': `${person.token}.${person.token}`,
    padding: `${person.token}=`,
    'nothing but dots': '..',
    'a header of garbage': `e30garbage.${body}.${signature}`,
    'a header of null': `${encode(null)}.${body}.${signature}`,
  }
  for (const [name, token] of Object.entries(attacks))
    assert.equal(await statusOf(t, token), '401 invalid_access_token', name)
  assert.equal(await statusOf(t, await ours(header, claims)), 200, 'the forge of this test itself works')
})

// The last character carries two bits of the signature and four that nobody reads.
function nextCharacter(last = ''): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(last) + 1)
}

test('a token of one person says nothing about the session of another', async () => {
  const { header, claims } = partsOf(person.token)
  const other = await register(t)
  const mixed = await ours(header, { ...claims, sub: other.userId })
  assert.equal(await statusOf(t, mixed), '401 session_revoked')
  const elsewhere = await ours(header, { ...claims, tid: other.tenantId })
  assert.equal(await statusOf(t, elsewhere), '401 session_revoked')
  const unknown = await ours(header, { ...claims, sid: newId() })
  assert.equal(await statusOf(t, unknown), '401 session_revoked')
})

test('headers that are doubled or malformed are refused', async () => {
  const send = (authorization: string) => t.request('GET', '/api/v1/users/me', { headers: { authorization } })
  for (const value of [
    'Bearer',
    'Bearer ',
    `Basic ${person.token}`,
    `Bearer ${person.token} x`,
    `Bearer ${person.token},Bearer x`,
  ]) {
    const answer = await send(value)
    assert.equal(answer.status, 401, value)
  }
  assert.equal((await send(`bearer ${person.token}`)).status, 200)
})

test('an unknown kid makes the keys be read anew at most once every few seconds', async () => {
  const reads: string[] = []
  const stop = t.core.db.observe((sql) => {
    if (sql.includes('signing_keys')) reads.push(sql)
  })
  const foreign = generateKeyPairSync('ed25519')
  const { header, claims } = partsOf(person.token)
  t.clock.advance(6_000)
  t.clock.stop()
  for (let i = 0; i < 10; i++) {
    const token = signedBy(foreign.privateKey, { ...header, kid: newId() }, claims)
    assert.equal(await statusOf(t, token), '401 invalid_access_token')
  }
  stop()
  assert.equal(reads.length, 1)
})

test('an expired token is told apart, to the second', async () => {
  t.clock.stop()
  const { body } = await login(t, person.email)
  // Lives are counted from the full second before.
  t.clock.advance(599_000)
  assert.equal(await statusOf(t, body.access_token), 200)
  t.clock.advance(1_000)
  assert.equal(await statusOf(t, body.access_token), '401 access_token_expired')
  person = await register(t)
})

test('a new key is published before it signs, and the old one until its last token is dead', async () => {
  t.clock.stop()
  const [first] = await jwks()
  await t.core.run((ctx) => rotateSigningKey(ctx), { role: 'system' })
  await t.core.use(keyRing).reload()
  const [, second] = await jwks()
  assert.ok(second, 'both are published')
  const kidOf = async () => partsOf((await login(t, person.email)).body.access_token).header.kid
  assert.equal(await kidOf(), first.kid)
  t.clock.advance(599_000)
  const last = (await login(t, person.email)).body.access_token
  assert.equal(partsOf(last).header.kid, first.kid)
  t.clock.advance(2_000)
  assert.equal(await kidOf(), second.kid)
  assert.equal(await statusOf(t, last), 200)
  t.clock.advance(590_000)
  assert.equal(await statusOf(t, last), 200)
  // The longest life is that of a token by which an operator acts as somebody else.
  t.clock.advance(700_000)
  assert.deepEqual(
    (await jwks()).map((key: { kid: string }) => key.kid),
    [second.kid],
  )
  assert.equal(await statusOf(t, last), '401 invalid_access_token')
  person = await register(t)
})

test('a month-old key is followed by a new one, once, however many processes ask', async () => {
  const count = async () => (await t.core.db.systemQuery('select 1 from signing_keys')).length
  const before = await count()
  await t.core.run(renewSigningKey, { role: 'system' })
  assert.equal(await count(), before)
  t.clock.advance(30 * 86_400_000)
  await Promise.all(Array.from({ length: 5 }, () => t.core.run(renewSigningKey, { role: 'system' })))
  assert.equal(await count(), before + 1)
  person = await register(t)
})

test('after a compromise earlier tokens are worth nothing, while sessions go on by refreshing', async () => {
  assert.equal(await statusOf(t, person.token), 200)
  await t.core.run((ctx) => rotateSigningKey(ctx, { compromised: true }), { role: 'system' })
  await t.core.use(keyRing).reload()
  assert.equal(await statusOf(t, person.token), '401 invalid_access_token')
  const answer = await refresh(t, person.refreshToken)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(await statusOf(t, answer.body.access_token), 200)
})

test('processes that start together agree on the first key, and one learns the keys of the other', async () => {
  const one = await createAuthCore()
  const two = await createAuthCore({ database: one.database })
  try {
    const [a, b] = await Promise.all([register(one), register(two)])
    const keys = await one.core.db.systemQuery('select 1 from signing_keys')
    assert.equal(keys.length, 1)
    assert.deepEqual([await statusOf(two, a.token), await statusOf(one, b.token)], [200, 200])
    await one.core.run((ctx) => rotateSigningKey(ctx, { compromised: true }), { role: 'system' })
    await one.core.use(keyRing).reload()
    const fresh = (await login(one, a.email)).body.access_token
    two.clock.advance(6_000)
    assert.equal(await statusOf(two, fresh), 200)
  } finally {
    await two.close()
    await one.close()
  }
})

const NEW_SECRET = 'another-secret-of-the-tests-0123456789-abcdefghijklmnop'

/** A process on the same database with another APP_SECRET, while one with the first is there. */
async function withSecret(env: Record<string, string>, work: (one: TestCore, two: TestCore) => Promise<void>) {
  const one = await createAuthCore()
  const two = await createAuthCore({ database: one.database, env: { APP_SECRET: NEW_SECRET, ...env } })
  try {
    await work(one, two)
  } finally {
    await two.close()
    await one.close()
  }
}

const kidsOf = async (core: TestCore): Promise<string[]> => {
  const { body } = await core.request('GET', '/.well-known/jwks.json')
  return body.keys.map(({ kid }: { kid: string }) => kid)
}

test('with APP_SECRET_PREVIOUS what was signed before is still good, and signing goes on with the same key', () =>
  withSecret({ APP_SECRET_PREVIOUS: TEST_SECRET }, async (one, two) => {
    const before = await register(one)
    assert.equal(await statusOf(two, before.token), 200)
    const after = await register(two)
    assert.equal(await statusOf(one, after.token), 200)
    assert.equal(partsOf(before.token).header.kid, partsOf(after.token).header.kid)
  }))

test('under an APP_SECRET that knows nothing of the one before sign-ins go on with a new key, and it alone counts', () =>
  withSecret({}, async (one, two) => {
    const before = await register(one)
    assert.equal(await statusOf(two, before.token), '401 invalid_access_token')
    const after = await register(two)
    assert.equal(await statusOf(two, after.token), 200)
    const { kid } = partsOf(after.token).header
    assert.notEqual(partsOf(before.token).header.kid, kid)
    assert.deepEqual(await kidsOf(two), [kid])
    assert.equal((await refresh(two, before.refreshToken)).status, 200, 'sessions go on by their refresh tokens')
  }))

describe('a key that somebody wrote into the database', () => {
  const mine = generateKeyPairSync('ed25519')
  const publicJwk = JSON.stringify(mine.publicKey.export({ format: 'jwk' }))
  const insert = (changes: string) => `
    insert into signing_keys (id, generation, alg, public_jwk, private_sealed, created_at, not_before, retire_at, mac)
    select $1, generation + 1, alg, $2::jsonb, private_sealed, created_at, not_before, retire_at, ${changes}
    from signing_keys order by generation desc limit 1`
  const FORGERIES: [what: string, sql: string][] = [
    ['without a proof', insert('null')],
    ['with the proof of another key', insert('mac')],
    ['with a proof of its own', insert("repeat('A', 43)")],
    ['under the name of a genuine one', 'update signing_keys set public_jwk = $2::jsonb where $1::uuid is not null'],
  ]

  for (const [what, sql] of FORGERIES)
    test(`${what} verifies nothing and is not published`, async () => {
      const core = await createAuthCore()
      try {
        const owner = await register(core)
        const genuine = await kidsOf(core)
        const kid = sql.startsWith('update') ? (genuine[0] ?? '') : newId()
        await core.core.db.systemQuery(sql, [kid, publicJwk])
        core.clock.advance(61_000)
        await core.core.use(keyRing).reload()
        const { header, claims } = partsOf(owner.token)
        const forged = signedBy(mine.privateKey, { ...header, kid }, claims)
        assert.equal(await statusOf(core, forged), '401 invalid_access_token')
        const { body } = await core.request('GET', '/.well-known/jwks.json')
        assert.ok(!JSON.stringify(body).includes(JSON.parse(publicJwk).x))
        assert.ok(core.logs.some((line) => line.includes('not authenticated by APP_SECRET')))
        assert.equal((await refresh(core, owner.refreshToken)).status, 200, 'sign-ins go on')
      } finally {
        await core.close()
      }
    })

  test('by which a retired key would live on makes it worth nothing', async () => {
    const core = await createAuthCore()
    try {
      const owner = await register(core)
      await core.core.run((ctx) => rotateSigningKey(ctx, { compromised: true }), { role: 'system' })
      await core.core.db.systemQuery('update signing_keys set retire_at = null')
      await core.core.use(keyRing).reload()
      assert.equal(await statusOf(core, owner.token), '401 invalid_access_token')
      assert.ok(!(await kidsOf(core)).includes(partsOf(owner.token).header.kid))
    } finally {
      await core.close()
    }
  })
})
