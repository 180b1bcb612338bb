import type { Metadata, SharpOptions } from 'sharp'
import { invalidRequest } from '#kernel'
import { type Format, formatOf } from './formats.ts'
import { loadSharp } from './libvips.ts'
import { boundedParts } from './parts.ts'
import { damaged, inFile, notTaken, tooLarge } from './refusals.ts'

/** What a picture may be at most. */
export interface PictureLimits {
  bytes: number
  /** Of all its frames together. */
  pixels: number
  /** The same, where decoding holds all of them in memory several times over: AVIF, and PNG that comes in passes. */
  heldPixels: number
  /** Pixels of its width, and of its height. */
  side: number
}

export const PICTURE_LIMITS: PictureLimits = {
  bytes: 10 * 1024 * 1024,
  pixels: 50_000_000,
  heldPixels: 16_000_000,
  side: 16_384,
}

/** A picture that was sent, of which nothing was decoded yet. */
export interface SentPicture {
  /** Without what its decoder has no use for. */
  content: Buffer
  format: Format
}

/** How pictures are decoded: the first frame alone, and one that is damaged or larger than its header said is an error. */
export const DECODING = {
  failOn: 'error',
  limitInputPixels: PICTURE_LIMITS.pixels,
  pages: 1,
} as const satisfies SharpOptions // a word is a type

/**
 * Reads a picture that somebody sent to its end. Throws 400 when there is nothing in it, 413 when it has more bytes or parts
 * than it may, 415 when it is no picture of a format that is taken; each at `#/file`.
 */
export async function readPicture(content: AsyncIterable<Uint8Array>): Promise<SentPicture> {
  const bytes = await readAll(content, PICTURE_LIMITS.bytes)
  if (bytes.length === 0) throw invalidRequest({ errors: [inFile('is empty')] })
  const found = formatOf(bytes)
  if ('refused' in found) throw notTaken(found.refused)
  return { content: boundedParts(found.format, bytes), format: found.format }
}

/**
 * Asks the decoder what the header of a picture says, which takes a thread for as long as its parts are many. Throws 413 when
 * it has more pixels than it may, 415 when it is not what it seemed; each at `#/file`.
 */
export async function requireHeader({ content, format }: SentPicture, limits = PICTURE_LIMITS): Promise<void> {
  const metadata = await readHeader(content)
  if (!isAs(format, metadata)) throw notTaken('is not what its first bytes say that it is')
  requireSize(format, metadata, limits)
}

async function readAll(content: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of content) {
    bytes += piece.length
    if (bytes > most)
      throw tooLarge(`has more than ${most / 1024 / 1024} MiB, which is the most that a picture may have`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** No pixel is decoded, however many it claims. */
async function readHeader(content: Buffer): Promise<Metadata> {
  const sharp = await loadSharp()
  try {
    return await sharp(content, { ...DECODING, limitInputPixels: false }).metadata()
  } catch (cause) {
    throw damaged(cause)
  }
}

/** HEIC and AVIF are one to the decoder but for their compression. */
function isAs(format: Format, { format: read, compression }: Metadata): boolean {
  // The declared types leave out what the decoder says of AVIF.
  const name: string | undefined = read
  return format === 'avif' ? (name === 'heif' || name === 'avif') && compression === 'av1' : name === format
}

function requireSize(format: Format, metadata: Metadata, { pixels, heldPixels, side }: PictureLimits): void {
  const { width, height, pages = 1, isProgressive } = metadata
  if (width < 1 || height < 1) throw notTaken('has no pixels')
  if (width > side || height > side)
    throw tooLarge(`has ${width} × ${height} pixels; ${side} are the most in each direction`)
  const isHeld = format === 'avif' || (format === 'png' && isProgressive)
  const most = isHeld ? heldPixels : pixels
  if (width * height * pages <= most) return
  const frames = pages > 1 ? ` in each of ${pages} frames` : ''
  throw tooLarge(`has ${width} × ${height} pixels${frames}; ${most / 1_000_000} million in all are the most`)
}
