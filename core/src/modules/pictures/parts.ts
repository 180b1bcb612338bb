import type { Format } from './formats.ts'
import { requireFewFrames } from './parts-avif.ts'
import { tooLarge } from './refusals.ts'

/** Segments, chunks, blocks or boxes of a picture. Ten MiB of chunks as small as encoders make them are a few thousand. */
const MOST_PARTS = 10_000
/** Decoders keep each segment of a JPEG, and look all of them through for each. The largest profiles and notes of cameras are some hundred. */
const MOST_SEGMENTS = 1_000
/** Each may go over all pixels in a few bytes; encoders make ten or so. */
const MOST_SCANS = 100

/**
 * What of a picture its decoder gets to see: without what it has no use for, and in no more parts than it can read in a
 * moment. Takes milliseconds for the largest. Throws 413 for one of more parts, scans or frames than are taken, 415 for what
 * is put together in a way that is not taken.
 */
export function boundedParts(format: Format, content: Buffer): Buffer {
  return BY_FORMAT[format](content)
}

const BY_FORMAT: Record<Format, (content: Buffer) => Buffer> = {
  jpeg: boundedJpeg,
  png: neededChunks,
  gif: boundedGif,
  webp: boundedWebp,
  avif: requireFewFrames,
}

function counter(most: number, what: string): () => void {
  let count = 0
  return () => {
    if (++count > most) throw tooLarge(`has more than ${most} ${what}, which are the most`)
  }
}

const [START, END, SCAN, FIRST_SEGMENT] = [0xd8, 0xd9, 0xda, 0xc0] as const // bytes
const isAlone = (marker: number) => marker < FIRST_SEGMENT || (marker >= 0xd0 && marker <= START)

/** Ends at the first end: what stands behind it, such as the brightness for other screens, is a picture of its own. */
function boundedJpeg(content: Buffer): Buffer {
  const countSegment = counter(MOST_SEGMENTS, 'segments')
  const countScan = counter(MOST_SCANS, 'scans')
  for (let at = nextMarker(content, 0); at < content.length; ) {
    const marker = content.readUInt8(at)
    if (marker === END) return content.subarray(0, at + 1)
    if (isAlone(marker)) {
      at = nextMarker(content, at + 1)
      continue
    }
    countSegment()
    if (marker === SCAN) countScan()
    // One that is cut off is the decoder's to refuse.
    if (at + 2 >= content.length) break
    at = nextMarker(content, at + 1 + Math.max(2, content.readUInt16BE(at + 1)))
  }
  return content
}

/** As decoders look for it: whatever stands between two segments, pixels above all, is passed over. */
function nextMarker(content: Buffer, from: number): number {
  for (let at = from; at + 1 < content.length; at++) {
    if (content[at] !== 0xff) continue
    const code = content[at + 1]
    if (code !== 0 && code !== 0xff) return at + 1
  }
  return content.length
}

/** What says how pixels are to be shown. Texts are left out: a few bytes of them may unpack to any amount. */
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'eXIf', 'IDAT', 'IEND'])

function neededChunks(content: Buffer): Buffer {
  const countChunk = counter(MOST_PARTS, 'chunks')
  const kept = [content.subarray(0, 8)]
  const seen = new Set<string>()
  let isOver = false
  for (let at = 8; at < content.length && !isOver; ) {
    countChunk()
    // One that is cut off is the decoder's to refuse.
    const end = at + 8 <= content.length ? at + 12 + content.readUInt32BE(at) : content.length
    const type = content.toString('latin1', at + 4, at + 8)
    // All but the pixels stand there once.
    if (NEEDED.has(type) && (type === 'IDAT' || !seen.has(type))) kept.push(content.subarray(at, end))
    seen.add(type)
    isOver = type === 'IEND'
    at = end
  }
  return Buffer.concat(kept)
}

const [EXTENSION, FRAME] = [0x21, 0x2c] as const // bytes

/** Ends where something else than frames and extensions stands, the end above all. */
function boundedGif(content: Buffer): Buffer {
  const countBlock = counter(MOST_PARTS, 'blocks')
  let at = 13 + bytesOfColors(content[10])
  for (;;) {
    const kind = content[at]
    if (kind !== EXTENSION && kind !== FRAME) return content.subarray(0, at + 1)
    countBlock()
    at = afterSubBlocks(content, at + (kind === EXTENSION ? 2 : 11 + bytesOfColors(content[at + 9])))
  }
}

/** Of the table that these flags announce. */
const bytesOfColors = (flags = 0): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)

function afterSubBlocks(content: Buffer, from: number): number {
  let at = from
  for (let length = content[at]; length; length = content[at]) at += 1 + length
  return at + 1
}

function boundedWebp(content: Buffer): Buffer {
  const countChunk = counter(MOST_PARTS, 'chunks')
  for (let at = 12; at + 8 <= content.length; ) {
    countChunk()
    const length = content.readUInt32LE(at + 4)
    at += 8 + length + (length % 2)
  }
  return content
}
