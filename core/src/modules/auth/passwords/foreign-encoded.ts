// Hashes whose own library reads them: argon2 and bcrypt.
import { bounded, bytesOf, HashRefused } from './hash-refused.ts'

export interface ArgonHash {
  kind: 'argon2'
  /** As the library takes it, with its version. */
  phc: string
}

const PHC = /^\$argon2(id|i|d)\$(?:v=(\d+)\$)?m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/

/** 128 MiB, which is more than any framework asks for; so much several times over takes about a second. */
const ARGON2 = { memoryKib: 128 * 1024, memoryKibTimesPasses: 1024 * 1024, lanes: 16 }
const SALT_BYTES = Array.from({ length: 41 }, (_, more) => 8 + more)
const OUTPUT_BYTES = [16, 20, 24, 32, 48, 64]

/** `$argon2id$v=19$m=65536,t=3,p=4$…$…`, also argon2i and argon2d. */
export function readArgon2(text: string): ArgonHash {
  const [, kind, version, m, t, p, salt, output] = PHC.exec(text) ?? []
  if (kind === undefined) throw new HashRefused('is not a whole argon2 hash')
  // A hash that names no version was made before there were two.
  const known = bounded(version ?? '16', 'a version of argon2', [16, 19])
  if (known !== 16 && known !== 19) throw new HashRefused('has a version of argon2 that does not exist')
  const lanes = bounded(p, 'lanes of argon2', [1, ARGON2.lanes])
  const memory = bounded(m, 'memory of argon2 in KiB', [8 * lanes, ARGON2.memoryKib])
  bounded(t, 'passes of argon2 at that memory', [1, Math.floor(ARGON2.memoryKibTimesPasses / memory)])
  bytesOf(salt, 'base64', SALT_BYTES)
  bytesOf(output, 'base64', OUTPUT_BYTES)
  return { kind: 'argon2', phc: `$argon2${kind}$v=${known}$m=${m},t=${t},p=${p}$${salt}$${output}` }
}

const BCRYPT = /^\$2([a-z]?)\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** Doubling with each; 14 take a second or two. */
const ROUNDS = [4, 14] as const

/** `$2b$12$…`, also `$2a$` and `$2y$`. `isOfDigest`: of the SHA-256 of the password, in hexadecimal digits. */
export function readBcrypt(text: string, isOfDigest: boolean) {
  const [, kind, rounds] = BCRYPT.exec(text) ?? []
  if (rounds === undefined) throw new HashRefused('is not a whole bcrypt hash')
  if (kind !== 'a' && kind !== 'b' && kind !== 'y')
    throw new HashRefused(`is of bcrypt 2${kind}, which took letters beyond ASCII wrongly`)
  bounded(rounds, 'rounds of bcrypt (as a power of two)', ROUNDS)
  return { kind: 'bcrypt', hash: text, isOfDigest } as const // the word is the type
}
