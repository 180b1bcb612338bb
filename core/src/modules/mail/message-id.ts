import { createHmac } from 'node:crypto'
import { equalSecrets, formatUuid, type Id, LEAST_ID, type SecretBox } from '#kernel'

/** A mail that a report is about. */
export interface NamedMail {
  /** Null: of no tenant. */
  tenantId: string | null
  id: Id
}

const PURPOSE = 'mail:message-id'
const MAC_BYTES = 8
// Lower case alone: some mail servers change the case of what stands before the @.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * What names a mail to the outside: in its Message-ID, and in the address that bounces go to. Nobody else can make one,
 * so a report that carries it was made by somebody who has seen the mail. It is the same at every attempt.
 */
export function markOf(secrets: SecretBox, { tenantId, id }: NamedMail): string {
  const named = bytesOf(tenantId ?? LEAST_ID, id)
  return encode(Buffer.concat([named, macOf(secrets.derive(PURPOSE), named)]))
}

/** The mail that a mark names; null for one that is not ours. */
export function readMark(secrets: SecretBox, mark: string): NamedMail | null {
  const bytes = decode(mark.toLowerCase())
  if (bytes?.length !== 32 + MAC_BYTES) return null
  const [named, mac] = [bytes.subarray(0, 32), bytes.subarray(32)]
  if (!secrets.deriveAll(PURPOSE).some((key) => equalSecrets(mac, macOf(key, named)))) return null
  const [tenantId, id] = [formatUuid(named.toString('hex', 0, 16)), formatUuid(named.toString('hex', 16))]
  return { tenantId: tenantId === LEAST_ID ? null : tenantId, id }
}

/** The marks that stand in a text, as `mark@` or `+mark@`. */
export function findMark(secrets: SecretBox, text: string): NamedMail | null {
  for (const [mark] of text.slice(0, 2_000).matchAll(/[a-z2-7]{64}/gi)) {
    const named = readMark(secrets, mark)
    if (named) return named
  }
  return null
}

const macOf = (key: Buffer, named: Buffer) => createHmac('sha256', key).update(named).digest().subarray(0, MAC_BYTES)

const bytesOf = (...ids: Id[]) => Buffer.from(ids.join('').replaceAll('-', ''), 'hex')

/** 40 bytes are 64 letters, which is as much as may stand before the @ of an address. */
function encode(bytes: Buffer): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let left = (bytes.length * 8) / 5; left > 0; left--) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text
    bits >>= 5n
  }
  return text
}

function decode(text: string): Buffer | null {
  let bits = 0n
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter)
    if (value < 0) return null
    bits = (bits << 5n) | BigInt(value)
  }
  const hex = bits.toString(16).padStart((text.length * 5) / 4, '0')
  return Buffer.from(hex, 'hex')
}
