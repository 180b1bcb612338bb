import { createHash } from 'node:crypto'
import type { Written } from './storage.ts'

/** Content on its way, with what can be said about it once it has passed. */
export interface Measured {
  readonly content: AsyncGenerator<Uint8Array>
  /** What has passed so far. */
  written(): Written
  /** What the content itself threw; a storage that fails meanwhile is not the cause then. */
  readonly failure: { readonly error: unknown } | undefined
}

/** Counts and hashes content while it passes, one piece at a time. */
export function measuring(content: AsyncIterable<Uint8Array>): Measured {
  const hash = createHash('sha256')
  let bytes = 0
  let failure: Measured['failure']
  return {
    content: pass(),
    written: () => ({ bytes, sha256: hash.copy().digest('hex') }),
    get failure() {
      return failure
    },
  }

  async function* pass() {
    const pieces = content[Symbol.asyncIterator]()
    let isOver = false
    try {
      for (;;) {
        const next = await pieces.next().catch((error: unknown) => {
          isOver = true
          failure = { error }
          throw error
        })
        if (next.done) {
          isOver = true
          return
        }
        hash.update(next.value)
        bytes += next.value.byteLength
        yield next.value
      }
    } finally {
      // Whoever sends content learns that nobody takes it any more.
      if (!isOver) await pieces.return?.()
    }
  }
}

/** Pieces that are gathered have at least so many bytes, but for the last one. */
const GATHERED_BYTES = 64 * 1024
/** A piece costs memory of its own, however small it is. */
const GATHERED_PIECES = 1024

/** The same content in larger pieces: of a client that sends a byte at a time, a part in memory would be a million. */
export async function* gathered(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of content) {
    pieces.push(piece)
    bytes += piece.byteLength
    // What was put together is one piece from here on.
    if (pieces.length >= GATHERED_PIECES) pieces = [Buffer.concat(pieces)]
    if (bytes < GATHERED_BYTES) continue
    yield pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
    pieces = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(pieces)
}

/** The size and hash of content that is read for them alone. */
export async function measure(content: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of content) {
    hash.update(piece)
    bytes += piece.byteLength
  }
  return { bytes, sha256: hash.digest('hex') }
}

export function isSame(one: Written, other: Written): boolean {
  return one.bytes === other.bytes && one.sha256 === other.sha256
}
