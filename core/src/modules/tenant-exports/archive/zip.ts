import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'
import type { Written } from '#kernel'
import { openSpool, type Spool } from './spool.ts'
import { descriptor, directoryRecord, dosTime, endOfZip, fileHeader } from './zip-records.ts'

/** A ZIP file that is written from its beginning to its end, in memory that does not grow with it. */
export interface Zip {
  /** Adds an entry of any length; says what it was. Its name is a path with slashes. One at a time. */
  add(name: string, content: AsyncIterable<Uint8Array>, options: { isCompressed: boolean }): Promise<Written>
  /** Writes the directory, without which it is no ZIP file. */
  finish(): Promise<void>
  /** Lets go of what was put aside. */
  close(): Promise<void>
}

/**
 * Begins a ZIP file whose bytes go to `write`, which resolves when more may come. Every entry may be larger than 4 GiB, and there may be
 * millions: the directory of all, which comes last, waits on the disk. `atMs`: when its entries were changed.
 */
export async function createZip(write: (bytes: Uint8Array) => Promise<void>, atMs: number): Promise<Zip> {
  const directory = await openSpool()
  return new StreamedZip(write, directory, dosTime(atMs))
}

class StreamedZip implements Zip {
  readonly #write: (bytes: Uint8Array) => Promise<void>
  readonly #directory: Spool
  readonly #at: { time: number; date: number }
  #position = 0
  #entries = 0
  #directoryBytes = 0

  constructor(write: (bytes: Uint8Array) => Promise<void>, directory: Spool, at: { time: number; date: number }) {
    this.#write = write
    this.#directory = directory
    this.#at = at
  }

  async add(path: string, content: AsyncIterable<Uint8Array>, { isCompressed }: { isCompressed: boolean }) {
    const entry = { name: Buffer.from(path), isCompressed, offset: this.#position, ...this.#at }
    await this.#send(fileHeader(entry))
    const begins = this.#position
    const passed = measuring(content)
    if (isCompressed)
      await pipeline(Readable.from(passed.content, { objectMode: false }), createDeflateRaw(), (packed) =>
        this.#sendAll(packed),
      )
    else await this.#sendAll(passed.content)
    const { crc, written } = passed.result()
    const sizes = { crc, bytes: written.bytes, packed: this.#position - begins }
    await this.#send(descriptor(sizes))
    const record = directoryRecord({ ...entry, ...sizes })
    this.#entries++
    this.#directoryBytes += record.byteLength
    await this.#directory.append(record)
    return written
  }

  async finish() {
    const offset = this.#position
    await this.#sendAll(this.#directory.read())
    await this.#send(endOfZip({ entries: this.#entries, bytes: this.#directoryBytes, offset }))
  }

  close() {
    return this.#directory.close()
  }

  async #sendAll(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const piece of pieces) await this.#send(piece)
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes)
    this.#position += bytes.byteLength
  }
}

/** Counts and hashes content while it passes. */
function measuring(content: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let bytes = 0
  let crc = 0
  async function* pass() {
    for await (const piece of content) {
      hash.update(piece)
      crc = crc32(piece, crc)
      bytes += piece.byteLength
      yield piece
    }
  }
  return { content: pass(), result: () => ({ crc, written: { bytes, sha256: hash.digest('hex') } }) }
}
