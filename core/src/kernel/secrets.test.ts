import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSecretBox, equalSecrets, hashToken, randomToken, SecretBoxError } from './secrets.ts'

const OLD = 'an earlier secret that once was the current one'
const NEW = 'the secret that is current since the rotation'

const failsWith = (reason: string) => (error: unknown) => error instanceof SecretBoxError && error.reason === reason

describe('sealing', () => {
  const box = createSecretBox(NEW)

  test('opens what it sealed, text or bytes, and never seals alike twice', () => {
    const sealed = box.seal('a seed é \u{1F511}', 'totp:1')
    assert.match(sealed, /^v1\.[\w-]{8}\.[\w-]+$/)
    assert.equal(box.openText(sealed, 'totp:1'), 'a seed é \u{1F511}')
    assert.notEqual(box.seal('a seed é \u{1F511}', 'totp:1'), sealed)
    const bytes = Uint8Array.of(0, 255, 128)
    assert.deepEqual(box.open(box.seal(bytes, 'c'), 'c'), Buffer.from(bytes))
    assert.equal(box.openText(box.seal('', 'c'), 'c'), '')
  })

  test('opens nothing under another context', () => {
    assert.throws(() => box.open(box.seal('seed', 'totp:1'), 'totp:2'), failsWith('not_authentic'))
  })

  test('opens nothing that was changed, wherever', () => {
    const [version, id, body = ''] = box.seal('seed', 'c').split('.')
    for (let index = 0; index < body.length - 1; index++) {
      const changed = `${body.slice(0, index)}${body[index] === 'A' ? 'B' : 'A'}${body.slice(index + 1)}`
      assert.throws(() => box.open(`${version}.${id}.${changed}`, 'c'), failsWith('not_authentic'))
    }
  })

  test('refuses what is no sealed text', () => {
    for (const text of ['', 'seed', 'v1.x.y', 'v2.AAAAAAAA.AAAA', `v1.AAAAAAAA.${'A'.repeat(20)}`]) {
      assert.throws(() => box.open(text, 'c'), failsWith('malformed'))
    }
  })

  test('an error tells nothing of secrets or content', () => {
    const sealed = createSecretBox(OLD).seal('hunter2', 'c')
    for (const attempt of [() => box.open(sealed, 'c'), () => createSecretBox(OLD).open(sealed, 'other')]) {
      assert.throws(attempt, (error: Error) => !`${error.stack}`.includes('hunter2') && !error.stack?.includes(OLD))
    }
  })
})

describe('rotation', () => {
  const sealedBefore = createSecretBox(OLD).seal('seed', 'c')
  const rotated = createSecretBox([NEW, OLD])

  test('what an earlier secret sealed opens while it is listed, and only then', () => {
    assert.equal(rotated.openText(sealedBefore, 'c'), 'seed')
    assert.throws(() => createSecretBox(NEW).open(sealedBefore, 'c'), failsWith('unknown_key'))
  })

  test('new texts are sealed with the current secret alone; old ones are seen to be stale', () => {
    const sealed = rotated.seal('seed', 'c')
    assert.equal(createSecretBox(NEW).openText(sealed, 'c'), 'seed')
    assert.equal(rotated.isStale(sealed), false)
    assert.equal(rotated.isStale(sealedBefore), true)
  })

  test('derived keys differ by purpose and by secret, and stay the same otherwise', () => {
    assert.equal(rotated.derive('links').length, 32)
    assert.deepEqual(rotated.derive('links'), createSecretBox(NEW).derive('links'))
    assert.notDeepEqual(rotated.derive('links'), rotated.derive('cursors'))
    assert.deepEqual(rotated.deriveAll('links'), [rotated.derive('links'), createSecretBox(OLD).derive('links')])
  })

  test('a box needs a secret', () => {
    assert.throws(() => createSecretBox([]), /at least one/)
    assert.throws(() => createSecretBox(['']), /empty/)
  })
})

test('tokens are long, different and fit for a URL', () => {
  const tokens = new Set(Array.from({ length: 1000 }, () => randomToken()))
  assert.equal(tokens.size, 1000)
  for (const token of tokens) assert.match(token, /^[\w-]{43}$/)
  assert.match(randomToken(16), /^[\w-]{22}$/)
})

test('a token is stored as its SHA-256', () => {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(hashToken('abc').toString('hex'), known)
})

test('secrets are equal only when all of them is', () => {
  assert.equal(equalSecrets('abc', Buffer.from('abc')), true)
  for (const other of ['abd', 'ab', 'abcd', '']) assert.equal(equalSecrets('abc', other), false)
})
