import { type ArgonHash, readArgon2, readBcrypt } from './foreign-encoded.ts'
import {
  type KeyHash,
  readDjangoPbkdf2,
  readDjangoScrypt,
  readWerkzeugPbkdf2,
  readWerkzeugScrypt,
} from './foreign-keys.ts'
import { HashRefused, LONGEST_HASH } from './hash-refused.ts'

/** A password hash that another application made, taken apart and found good. */
export type ForeignHash = ArgonHash | { kind: 'bcrypt'; hash: string; isOfDigest: boolean } | KeyHash

type Reader = (text: string) => ForeignHash

/** By what a hash begins with; the first that fits reads it. */
const READERS: readonly (readonly [RegExp, Reader])[] = [
  [/^\$argon2/, readArgon2],
  [/^argon2\$/, (text) => readArgon2(text.slice('argon2'.length))],
  [/^\$2[a-z]?\$/, (text) => readBcrypt(text, false)],
  [/^bcrypt\$/, (text) => readBcrypt(text.slice('bcrypt$'.length), false)],
  [/^bcrypt_sha256\$/, (text) => readBcrypt(text.slice('bcrypt_sha256$'.length), true)],
  [/^scrypt:/, readWerkzeugScrypt],
  [/^scrypt\$/, readDjangoScrypt],
  [/^pbkdf2:/, readWerkzeugPbkdf2],
  [/^pbkdf2_/, readDjangoPbkdf2],
]

const FAST = 'which is guessed too quickly'

/** What is known and not taken. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^[\da-f]{32}$/i, `is a plain MD5 hash, ${FAST}`],
  [/^[\da-f]{40}$/i, `is a plain SHA-1 hash, ${FAST}`],
  [/^[\da-f]{64}$/i, `is a plain SHA-256 hash, ${FAST}`],
  [/^[\da-f]{128}$/i, `is a plain SHA-512 hash, ${FAST}`],
  [/^(?:unsalted_)?md5\$/, `is an MD5 hash, ${FAST}`],
  [/^(?:unsalted_)?sha1\$/, `is a SHA-1 hash, ${FAST}`],
  [/^(?:sha224|sha256|sha384|sha512)\$/, `is a SHA-2 hash, ${FAST}`],
  [/^\$1\$/, `is an MD5 crypt hash, ${FAST}`],
  [/^\$[56]\$/, 'is a SHA crypt hash, which is not taken'],
  [/^\$(?:y|gy|7)\$/, 'is a yescrypt hash, which is not taken'],
  [/^\$(?:pbkdf2|scrypt|bcrypt-sha256)/, 'is in a form of passlib, which is not taken'],
  [/^\{[A-Za-z0-9-]+\}/, 'is in the form of a directory (LDAP), which is not taken'],
  [/^(?:plain\$|plaintext)/, 'is a password in the clear'],
]

/**
 * Reads a hash that Werkzeug, Django or a library of argon2 or bcrypt wrote, or that an import has stored. Throws
 * HashRefused for any other, for one that is not whole, and for one whose check would cost next to nothing or too much.
 */
export function readForeignHash(text: string): ForeignHash {
  if (text.length > LONGEST_HASH) throw new HashRefused(`is longer than ${LONGEST_HASH} characters`)
  const reader = READERS.find(([begins]) => begins.test(text))?.[1]
  if (reader) return reader(text)
  throw new HashRefused(REFUSED.find(([begins]) => begins.test(text))?.[1] ?? 'is no hash of a kind that is known here')
}

/**
 * A hash as it is stored. Those of argon2 get a name in front, as Django writes it: ours have none, and are of the password
 * in one form of Unicode, which other applications did not care about. Throws as `readForeignHash` does.
 */
export function toStoredHash(text: string): string {
  readForeignHash(text)
  return text.startsWith('$argon2') ? `argon2${text}` : text
}

/** True for a hash that was imported, false for one of ours. */
export const isForeign = (stored: string): boolean => !stored.startsWith('$argon2id$')
