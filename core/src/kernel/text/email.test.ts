import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../testing/seed.ts'
import { normalizeEmail } from './email.ts'

const accepted: [string, string][] = [
  ['ada@example.com', 'ada@example.com'],
  ['  Ada.Lovelace+x@Example.COM ', 'ada.lovelace+x@example.com'],
  ["o'brien@example.co.uk", "o'brien@example.co.uk"],
  ['ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ada@example.com'],
  ['a\u212Aa@example.com', 'aka@example.com'], // the Kelvin sign is a K
  ['ﬁre@example.com', 'fire@example.com'],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
  [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
]

for (const [text, email] of accepted)
  test(`takes ${JSON.stringify(text)} as ${email}`, () => assert.equal(normalizeEmail(text), email))

const refused = [
  '',
  '@',
  'ada',
  'ada@',
  '@example.com',
  'ada@localhost',
  'ada@example..com',
  'ada@-example.com',
  'ada@example-.com',
  '.ada@example.com',
  'ada.@example.com',
  'a..b@example.com',
  'ada @example.com',
  'ada@exam ple.com',
  'ada\u0000@example.com',
  'ada@example.com\r\nBcc: eve@example.com',
  'ada\t@example.com',
  'ada\u200b@example.com',
  'ada\u202e@example.com',
  'ada@exam\u00adple.com',
  'ada@exam\u200dple.com',
  'ada@example.com@evil.example',
  'ada＠evil.example@example.com',
  'ada@example.com＠evil.example',
  '"ada"@example.com',
  '<ada@example.com>',
  'ada@[127.0.0.1]',
  'ada@127.0.0.1',
  'ada@0x7f.1',
  'ada@example.com/path',
  'ada@example.com:25',
  'ada@example%2ecom',
  'ada@user:secret@example.com',
  'аdmin@example.com', // the first letter is Cyrillic
  'ıstanbul@example.com', // dotless i
  'İstanbul@example.com',
  'ada@xn--.example',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b'.repeat(64)}.com`,
  `a@${'b.'.repeat(130)}com`,
  `a@${'ü'.repeat(60)}.${'ü'.repeat(60)}.${'ü'.repeat(60)}.example.com`,
  `${'ﷺ'.repeat(20)}@example.com`, // one character becomes eighteen
  '\ud800@example.com',
]

for (const text of refused)
  test(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => assert.equal(normalizeEmail(text), null))

test('a Cyrillic domain is another address than the Latin one it looks like', () => {
  const lookalike = normalizeEmail('ada@ехample.com')
  assert.ok(lookalike?.startsWith('ada@xn--'))
})

test('whatever comes out is ASCII, lower-case, short, and stays the same when normalised again', () => {
  const part = fc.string({ unit: 'binary', maxLength: 30 })
  fc.assert(
    fc.property(
      fc.oneof(
        part,
        fc.tuple(part, part).map(([a, b]) => `${a}@${b}.com`),
        fc.emailAddress(),
      ),
      (text) => {
        const email = normalizeEmail(text)
        if (email === null) return
        assert.match(email, /^[!-~]+@[a-z0-9.-]+$/)
        assert.equal(email, email.toLowerCase())
        assert.equal(email.split('@').length, 2)
        assert.ok(email.length <= 254)
        assert.equal(normalizeEmail(email), email)
      },
    ),
    { numRuns: 2_000, seed: SEED },
  )
})
