// Hashes that are a key derived by scrypt or PBKDF2, as Werkzeug and Django write them.
import { bounded, bytesOf, HashRefused } from './hash-refused.ts'

/** A key that was derived from the password and this salt. */
export type KeyHash = { salt: Buffer; key: Buffer } & (
  | { kind: 'scrypt'; N: number; r: number; p: number }
  | { kind: 'pbkdf2'; digest: Digest; iterations: number }
)

type Digest = 'sha1' | 'sha256' | 'sha512'

const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 }
const isDigest = (name: string): name is Digest => Object.hasOwn(DIGEST_BYTES, name)

/** Fewer are hardly more than a plain hash; as many as that take a second or two. */
const ITERATIONS = [1_000, 4_000_000] as const
const SCRYPT = { N: [1024, 2 ** 20], r: [1, 64], p: [1, 16] } as const // pairs, not lists
/** 128 MiB; `N × r × p` of four times the dearest recommendation takes a second or two. */
const SCRYPT_MAX_BYTES = 128 * 1024 * 1024
const SCRYPT_MAX_WORK = 2 ** 22

/** `scrypt:32768:8:1$salt$hex` */
export function readWerkzeugScrypt(text: string): KeyHash {
  const [method = '', salt, key] = partsOf(text, 3)
  const [, N, r, p, ...more] = method.split(':')
  if (more.length > 0) throw notWhole()
  return { ...scryptCost({ N, r, p }), salt: saltOf(salt), key: bytesOf(key, 'hex', [64]) }
}

/** `scrypt$16384$salt$8$5$base64` */
export function readDjangoScrypt(text: string): KeyHash {
  const [, N, salt, r, p, key] = partsOf(text, 6)
  return { ...scryptCost({ N, r, p }), salt: saltOf(salt), key: bytesOf(key, 'base64', [64]) }
}

/** `pbkdf2:sha256:600000$salt$hex` */
export function readWerkzeugPbkdf2(text: string): KeyHash {
  const [method = '', salt, key] = partsOf(text, 3)
  const [, digest = '', iterations, ...more] = method.split(':')
  if (more.length > 0) throw notWhole()
  if (iterations === undefined)
    throw new HashRefused('does not say its number of iterations, and what it meant depends on the version of Werkzeug')
  return pbkdf2({ digest, iterations, salt, key, encoding: 'hex' })
}

/** `pbkdf2_sha256$1000000$salt$base64` */
export function readDjangoPbkdf2(text: string): KeyHash {
  const [method = '', iterations, salt, key] = partsOf(text, 4)
  return pbkdf2({ digest: method.slice('pbkdf2_'.length), iterations, salt, key, encoding: 'base64' })
}

interface Pbkdf2Parts {
  digest: string
  iterations: string | undefined
  salt: string | undefined
  key: string | undefined
  encoding: 'hex' | 'base64'
}

function pbkdf2({ digest, iterations, salt, key, encoding }: Pbkdf2Parts): KeyHash {
  if (!isDigest(digest))
    throw new HashRefused('is of PBKDF2 with a digest that is not taken: sha1, sha256 and sha512 are')
  return {
    kind: 'pbkdf2',
    digest,
    iterations: bounded(iterations, 'iterations of PBKDF2', ITERATIONS),
    salt: saltOf(salt),
    key: bytesOf(key, encoding, [DIGEST_BYTES[digest]]),
  }
}

function scryptCost(given: Record<'N' | 'r' | 'p', string | undefined>) {
  const N = bounded(given.N, 'a cost of scrypt (N)', SCRYPT.N)
  const r = bounded(given.r, 'a block size of scrypt (r)', SCRYPT.r)
  const p = bounded(given.p, 'parallel work of scrypt (p)', SCRYPT.p)
  if ((N & (N - 1)) !== 0) throw new HashRefused('has a cost of scrypt (N) that is no power of two')
  if (128 * N * r > SCRYPT_MAX_BYTES || N * r * p > SCRYPT_MAX_WORK)
    throw new HashRefused('asks for more memory or work of scrypt than is taken here')
  return { kind: 'scrypt', N, r, p } as const // the word is the type
}

function partsOf(text: string, count: number): string[] {
  const parts = text.split('$')
  if (parts.length !== count) throw notWhole()
  return parts
}

/** Both frameworks take the characters of the salt as they stand there. */
function saltOf(text: string | undefined): Buffer {
  if (!text) throw new HashRefused('has no salt')
  return Buffer.from(text)
}

const notWhole = () => new HashRefused('is not whole: it was cut off, or is none')
