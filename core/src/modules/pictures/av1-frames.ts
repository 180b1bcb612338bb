import { damaged } from './refusals.ts'

const [FRAME_HEADER, FRAME] = [3, 6] as const // of the standard

/** How many frames a stream of AV1 has, shown or not. Throws 415 for what is none. */
export function framesIn(stream: Buffer): number {
  let frames = 0
  for (let at = 0; at < stream.length; ) {
    const head = stream.readUInt8(at++)
    // Decoders pass over zeros between frames.
    if (head === 0) continue
    const [type, hasMore, hasSize] = [(head >> 3) & 15, (head & 4) !== 0, (head & 2) !== 0]
    if (type === FRAME || type === FRAME_HEADER) frames++
    if (!hasSize) throw damaged('a part of a frame does not say its size')
    if (hasMore) at++
    let size = 0
    // Seven bits in each byte, the lowest first; the eighth says that another one follows.
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      if (shift > 28) throw damaged('a part of a frame is too large')
      byte = stream.readUInt8(at++)
      size += (byte & 0x7f) * 2 ** shift
    }
    at += size
  }
  return frames
}
