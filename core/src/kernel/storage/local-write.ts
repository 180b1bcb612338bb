import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { errorCode } from '../system-errors.ts'
import { StorageDamaged, StorageFull, type Written } from './storage.ts'
import { gathered, isSame, measuring } from './verified.ts'

/** Written by one call; several pieces of a stream go together. */
const BATCH_BYTES = 1024 * 1024

/**
 * Writes a file that does not exist yet, flushes it and reads it again. After a failure nothing is there.
 * @throws StorageDamaged, saying that it was `key`
 */
export async function writeFile(path: string, key: string, content: AsyncIterable<Uint8Array>): Promise<Written> {
  const sent = measuring(content)
  try {
    // Made before anything can fail: a stream makes its file whenever it comes to it, also after it was removed here.
    const file = await open(path, 'wx+', 0o600)
    try {
      await fill(file, gathered(sent.content))
      const written = sent.written()
      // Read while the disk is at work: hashing takes about as long as flushing.
      const [found] = await Promise.all([readBack(file, written.bytes), file.sync()])
      if (!isSame(found, written)) throw new StorageDamaged(key)
      return written
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(path, { force: true })
    if (sent.failure) throw error
    return asFull(error)
  }
}

/** Throws `StorageFull` for an error that says so, and any other as it is. */
export function asFull(error: unknown): never {
  const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(errorCode(error) ?? '')
  throw isFull ? new StorageFull({ cause: error }) : error
}

/** Writes one batch while the next one is gathered. */
async function fill(file: FileHandle, content: AsyncIterable<Uint8Array>): Promise<void> {
  let writing = Promise.resolve()
  try {
    for await (const { pieces } of batches(content)) {
      await writing
      writing = writeAll(file, pieces)
      writing.catch(() => {}) // thrown to whoever awaits it next
    }
  } finally {
    await Promise.allSettled([writing])
  }
  await writing
}

interface Batch {
  pieces: Uint8Array[]
  bytes: number
}

async function* batches(content: AsyncIterable<Uint8Array>): AsyncGenerator<Batch> {
  let batch: Batch = { pieces: [], bytes: 0 }
  for await (const piece of content) {
    if (piece.byteLength === 0) continue
    batch.pieces.push(piece)
    batch.bytes += piece.byteLength
    if (batch.bytes < BATCH_BYTES) continue
    yield batch
    batch = { pieces: [], bytes: 0 }
  }
  if (batch.bytes > 0) yield batch
}

/** A disk that is nearly full takes a part, and says at the next call that it is full. */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  let rest = pieces
  for (;;) {
    const { bytesWritten } = await file.writev(rest)
    const left = rest.reduce((sum, { byteLength }) => sum + byteLength, 0) - bytesWritten
    if (left === 0) return
    if (bytesWritten === 0) throw new Error('The disk takes nothing, and does not say why')
    rest = [Buffer.concat(rest).subarray(bytesWritten)]
  }
}

/** Hashes one part of the file while the next one is read. */
async function readBack(file: FileHandle, expected: number): Promise<Written> {
  const hash = createHash('sha256')
  // One byte more than is expected, so that a small file is read at once.
  const size = Math.min(expected + 1, BATCH_BYTES)
  let [current, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)]
  let bytes = 0
  for (let reading = file.read(current, 0, size, 0); ; ) {
    const { bytesRead } = await reading
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
    bytes += bytesRead
    reading = file.read(other, 0, size, bytes)
    hash.update(current.subarray(0, bytesRead))
    ;[current, other] = [other, current]
  }
}
