import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { foreignHashes } from './foreign-hashes.fixture.ts'
import { readForeignHash, toStoredHash } from './foreign-hashes.ts'
import { createPasswordHasher } from './hasher.ts'

const hasher = createPasswordHasher({ cost: { memoryCost: 8, timeCost: 1, parallelism: 1 } })
after(() => hasher.close())

const verify = (hash: string, password: string) => hasher.verify(toStoredHash(hash), password)
const yes = { ok: true, rehash: true }
const no = { ok: false, rehash: false }

describe('a hash of another application', () => {
  for (const [origin, password, hash] of foreignHashes)
    test(`${origin} (${hash.slice(0, 12)}) matches its password, asks for a new one, and matches no other`, async () => {
      assert.deepEqual(await verify(hash, password), yes)
      for (const other of [`!${password}`, password.toUpperCase(), ''])
        assert.deepEqual(await verify(hash, other), no, other)
    })

  const found = (origin: string) => foreignHashes.find(([name]) => name === origin) ?? assert.fail(origin)

  test('of argon2 is of the password as it was typed, where ours are of one form of it', async () => {
    const [, password, hash] = found('argon2-cffi')
    assert.notEqual(password, password.normalize('NFKC'))
    assert.deepEqual(await verify(hash, password.normalize('NFKC')), no)
  })

  test('of bcrypt takes no notice of what comes after 72 bytes, as its library did', async () => {
    for (const origin of ['bcrypt long', 'libxcrypt long', 'libxcrypt 255+']) {
      const [, password, hash] = found(origin)
      assert.deepEqual(await verify(hash, `${password}more`), yes)
      assert.deepEqual(await verify(hash, password.slice(0, 70)), no)
    }
    const [, whole, ofDigest] = found('django long bcrypt_sha256')
    assert.deepEqual(await verify(ofDigest, `${whole}more`), no, 'a digest is short')
  })

  test('of bcrypt takes a password to its first NUL, where the library was in C', async () => {
    const [, password, hash] = found('libxcrypt')
    assert.deepEqual(await verify(hash, `${password}\0more`), yes)
    assert.deepEqual(await verify(hash, `\0${password}`), no)
    const [, , whole] = found('bcrypt nul')
    assert.deepEqual(await verify(whole, 'quiet'), no)
  })

  test('matches nothing that is too long to be a password', async () => {
    const [, password, hash] = found('libxcrypt 72')
    assert.deepEqual(await verify(hash, password.padEnd(1024, 'y')), yes)
    assert.deepEqual(await verify(hash, password.padEnd(1025, 'y')), no)
  })

  test('of argon2 without a version is of the first', async () => {
    const [, password, hash] = found('argon2 v16 ID')
    assert.deepEqual(await verify(hash.replace('v=16$', ''), password), yes)
  })

  test('that was damaged since is an error that does not repeat it', async () => {
    await assert.rejects(
      hasher.verify('pbkdf2_sha256$hunter2', 'x'),
      (error: Error) => !error.message.includes('hunter2'),
    )
  })
})

test('a wrong password costs at least what one costs for an account that does not exist', async () => {
  const full = createPasswordHasher()
  const [, , cheap = ''] = foreignHashes.find(([origin]) => origin === 'werkzeug pbkdf2:sha1:1000') ?? []
  const measure = async (work: () => Promise<unknown>) => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  /** Measured in turns, so that a slow moment of the machine meets both. */
  const compare = async () => {
    const ratios: number[] = []
    for (let round = 0; round < 7; round++) {
      const imported = await measure(() => full.verify(cheap, 'wrong'))
      ratios.push(imported / (await measure(() => full.verifyNothing('wrong'))))
    }
    return ratios.sort((a, b) => a - b)[3] ?? 0
  }
  const seen: number[] = []
  while ((seen.at(-1) ?? 0) < 0.4 && seen.length < 8) seen.push(await compare())
  await full.close()
  assert.ok((seen.at(-1) ?? 0) >= 0.4, `ratios ${seen}`)
})

describe('refused, saying why and repeating nothing', () => {
  const hex = (digits: number) => '5f4dcc3b'.repeat(digits / 8)
  const b64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')
  const refused: [hash: string, why: RegExp][] = [
    [hex(32), /plain MD5/],
    [hex(40), /plain SHA-1/],
    [hex(64).toUpperCase(), /plain SHA-256/],
    [hex(128), /plain SHA-512/],
    [`md5$salt$${hex(32)}`, /MD5/],
    [`unsalted_md5$$${hex(32)}`, /MD5/],
    [`sha1$salt$${hex(40)}`, /SHA-1/],
    [`sha256$salt$${hex(64)}`, /SHA-2/],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', /MD5 crypt/],
    ['$6$salt$abc', /SHA crypt/],
    ['$y$j9T$abc$def', /yescrypt/],
    ['$pbkdf2-sha256$29000$abc$def', /passlib/],
    ['$bcrypt-sha256$v=2,t=2b,r=12$abc$def', /passlib/],
    ['{SSHA}abcdef', /LDAP/],
    ['plain$$hunter2hunter2', /in the clear/],
    ['hunter2hunter2', /no hash/],
    ['x'.repeat(513), /longer than 512/],
    // Werkzeug's scrypt
    [`scrypt:32768:8:1$$${hex(128)}`, /no salt/],
    [`scrypt:32768:8:1$salt$${hex(120)}`, /not whole/],
    [`scrypt:32768:8:1$salt$${hex(120)}zzzzzzzz`, /not whole/],
    [`scrypt:32768:8:1$salt`, /not whole/],
    [`scrypt:32768:8:1:9$salt$${hex(128)}`, /not whole/],
    [`scrypt:32768:8$salt$${hex(128)}`, /parallel work/],
    [`scrypt:30000:8:1$salt$${hex(128)}`, /power of two/],
    [`scrypt:512:8:1$salt$${hex(128)}`, /cost of scrypt/],
    [`scrypt:2097152:8:1$salt$${hex(128)}`, /cost of scrypt/],
    [`scrypt:262144:8:1$salt$${hex(128)}`, /more memory or work/],
    [`scrypt:131072:8:16$salt$${hex(128)}`, /more memory or work/],
    [`scrypt:1024:8:17$salt$${hex(128)}`, /parallel work/],
    [`scrypt:1024:65:1$salt$${hex(128)}`, /block size/],
    [`scrypt:1e4:8:1$salt$${hex(128)}`, /cost of scrypt/],
    // Django's
    [`scrypt$16384$salt$8$5$${b64(32)}`, /not whole/],
    [`scrypt$16384$$8$5$${b64(64)}`, /no salt/],
    [`scrypt$1048576$salt$8$5$${b64(64)}`, /more memory or work/],
    // PBKDF2
    [`pbkdf2:sha256$salt$${hex(64)}`, /number of iterations/],
    [`pbkdf2:sha256:999$salt$${hex(64)}`, /iterations of PBKDF2/],
    [`pbkdf2:sha256:4000001$salt$${hex(64)}`, /iterations of PBKDF2/],
    [`pbkdf2:sha256:9999999999$salt$${hex(64)}`, /iterations of PBKDF2/],
    [`pbkdf2:md5:100000$salt$${hex(32)}`, /digest/],
    [`pbkdf2:constructor:100000$salt$${hex(32)}`, /digest/],
    [`pbkdf2:sha256:100000$salt$${hex(56)}`, /not whole/],
    [`pbkdf2:sha256:100000$$${hex(64)}`, /no salt/],
    [`pbkdf2_sha256$100000$salt$${b64(31)}`, /not whole/],
    [`pbkdf2_sha256$100000$salt`, /not whole/],
    [`pbkdf2_sha256$100000$$${b64(32)}`, /no salt/],
    [`pbkdf2_sha512$100000000$salt$${b64(64)}`, /iterations/],
    // bcrypt
    [`$2b$12$${'a'.repeat(52)}`, /whole bcrypt/],
    [`$2b$12$${'a'.repeat(54)}`, /whole bcrypt/],
    [`$2x$12$${'a'.repeat(53)}`, /bcrypt 2x/],
    [`$2$12$${'a'.repeat(53)}`, /bcrypt 2,/],
    [`$2b$15$${'a'.repeat(53)}`, /rounds of bcrypt/],
    [`$2b$03$${'a'.repeat(53)}`, /rounds of bcrypt/],
    [`bcrypt_sha256$$2b$31$${'a'.repeat(53)}`, /rounds of bcrypt/],
    ['bcrypt$$2b$12$abc', /whole bcrypt/],
    // argon2
    [`$argon2id$v=19$m=131073,t=1,p=1$c2FsdHNhbHQ$${b64(33).slice(0, 43)}`, /memory of argon2/],
    [`$argon2id$v=19$m=65536,t=17,p=1$c2FsdHNhbHQ$${b64(33).slice(0, 43)}`, /passes of argon2/],
    [`$argon2id$v=19$m=7,t=1,p=1$c2FsdHNhbHQ$${b64(33).slice(0, 43)}`, /memory of argon2/],
    [`$argon2id$v=19$m=65536,t=1,p=17$c2FsdHNhbHQ$${b64(33).slice(0, 43)}`, /lanes of argon2/],
    [`$argon2id$v=18$m=64,t=1,p=1$c2FsdHNhbHQ$${b64(33).slice(0, 43)}`, /version of argon2/],
    [`$argon2id$v=19$m=64,t=1,p=1$c2FsdA$${b64(33).slice(0, 43)}`, /not whole/],
    ['$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ', /not whole/],
    ['$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ', /whole argon2/],
    ['$argon2id$v=19$m=64,t=1,p=1,keyid=YQ$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA', /whole argon2/],
    ['argon2$argon2x$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA', /whole argon2/],
  ]
  for (const [hash, why] of refused)
    test(`${hash.slice(0, 40)}: ${why.source}`, () => {
      assert.throws(
        () => readForeignHash(hash),
        (error: Error) => error.name === 'HashRefused' && why.test(error.message) && !error.message.includes(hash),
      )
    })

  test('a hash that lost its end anywhere, and any text that begins like one', () => {
    for (const [, , hash] of foreignHashes)
      for (const cut of [1, 2, 5, 20, 40]) {
        const rest = hash.slice(0, -cut)
        // Base64 may be cut to another length that a library writes.
        if (/argon2/.test(hash) && [11, 22, 27, 32].includes(rest.length - rest.lastIndexOf('$') - 1)) continue
        // The padding says nothing.
        if (/^=+$/.test(hash.slice(-cut))) continue
        assert.throws(() => readForeignHash(rest), { name: 'HashRefused' }, rest)
      }
  })
})
