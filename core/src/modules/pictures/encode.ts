import type { OutputInfo, ResizeOptions, Sharp } from 'sharp'
import { loadSharp } from './libvips.ts'
import { DECODING, requireHeader, type SentPicture } from './read.ts'
import { damaged, tooLarge } from './refusals.ts'
import { IMAGE_FORMATS, type ImageFormat, type PictureKind, SIZES, type Size } from './variants.ts'

/** A picture as it is kept: every size in every format, without anything that the sent one said beside its pixels. */
export interface EncodedPicture {
  /** Of the largest one. */
  width: number
  height: number
  variants: readonly Variant[]
}

export interface Variant {
  size: Size
  format: ImageFormat
  content: Buffer
}

/** A picture that takes longer is given up. */
const LONGEST_SECONDS = 20
/** Of logos, in heights. */
const WIDEST = 4
const LARGEST = Math.max(...SIZES)

/**
 * Decodes a picture once, upright and in sRGB, and makes all variants of it, on threads of its own: one at a time. Throws
 * what `requireHeader` throws before it decodes a pixel, 415 for one that is damaged behind its header, 413 for one that
 * takes too long.
 */
export async function encodePicture(kind: PictureKind, picture: SentPicture): Promise<EncodedPicture> {
  await requireHeader(picture)
  const { data, info } = await decode(kind, picture.content)
  const { width, height, channels } = info
  const sharp = await loadSharp()
  const variants: Variant[] = []
  for (const size of SIZES)
    for (const format of IMAGE_FORMATS) {
      const pixels = sharp(data, { raw: { width, height, channels } }).resize(boxOf(kind, size))
      variants.push({ size, format, content: await written(pixels, format).toBuffer() })
    }
  return { width, height, variants }
}

interface Pixels {
  data: Buffer
  info: OutputInfo
}

async function decode(kind: PictureKind, content: Buffer): Promise<Pixels> {
  const sharp = await loadSharp()
  try {
    return await sharp(content, { ...DECODING, sequentialRead: true })
      .timeout({ seconds: LONGEST_SECONDS })
      .autoOrient()
      .resize(boxOf(kind, LARGEST))
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
  } catch (error) {
    // The one message that it gives up with; everything else is about the content.
    if (error instanceof Error && error.message.includes('timeout')) throw tooLarge('takes too long to decode')
    throw damaged(error)
  }
}

const written = (pixels: Sharp, format: ImageFormat): Sharp =>
  format === 'webp' ? pixels.webp({ quality: 86, smartSubsample: true }) : pixels.png({ compressionLevel: 9 })

/** Avatars fill a square; logos keep their form and are never enlarged: as high as the size, and four times as wide at most. */
function boxOf(kind: PictureKind, size: number): ResizeOptions {
  if (kind === 'avatar') return { width: size, height: size, fit: 'cover', position: 'centre' }
  return { width: WIDEST * size, height: size, fit: 'inside', withoutEnlargement: true }
}
