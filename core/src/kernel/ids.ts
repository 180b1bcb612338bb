import { randomFillSync } from 'node:crypto'
import { sha256 } from './hash.ts'

/** A UUIDv7 as lower-case text. */
export type Id = string

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** True for any UUID in its canonical text form (36 characters). */
export function isUuid(text: unknown): text is Id {
  return typeof text === 'string' && text.length === 36 && UUID.test(text)
}

/** Smaller and greater than all ids. */
export const LEAST_ID: Id = '00000000-0000-0000-0000-000000000000'
export const GREATEST_ID: Id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

// Random bytes are read in batches: a system call per id would cost more than the rest.
const pool = Buffer.allocUnsafe(8 * 512)
let used = pool.length
let lastMs = 0
let lastTime = ''
let sequence = 0

/**
 * A new UUIDv7 (RFC 9562): 48 bits of milliseconds, 12 bits that count within one millisecond, 62 random bits.
 * Ids made by one process ascend, so that they sort by creation and keyset pages can rely on it.
 */
export function newId(): Id {
  const now = Date.now()
  if (now > lastMs) startAt(now)
  else if (++sequence > 0xfff) startAt(lastMs + 1)
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.toString('hex', used, used + 8)
  used += 8
  const variant = VARIANT[Number.parseInt(random.charAt(0), 16)]
  return `${lastTime}${sequence.toString(16).padStart(3, '0')}-${variant}${random.slice(1, 4)}-${random.slice(4)}`
}

const VARIANT = '89ab89ab89ab89ab'

/** The common part of all ids of a millisecond, formatted once. */
function startAt(ms: number): void {
  const time = ms.toString(16).padStart(12, '0')
  lastMs = ms
  sequence = 0
  lastTime = `${time.slice(0, 8)}-${time.slice(8)}-7`
}

/** The smallest UUIDv7 of a millisecond. Times outside of the range become the nearest possible one. */
export function firstIdAt(ms: number): Id {
  const time = Math.min(Math.max(ms, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

/** The millisecond that a UUIDv7 carries. */
export function timeOfId(id: Id): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** A UUIDv8 made of a hash: the same text always has the same id. */
export function hashedId(text: string): Id {
  const hash = sha256(text)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return formatUuid(hash.toString('hex', 0, 16))
}

/** 32 hexadecimal digits as a UUID is written. */
export function formatUuid(hex: string): Id {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A UUIDv7 of a millisecond whose other bits are those of a hash. */
export function uuidOf(ms: number, hash: Buffer): Id {
  const bytes = Buffer.from(hash.subarray(0, 16))
  bytes.writeUIntBE(Math.min(Math.max(ms, 0), 2 ** 48 - 1), 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return formatUuid(bytes.toString('hex'))
}
