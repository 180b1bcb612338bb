import { hash, timingSafeEqual } from 'node:crypto'
import { invalidCursor } from '../errors.ts'
import type { SecretBox } from '../secrets.ts'

/** The values that a row has in the columns that order its list. */
export type Place = readonly (string | null)[]

const SIGNATURE_BYTES = 12

/** Writes a place down for clients. `fingerprint` says of which list, tenant and filters it is: it is good for these alone. */
export function writeCursor(secrets: SecretBox, fingerprint: string, place: Place): string {
  const text = JSON.stringify(place)
  return Buffer.concat([signature(secrets.derive(PURPOSE), fingerprint, text), Buffer.from(text)]).toString('base64url')
}

/** Reads a place of so many values. Throws 400 `invalid_cursor` for what was not written for the same fingerprint. */
export function readCursor(
  secrets: SecretBox,
  fingerprint: string,
  { cursor, length }: { cursor: string; length: number },
): Place {
  const bytes = Buffer.from(cursor, 'base64url')
  const text = bytes.subarray(SIGNATURE_BYTES).toString()
  if (bytes.length <= SIGNATURE_BYTES) throw invalidCursor()
  const given = bytes.subarray(0, SIGNATURE_BYTES)
  // One that was kept must outlive a new APP_SECRET.
  const isOurs = secrets.deriveAll(PURPOSE).some((key) => timingSafeEqual(given, signature(key, fingerprint, text)))
  if (!isOurs) throw invalidCursor()
  const place = JSON.parse(text) as Place // signed above, so written by writeCursor
  if (place.length !== length) throw invalidCursor()
  return place
}

/** The place that a cursor names, whatever it is good for: for comparing two that were given for different filters. */
export const unsignedPlace = (cursor: string): string =>
  Buffer.from(cursor, 'base64url').subarray(SIGNATURE_BYTES).toString()

const PURPOSE = 'cursor'

/**
 * A keyed hash, truncated to 12 of its 32 bytes, which prevents extending a signed text. It takes a tenth of the time
 * of an HMAC, which every page would need.
 */
function signature(key: Buffer, fingerprint: string, text: string): Buffer {
  return hash('sha256', `${key.toString('base64url')}\0${fingerprint}\0${text}`, 'buffer').subarray(0, SIGNATURE_BYTES)
}
