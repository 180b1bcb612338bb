import { createHash, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify as argon2Verify } from '@node-rs/argon2'
import type { ForeignHash } from './foreign-hashes.ts'

const derivePbkdf2 = promisify(pbkdf2)

/** The work needs what is in the bounds of `readForeignHash`, and a little. */
const SCRYPT_MAXMEM = 192 * 1024 * 1024

/** Whether the other application would have taken this password, of which it saw the UTF-8. Computed off the event loop. */
export async function matchesForeign(hash: ForeignHash, password: Buffer): Promise<boolean> {
  switch (hash.kind) {
    case 'argon2':
      return argon2Verify(hash.phc, password)
    case 'bcrypt':
      return matchesBcrypt(hash.hash, hash.isOfDigest ? digestOf(password) : password)
    case 'scrypt':
      return timingSafeEqual(await deriveScrypt(password, hash), hash.key)
    case 'pbkdf2':
      return timingSafeEqual(
        await derivePbkdf2(password, hash.salt, hash.iterations, hash.key.length, hash.digest),
        hash.key,
      )
  }
}

function deriveScrypt(password: Buffer, { salt, key, N, r, p }: Extract<ForeignHash, { kind: 'scrypt' }>) {
  return new Promise<Buffer>((resolve, reject) => {
    const done = (error: Error | null, derived: Buffer) => (error ? reject(error) : resolve(derived))
    scrypt(password, salt, key.length, { N, r, p, maxmem: SCRYPT_MAXMEM }, done)
  })
}

/** bcrypt looks at no more. */
const BCRYPT_BYTES = 72

async function matchesBcrypt(hash: string, password: Buffer): Promise<boolean> {
  // Loaded when the first such hash is checked: most installations have none.
  const { verify } = await import('@node-rs/bcrypt')
  if (await verify(password.subarray(0, BCRYPT_BYTES), hash)) return true
  // Libraries in C saw a password end at its first NUL, others did not.
  const end = password.indexOf(0)
  return end >= 0 && verify(password.subarray(0, Math.min(end, BCRYPT_BYTES)), hash)
}

const digestOf = (password: Buffer) => Buffer.from(createHash('sha256').update(password).digest('hex'))
