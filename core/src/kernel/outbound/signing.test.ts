import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { newSigningSecret, signatureHeaders } from './signing.ts'

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

  test('is by no secret of another form', () => {
    for (const secret of ['', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
      assert.throws(() => signatureHeaders({ id: 'a', body: '' }, [secret], 0), /begins with whsec_/)
  })
})

test('secrets are 32 bytes of their own', () => {
  const secrets = Array.from({ length: 100 }, newSigningSecret)
  assert.equal(new Set(secrets).size, 100)
  for (const secret of secrets) assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
})
