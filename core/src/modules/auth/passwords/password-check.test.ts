import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SEED } from '../../../testing/seed.ts'
import { checkPassword } from './password-check.ts'

const check = (password: string, context: string[] = [], minLength = 12) =>
  checkPassword(password, { minLength, context })

describe('length', () => {
  test('counts characters, not bytes or halves of a pair', () => {
    assert.deepEqual(check('日本語の長い合言葉でもよい'), [])
    assert.match(check('\u{1F511}\u{1F388}\u{1F40B}\u{1F33B}\u{1F3B2}\u{1F9E9}')[0] ?? '', /at least 12 characters/)
  })

  test('normalising cannot stretch a short password', () => {
    assert.match(check('\ufdfa')[0] ?? '', /at least 12 characters/)
  })

  test('any 128 characters are taken, 256 are the most', () => {
    const varied = (length: number, from: number) =>
      String.fromCodePoint(...Array.from({ length }, (_, index) => from + ((index * 7919) % 5000)))
    assert.deepEqual(check(varied(128, 0x20000)), [])
    assert.deepEqual(check(varied(128, 0x100), [], 128), [])
    assert.deepEqual(check('kR7#vq w'.repeat(8) + varied(192, 0x4e00)), [])
    assert.match(check(varied(257, 0x4e00))[0] ?? '', /at most 256/)
    assert.match(check('x'.repeat(1_000_000))[0] ?? '', /at most 256/)
  })

  test('half a surrogate pair is refused, a control character is not', () => {
    assert.match(check('quite a fine \ud83d one')[0] ?? '', /half a character/)
    assert.deepEqual(check('tab\tand null\0 are fine'), [])
  })
})

describe('common passwords', () => {
  const common = [
    'password',
    'Password1234',
    'P@ssw0rd2024!',
    'pa$$word!!!!',
    'passwordpassword',
    'PASSWORD PASSWORD',
    '1234password1234',
    'l3tm31n2024!',
    'Welcome12345',
    'We1come!2026',
    'Admin1234567!',
    'iloveyou!!!!!',
    'Sunshine2024!',
    'qwertyuiop12',
    'QWERTZuiop!!',
    '1qaz2wsx3edc',
    '1q2w3e4r5t6y',
    '!QAZ2wsx#EDC',
    'zxcvbnmasdfghjkl',
    '123456789012',
    '098765432109',
    'abcdefghijkl',
    'aaaaaaaaaaaa',
    'abababababab',
    'abcabcabcabc',
    '111122223333',
    'changeme1234',
    'pass-word-1234',
    'trustno1trustno1',
    'motdepasse123',
    'contraseña2024',
    'tenantry1234',
    'T3nantry!2026',
    'tenantrytenantry',
    'aabbaabbaabbaabb',
  ]
  for (const password of common) {
    test(`refuses ${password}`, () => assert.match(check(password, [], 8).join(), /many people use/))
  }

  const uncommon = [
    'correct horse battery staple',
    'Tr0ub4dor and three',
    'kR7#vq!w2Lz9',
    'mein Hund frisst Socken',
    'blue-829471038475',
    'f3b1c07d9e8a46521',
    'the password is elsewhere',
    'Перо и чернила на столе',
  ]
  for (const password of uncommon) test(`takes ${password}`, () => assert.deepEqual(check(password), []))
})

describe('chance', () => {
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCodePoint(32 + index))
  const alphabets = [
    '0123456789',
    '0123456789abcdef',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    'qwertyuiop',
    'qweasdzxc1',
    'aAbBcCdDeE',
    'абвгдежзик',
  ].map((text) => Array.from(text))
  const alphabet = fc.oneof(
    fc.constantFrom(...alphabets),
    fc.uniqueArray(fc.constantFrom(...printable), { minLength: 10, maxLength: 95 }),
  )

  const lengths: [from: number, to: number, runs: number][] = [
    [8, 11, 1000],
    [12, 24, 3000],
    [25, 255, 1500],
    [256, 256, 100],
  ]
  for (const [from, to, numRuns] of lengths)
    test(`what is drawn from ten characters or more is taken, ${from} to ${to} long`, () => {
      const drawn = fc
        .tuple(alphabet, fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: from, maxLength: to, size: 'max' }))
        .map(([characters, draws]) => draws.map((draw) => characters[draw % characters.length]).join(''))
      fc.assert(
        fc.property(fc.noBias(drawn), (password) => assert.deepEqual(check(password, [], 8), [])),
        { seed: SEED, numRuns },
      )
    })

  test('digits and hexadecimal digits of any usual length are taken', () => {
    let state = SEED
    const next = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    for (const [characters, length] of [
      ['0123456789', 40],
      ['0123456789abcdef', 64],
      ['0123456789abcdef', 128],
    ] as const)
      for (let i = 0; i < 200; i++) {
        const password = Array.from({ length }, () => characters[Math.floor(next() * characters.length)]).join('')
        assert.deepEqual(check(password), [], password)
      }
  })
})

describe('words of the context', () => {
  const context = ['alice.miller1984@acme-tools.co.uk', 'Alice Miller', 'ACME Tools Ltd', '']

  for (const password of [
    'alice.miller1984@acme-tools.co.uk',
    'AliceMiller-99',
    '4l1c3-M1ll3r!!',
    'acme-tools-2031',
    'acmetools31337',
    'miller-miller-x',
  ]) {
    test(`refuses ${password}`, () => assert.match(check(password, context).join(), /name, e-mail address or company/))
  }

  test('takes a password in which they are a small part', () => {
    assert.deepEqual(check('alice bought 31 blue teapots', context), [])
  })

  test('a name with signs is recognised as it is written', () => {
    assert.match(check('h4ck3rsp4ce-1', ['H4ck3rsp4ce']).join(), /company/)
  })

  test('short words and top-level domains count for nothing', () => {
    assert.deepEqual(check('kim-zq7w-com-li', ['kim@li.com', 'Kim Li']), [])
  })
})

test('all problems are named at once', () => {
  assert.equal(check('alice1', ['alice@example.com']).length, 3)
})
