import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { sha256 } from '#kernel'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const START = 'tk_live_'
const PREFIX_LENGTH = 8
const SECRET_LENGTH = 32
const CHECKSUM_LENGTH = 6
const FORM = new RegExp(`^${START}([0-9A-Za-z]{${PREFIX_LENGTH}})_[0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}}$`)

/** Whose a credential is, by its looks: a key of ours, one that may have been imported, or neither. */
export type KeyForm = 'ours' | 'foreign' | 'broken'

/** Fewer characters than any key that could be safe. */
const MIN_FOREIGN_LENGTH = 20
const MAX_LENGTH = 512

/** True for whatever begins as a key of ours, and for what may be one that was imported. */
export function looksLikeKey(credential: string): boolean {
  if (credential.startsWith(START)) return true
  return credential.length >= MIN_FOREIGN_LENGTH && credential.length <= MAX_LENGTH
}

/** A key of ours with a wrong letter is `broken`: its checksum tells without a look-up. */
export function formOf(credential: string): KeyForm {
  if (!credential.startsWith(START)) return looksLikeKey(credential) ? 'foreign' : 'broken'
  if (!FORM.test(credential)) return 'broken'
  const content = credential.slice(0, -CHECKSUM_LENGTH)
  return credential.slice(-CHECKSUM_LENGTH) === checksumOf(content) ? 'ours' : 'broken'
}

/** A key that has just been made: the only time that it is known whole. */
export interface FreshKey {
  key: string
  prefix: string
  hash: Buffer
}

/** Some 190 unguessable bits, which is why a fast hash will do. */
export function makeKey(): FreshKey {
  const prefix = randomText(PREFIX_LENGTH)
  const content = `${START}${prefix}_${randomText(SECRET_LENGTH)}`
  const key = content + checksumOf(content)
  return { key, prefix, hash: hashOf(key) }
}

export const hashOf = (key: string): Buffer => sha256(key)

/** CRC-32 in base62, with leading zeros: 32 bits fit into six digits. */
function checksumOf(content: string): string {
  let rest = crc32(content)
  let digits = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}

/** Bytes beyond the last multiple of 62 would make the first letters likelier than the others. */
const FAIR = 256 - (256 % ALPHABET.length)

function randomText(length: number): string {
  let text = ''
  while (text.length < length)
    for (const byte of randomBytes(2 * length)) {
      if (byte < FAIR && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length)
    }
  return text
}
