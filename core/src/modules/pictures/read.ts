import type { Metadata, SharpOptions } from 'sharp'
import { type AppError, invalidRequest, payloadTooLarge, unsupportedMediaType } from '#kernel'
import { type Format, formatOf } from './formats.ts'
import { loadSharp } from './libvips.ts'

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

/** A picture that was sent, still as it came: its header was read, not its pixels. */
export interface SentPicture {
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
 * Reads a picture that somebody sent to its end. Throws 400 when there is nothing in it, 413 when it is larger than the
 * limits in bytes or pixels, 415 when it is no picture of a format that is taken; each at `#/file`.
 */
export async function readPicture(content: AsyncIterable<Uint8Array>, limits = PICTURE_LIMITS): Promise<SentPicture> {
  const bytes = await readAll(content, limits.bytes)
  if (bytes.length === 0) throw invalidRequest({ errors: [inFile('is empty')] })
  const found = formatOf(bytes)
  if ('refused' in found) throw notTaken(found.refused)
  const metadata = await readHeader(bytes)
  if (!isAs(found.format, metadata)) throw notTaken('is not what its first bytes say that it is')
  requireSize(found.format, metadata, limits)
  return { content: bytes, format: found.format }
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

/** Costs no more than the header is long, however many pixels it claims. */
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

const inFile = (detail: string) => ({ pointer: '#/file', detail })

/** 413, at the file. */
export const tooLarge = (detail: string): AppError => payloadTooLarge({ errors: [inFile(detail)] })

/** 415, at the file. */
export const notTaken = (detail: string, cause?: unknown): AppError =>
  unsupportedMediaType({ errors: [inFile(detail)], cause })

/** 415 for a picture that cannot be read to its end. */
export const damaged = (cause: unknown): AppError => notTaken('is damaged or not complete', cause)
