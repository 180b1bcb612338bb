import assert from 'node:assert/strict'
import { createPublicKey, verify as verifyText } from 'node:crypto'
import { describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { isSigned, type SignedMessage, signatureHeaders } from './signing.ts'
import { newSigningKeyPair, newSigningSecret, publicKeyOf, signatureKindOf } from './signing-keys.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwCwI1Q2T6yGE='
const verify = (secret: string, body: string, headers: Record<string, string>) =>
  new Webhook(secret).verify(body, headers, { jsonParse: false })

describe('a signature', () => {
  test('is the one that others reckon', () => {
    // By `openssl dgst -sha256 -mac HMAC` over the bytes `msg_1.1700000000.{"a":1}`.
    assert.deepEqual(signatureHeaders({ id: 'msg_1', body: '{"a":1}' }, [SECRET], 1_700_000_000_999), {
      'webhook-id': 'msg_1',
      'webhook-timestamp': '1700000000',
      'webhook-signature': 'v1,yrEE0pCg5Odq84IBYtvWr6y8Rdnaq/abwJl3MsR2GQA=',
    })
  })

  test('is taken by a library for receivers, for each of the secrets and these bytes alone', () => {
    const secrets = [newSigningSecret(), newSigningSecret()]
    for (const body of ['', 'plain', '{"ä":"\u{1f600}"}\n', 'x'.repeat(100_000)]) {
      const now = Date.now()
      const headers = signatureHeaders({ id: 'a_1-b', body }, secrets, now)
      assert.deepEqual(signatureHeaders({ id: 'a_1-b', body: Buffer.from(body) }, secrets, now), headers)
      for (const secret of secrets) verify(secret, body, headers)
      assert.throws(() => verify(newSigningSecret(), body, headers))
      assert.throws(() => verify(SECRET, body, headers))
      assert.throws(() => verify(secrets[0] ?? '', `${body} `, headers))
      assert.throws(() => verify(secrets[0] ?? '', body, { ...headers, 'webhook-id': 'a_1-c' }))
    }
  })

  test('is of an id that can be read in one way only', () => {
    for (const id of ['', 'a.1', 'a b', 'a\nb', 'ä'])
      assert.throws(() => signatureHeaders({ id, body: '' }, [SECRET], 0), /id of a message/)
  })

  test('is by no secret of another form, whichever stands beside it', () => {
    const signs = (secret: string) => signatureHeaders({ id: 'a', body: '' }, [SECRET, secret], 0)
    for (const secret of ['', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', PUBLIC_KEY, PRIVATE_KEY.toUpperCase()]) {
      assert.throws(() => signs(secret), /begins with whsec_ or whsk_/)
      assert.throws(() => signatureKindOf(secret), /begins with whsec_ or whsk_/)
    }
    for (const secret of ['whsec_', 'whsec_no base64']) assert.throws(() => signs(secret), /whsec_ and base64/)
    for (const secret of ['whsk_', 'whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `${PRIVATE_KEY}AA==`])
      assert.throws(() => signs(secret), /whsk_ and 32 bytes/)
  })
})

/** The bytes 1 to 32. */
const PRIVATE_KEY = 'whsk_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA='
const PUBLIC_KEY = 'whpk_ebVWLo/mVPlAeLES6KmLp5AfhTrmlb7X4OORC60ElmQ='

/** Checks a signature of `v1a` as a receiver would that has no code of ours. */
function verifyByKey(publicKey: string, { id, body }: { id: string; body: string }, timestamp: string, part: string) {
  const x = Buffer.from(publicKey.slice('whpk_'.length), 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  assert.match(part, /^v1a,[A-Za-z0-9+/]{86}==$/)
  return verifyText(null, Buffer.from(`${id}.${timestamp}.${body}`), key, Buffer.from(part.slice(4), 'base64'))
}

describe('a signature by a private key', () => {
  test('is the one that others reckon', () => {
    // By `openssl pkeyutl -sign -rawin` over the bytes `msg_1.1700000000.{"a":1}`; the public key by `openssl pkey`.
    const headers = signatureHeaders({ id: 'msg_1', body: '{"a":1}' }, [PRIVATE_KEY], 1_700_000_000_999)
    const made = 'AB/LMJbSwc35ATf1WuKuqpMgqg+80rKxRdRAv12fAhrtF5ndlLV+3JJl3zzx3cWF35RqcWq/YzgQhmEfFMBhCw=='
    assert.equal(headers['webhook-signature'], `v1a,${made}`)
    assert.equal(publicKeyOf(PRIVATE_KEY), PUBLIC_KEY)
  })

  test('is taken with the public key, for these bytes alone', () => {
    const { secret, publicKey } = newSigningKeyPair()
    for (const body of ['', 'plain', '{"ä":"\u{1f600}"}\n', 'x'.repeat(100_000)]) {
      const now = Date.now()
      const headers = signatureHeaders({ id: 'a_1-b', body }, [secret], now)
      assert.deepEqual(signatureHeaders({ id: 'a_1-b', body: Buffer.from(body) }, [secret], now), headers)
      const { 'webhook-timestamp': timestamp, 'webhook-signature': part } = headers
      assert.equal(verifyByKey(publicKey, { id: 'a_1-b', body }, timestamp, part), true)
      assert.equal(verifyByKey(publicKey, { id: 'a_1-c', body }, timestamp, part), false)
      assert.equal(verifyByKey(publicKey, { id: 'a_1-b', body: `${body} ` }, timestamp, part), false)
      assert.equal(verifyByKey(newSigningKeyPair().publicKey, { id: 'a_1-b', body }, timestamp, part), false)
    }
  })

  test('stands beside those by secrets, in the order of the secrets', () => {
    const pair = newSigningKeyPair()
    const secret = newSigningSecret()
    const headers = signatureHeaders({ id: 'a', body: 'b' }, [pair.secret, secret], Date.now())
    const [first = '', second = ''] = headers['webhook-signature'].split(' ')
    assert.equal(verifyByKey(pair.publicKey, { id: 'a', body: 'b' }, headers['webhook-timestamp'], first), true)
    assert.match(second, /^v1,/)
    verify(secret, 'b', headers)
  })
})

describe('what is said to be signed', () => {
  const now = 1_700_000_000_000
  const signedBy = (secret: string, more: Partial<SignedMessage> = {}): SignedMessage => {
    const headers = signatureHeaders({ id: 'a', body: 'b' }, [secret], now)
    const { 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
    return { id: 'a', timestamp, signature, body: Buffer.from('b'), ...more }
  }

  test('is signed by the key of its own kind, among others', () => {
    for (const [signer, key] of [
      [SECRET, SECRET],
      [PRIVATE_KEY, PUBLIC_KEY],
    ] as const) {
      const { signature } = signedBy(signer)
      assert.equal(isSigned(signedBy(signer), [key], now), true)
      assert.equal(isSigned(signedBy(signer), ['nonsense', newSigningSecret(), key], now), true)
      assert.equal(isSigned(signedBy(signer, { signature: `v1,AA== v1a,AA== ${signature}` }), [key], now), true)
      for (const other of [
        { id: 'c' },
        { body: Buffer.from('c') },
        { timestamp: '1700000001' },
        { signature: '' },
        { signature: signature.replace(/^v1a?,/, '') },
        { signature: signature.replace(/^v1a?/, 'v2') },
        { signature: `${'v1,AA== '.repeat(16)}${signature}` },
      ])
        assert.equal(isSigned(signedBy(signer, other), [key], now), false, JSON.stringify(other))
      const late = 5 * 60_000 + 1000
      for (const ms of [now - late, now + late]) assert.equal(isSigned(signedBy(signer), [key], ms), false)
    }
  })

  test('is signed by no key of another kind or form', () => {
    const { publicKey } = newSigningKeyPair()
    for (const key of ['', 'nonsense', 'whsec_', 'whpk_', publicKey, PRIVATE_KEY, newSigningSecret(), 'whpk_AA=='])
      for (const signer of [SECRET, PRIVATE_KEY]) assert.equal(isSigned(signedBy(signer), [key], now), false, key)
    // Who knows the public key must not be able to sign by it as if it were a secret.
    const forged = signedBy(PUBLIC_KEY.replace('whpk_', 'whsec_'))
    assert.equal(isSigned(forged, [PUBLIC_KEY], now), false)
    assert.equal(isSigned(signedBy(SECRET), [], now), false)
  })
})

test('secrets are 32 bytes of their own', () => {
  const secrets = Array.from({ length: 100 }, newSigningSecret)
  assert.equal(new Set(secrets).size, 100)
  for (const secret of secrets) assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
})

test('keys are pairs of their own, and a public key is that of its private one', () => {
  const pairs = Array.from({ length: 20 }, newSigningKeyPair)
  assert.equal(new Set(pairs.flatMap(({ secret, publicKey }) => [secret, publicKey])).size, 40)
  for (const { secret, publicKey } of pairs) {
    assert.match(secret, /^whsk_[A-Za-z0-9+/]{43}=$/)
    assert.match(publicKey, /^whpk_[A-Za-z0-9+/]{43}=$/)
    assert.deepEqual([publicKeyOf(secret), signatureKindOf(secret)], [publicKey, 'v1a'])
  }
  assert.equal(signatureKindOf(newSigningSecret()), 'v1')
  for (const other of [SECRET, PUBLIC_KEY, '']) assert.throws(() => publicKeyOf(other), /whsk_ and 32 bytes/)
})

test('more secrets than keys are kept sign each in its own way', () => {
  const secrets = Array.from({ length: 1010 }, newSigningSecret)
  const sign = (secret: string) => signatureHeaders({ id: 'a', body: 'b' }, [secret], 0)['webhook-signature']
  const first = secrets.map(sign)
  assert.equal(new Set(first).size, secrets.length)
  assert.deepEqual(secrets.map(sign), first)
})
