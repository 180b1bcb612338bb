import { createHmac, timingSafeEqual } from 'node:crypto'
import { formatUuid, type SecretBox } from '#kernel'

const ID_BYTES = 16
const TIME_BYTES = 6
const MAC_BYTES = 16

/** Ids, and until when they may be used (milliseconds since the epoch). */
export interface Signed {
  ids: readonly string[]
  endsAtMs: number
}

/** A token that says this, and that nobody else can make. `purpose` keeps those for one thing from being used for another. */
export function signToken(secrets: SecretBox, purpose: string, { ids, endsAtMs }: Signed): string {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(endsAtMs, 0, TIME_BYTES)
  const body = Buffer.concat([...ids.map((id) => Buffer.from(id.replaceAll('-', ''), 'hex')), time])
  return Buffer.concat([body, macOf(secrets.derive(purpose), body)]).toString('base64url')
}

/** What a token with so many ids says; null for one that we have not made. */
export function readToken(secrets: SecretBox, purpose: string, count: number, token: string): Signed | null {
  const bytes = Buffer.from(token, 'base64url')
  const bodyBytes = count * ID_BYTES + TIME_BYTES
  if (bytes.length !== bodyBytes + MAC_BYTES || bytes.toString('base64url') !== token) return null
  const [body, mac] = [bytes.subarray(0, bodyBytes), bytes.subarray(bodyBytes)]
  if (!secrets.deriveAll(purpose).some((key) => timingSafeEqual(macOf(key, body), mac))) return null
  const ids = Array.from({ length: count }, (_, at) =>
    formatUuid(body.toString('hex', at * ID_BYTES, (at + 1) * ID_BYTES)),
  )
  return { ids, endsAtMs: body.readUIntBE(count * ID_BYTES, TIME_BYTES) }
}

const macOf = (key: Buffer, body: Buffer) => createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES)
