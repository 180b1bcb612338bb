import { payloadTooLarge } from '#kernel'

/** A body while it arrives, taken in pieces. That the client breaks off ends it as its end does, and is remembered. */
export class Arriving {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #most: number
  #waiting: Buffer[] = []
  #received = 0
  #isOver = false
  #stopped: Error | undefined
  #isIdle = false
  #isPending = false
  #isReading = false
  #wake: (() => void) | null = null

  /** What the client's breaking off looks like from here. */
  failure: { error: unknown } | undefined

  /** `most`: more bytes are 413. */
  constructor(content: AsyncIterable<Buffer>, most: number) {
    this.#chunks = content[Symbol.asyncIterator]()
    this.#most = most
  }

  /** Whether the client has sent nothing since this was asked last. */
  isIdle = (): boolean => {
    const was = this.#isIdle
    this.#isIdle = this.#isPending
    return was && this.#isPending
  }

  /** Whoever takes something from now on gets this error. */
  stop = (error: Error): void => {
    this.#stopped ??= error
    this.#wake?.()
  }

  /** Throws the error that it was stopped with. */
  requireGoing = (): void => {
    if (this.#stopped) throw this.#stopped
  }

  /** Waits for so many bytes, or for the end, and leaves them where they are. */
  async peek(bytes: number): Promise<Buffer> {
    const seen: Buffer[] = []
    let length = 0
    while (length < bytes) {
      const chunk = await this.#next()
      if (!chunk) break
      seen.push(chunk)
      length += chunk.length
    }
    this.#waiting = [...seen, ...this.#waiting]
    return Buffer.concat(seen).subarray(0, bytes)
  }

  /** Takes up to so many bytes: the last ones only when nothing follows that was not announced. */
  async *take(bytes: number, isLate: () => boolean): AsyncGenerator<Buffer> {
    for (let left = bytes; left > 0 && !(left < bytes && isLate()); ) {
      const chunk = await this.#next()
      if (!chunk) return
      const part = chunk.subarray(0, left)
      if (part.length < chunk.length) this.#waiting.unshift(chunk.subarray(left))
      left -= part.length
      if (this.#received === this.#most) await this.peek(1)
      yield part
    }
  }

  async #next(): Promise<Buffer | null> {
    const kept = this.#waiting.shift()
    if (this.#stopped) throw this.#stopped
    if (kept) return kept
    if (this.#isOver) return null
    const chunk = await this.#pull()
    if (this.#stopped) throw this.#stopped
    if (!chunk) return null
    this.#received += chunk.length
    if (this.#received > this.#most) throw this.#tooMuch()
    return chunk
  }

  /** Null at the end, and where the client breaks off. */
  async #pull(): Promise<Buffer | null> {
    this.#isPending = true
    try {
      return await new Promise((resolve) => {
        this.#wake = () => resolve(null)
        void this.#read().then(resolve)
      })
    } finally {
      this.#wake = null
      this.#isPending = false
      this.#isIdle = false
    }
  }

  async #read(): Promise<Buffer | null> {
    this.#isReading = true
    try {
      const { done, value } = await this.#chunks.next()
      if (!done) return value
    } catch (error) {
      this.failure = { error }
    } finally {
      this.#isReading = false
    }
    this.#isOver = true
    return null
  }

  #tooMuch(): Error {
    const error = payloadTooLarge({ detail: `More than the announced bytes arrive: ${this.#most} were left` })
    this.stop(error)
    return error
  }

  /** Nobody reads on. */
  async close(): Promise<void> {
    // One that waits ends when the connection does.
    if (!this.#isReading && !this.#isOver) await this.#chunks.return?.()
  }
}
