import { AppError } from '#kernel'
import { framesIn } from './av1-frames.ts'
import { damaged, notTaken, tooLarge } from './refusals.ts'

/** Boxes in a file, and in each box that is looked into. */
const MOST_BOXES = 1_000
/** Of all items together: a picture, what is transparent in it and its brightness for other screens, each in a few layers. */
const MOST_FRAMES = 8
const MOST_EXTENTS = 32
/** What one still picture is made of. Tiles and the like name other items, and those again, any number of times. */
const TAKEN_ITEMS = new Set(['av01', 'Exif', 'mime', 'uri ', 'tmap'])

/**
 * Decoding goes over every frame, shown or not, and one takes a few hundred bytes: so few are taken. Gives the content as it
 * is. Throws 413 for more of them, 415 for what is damaged, moves, or is put together from other pictures.
 */
export function requireFewFrames(content: Buffer): Buffer {
  try {
    const frames = countFrames(content)
    if (frames > MOST_FRAMES) throw tooLarge(`has more than ${MOST_FRAMES} frames, which are the most`)
    return content
  } catch (error) {
    // Something else has run into the end of the content.
    throw error instanceof AppError ? error : damaged(error)
  }
}

function countFrames(content: Buffer): number {
  const boxes = boxesIn(content)
  if (boxes.some(({ type }) => type === 'moov' || type === 'mini')) throw notTaken('is not one still AVIF')
  // Behind version and flags.
  const parts = boxesIn(only(boxes, 'meta').subarray(4))
  const types = typesOf(only(parts, 'iinf'))
  for (const type of types.values())
    if (!TAKEN_ITEMS.has(type)) throw notTaken('is put together from other pictures: send a JPEG or PNG')
  let [frames, bytes] = [0, 0]
  let data: Buffer | undefined
  for (const { id, place, extents } of placesOf(only(parts, 'iloc'))) {
    if (types.get(id) !== 'av01') continue
    if (place === IN_META) data ??= only(parts, 'idat')
    const source = place === IN_META && data ? data : content
    const pieces = extents.map(({ start, length }) => source.subarray(start, length === 0 ? undefined : start + length))
    bytes += pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (bytes > content.length) throw damaged('its items overlap')
    frames += framesIn(Buffer.concat(pieces))
  }
  return frames
}

interface Box {
  type: string
  body: Buffer
}

function boxesIn(content: Buffer): Box[] {
  const boxes: Box[] = []
  for (let at = 0; at + 8 <= content.length; ) {
    if (boxes.length === MOST_BOXES) throw tooLarge(`has more than ${MOST_BOXES} boxes, which are the most`)
    const said = content.readUInt32BE(at)
    const head = said === 1 ? 16 : 8
    const size = said === 1 ? Number(content.readBigUInt64BE(at + 8)) : said === 0 ? content.length - at : said
    if (size < head) throw damaged('a box is smaller than its head')
    boxes.push({ type: content.toString('latin1', at + 4, at + 8), body: content.subarray(at + head, at + size) })
    at += size
  }
  return boxes
}

/** Decoders do not agree about which one counts when there are two. */
function only(boxes: readonly Box[], wanted: string): Buffer {
  const [first, ...others] = boxes.filter(({ type }) => type === wanted)
  if (!first || others.length > 0) throw damaged(`there is not one ${wanted}`)
  return first.body
}

/** What each item is, by its id. */
function typesOf(iinf: Buffer): Map<number, string> {
  const types = new Map<number, string>()
  for (const { body } of boxesIn(iinf.subarray(iinf.readUInt8(0) === 0 ? 6 : 8))) {
    const version = body.readUInt8(0)
    if (version < 2) throw damaged('an item does not say what it is')
    const idBytes = version === 2 ? 2 : 4
    const at = 4 + idBytes + 2
    types.set(body.readUIntBE(4, idBytes), body.toString('latin1', at, at + 4))
  }
  return types
}

const [IN_FILE, IN_META] = [0, 1] as const // of the standard

interface Place {
  id: number
  place: number
  extents: { start: number; length: number }[]
}

/** Where the content of each item stands. */
function* placesOf(iloc: Buffer): Generator<Place> {
  let at = 4
  const next = (bytes: number): number => {
    at += bytes
    if (bytes === 8) return Number(iloc.readBigUInt64BE(at - 8))
    return bytes === 0 ? 0 : iloc.readUIntBE(at - bytes, bytes)
  }
  const version = iloc.readUInt8(0)
  const sizes = next(2)
  const [offset, length, base, index] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15, sizes & 15] as const // of the standard
  const wide = version < 2 ? 2 : 4
  const items = next(wide)
  if (items > MOST_BOXES) throw tooLarge(`has more than ${MOST_BOXES} items, which are the most`)
  for (let left = items; left > 0; left--) {
    const id = next(wide)
    const place = version === 0 ? IN_FILE : next(2) & 15
    if (place > IN_META || next(2) !== 0) throw damaged('an item stands somewhere else')
    const start = next(base)
    const count = next(2)
    if (count > MOST_EXTENTS) throw damaged('an item stands in too many places')
    const extents = Array.from({ length: count }, () => {
      if (version > 0) next(index)
      return { start: start + next(offset), length: next(length) }
    })
    yield { id, place, extents }
  }
}
