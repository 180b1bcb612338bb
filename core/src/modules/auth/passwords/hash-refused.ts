/** Of the column. */
export const LONGEST_HASH = 512

/** A hash that is not taken. The message says why, to be read after the name of its field, and repeats nothing of it. */
export class HashRefused extends Error {
  override name = 'HashRefused'
}

/** A whole number of up to nine digits within bounds. Throws HashRefused, naming it. */
export function bounded(text: string | undefined, name: string, [least, most]: readonly [number, number]): number {
  const value = /^\d{1,9}$/.test(text ?? '') ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new HashRefused(`has ${name} beyond what is taken here (${least} to ${most})`)
}

/** The bytes of base64 or hexadecimal digits, of one of these lengths. Throws HashRefused. */
export function bytesOf(text: string | undefined, encoding: 'hex' | 'base64', lengths: readonly number[]): Buffer {
  const given = text ?? ''
  const bytes = Buffer.from(given, encoding)
  // What cannot be decoded is passed over by Buffer, so that it would come back as something else.
  const isWhole = unpadded(bytes.toString(encoding)) === unpadded(encoding === 'hex' ? given.toLowerCase() : given)
  if (isWhole && lengths.includes(bytes.length)) return bytes
  throw new HashRefused('is not whole: it was cut off, or is none')
}

const unpadded = (text: string) => text.replace(/=+$/, '')
