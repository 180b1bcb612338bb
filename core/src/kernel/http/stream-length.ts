import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream'

/** A stream has more or fewer bytes than were announced. */
export class WrongLength extends Error {
  override name = 'WrongLength'

  constructor(announced: number, what: string) {
    super(`A stream of ${announced} bytes was announced: it has ${what}`)
  }
}

/** What goes out in one piece: of a larger one nobody could tell that a slow client takes a part of it. */
const PIECE_BYTES = 64 * 1024

/** Lets exactly so many bytes through. */
class Measured extends Transform {
  readonly #announced: number | null
  #bytes = 0

  constructor(announced: number | null) {
    super({ readableHighWaterMark: PIECE_BYTES, writableHighWaterMark: PIECE_BYTES })
    this.#announced = announced
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#bytes += chunk.length
    // Nothing of the chunk is sent: the client must not take what it has for the whole.
    if (this.#announced !== null && this.#bytes > this.#announced) done(new WrongLength(this.#announced, 'more'))
    else {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) this.push(chunk.subarray(at, at + PIECE_BYTES))
      done()
    }
  }

  override _flush(done: TransformCallback): void {
    const announced = this.#announced
    done(announced !== null && this.#bytes < announced ? new WrongLength(announced, `${this.#bytes}`) : null)
  }
}

/**
 * The same bytes in pieces that can be sent, as many as were announced (null: any number). Fails with `WrongLength` where
 * there are more or fewer; destroying it destroys the stream.
 */
export function ofLength(stream: Readable, announced: number | null): Readable {
  if (stream instanceof Measured) return stream
  const measured = new Measured(announced)
  // Its errors are those of what is returned.
  pipeline(stream, measured, () => {})
  return measured
}
