import { FileMissing, type FileStorage, StorageDamaged, type Written } from './storage.ts'
import { isSame, measure, measuring } from './verified.ts'

/**
 * Copies a file to another storage under the same key, and says what lies there now: whoever knows what it has to be
 * compares before the first one is deleted. Interrupted at any point and repeated, it goes on; what is there already is
 * not sent again. With `expected`, what the file has to be, a copy that is just that is left alone, whatever the first
 * storage holds. Nothing replaces a copy unless it was read whole, and is what is expected.
 * @throws FileMissing when neither storage has it, StorageDamaged when what the first one holds was not read whole or is
 * not what is expected
 */
export async function copyBetween(
  from: FileStorage,
  to: FileStorage,
  key: string,
  { contentType, expected }: { contentType?: string; expected?: Written } = {},
): Promise<Written> {
  if (from.backend === to.backend) throw new Error('A file is copied to another storage than its own')
  const [size, copied] = await Promise.all([from.size(key), to.size(key)])
  if (expected && copied === expected.bytes) {
    const copy = await measure(to.read(key))
    if (isSame(copy, expected)) return copy
  }
  if (size === null) {
    // Moved by an earlier run, which was interrupted before it could say so.
    if (copied !== null) return measure(to.read(key))
    throw new FileMissing(key)
  }
  if (!expected && copied === size) {
    const [original, copy] = await Promise.all([measure(from.read(key)), measure(to.read(key))])
    if (isSame(original, copy)) return copy
  }
  const isRight = (read: Written) => (expected ? isSame(read, expected) : read.bytes === size)
  return to.write(key, rightly(from.read(key), key, isRight), contentType === undefined ? {} : { contentType })
}

/** Fails at its end when it was not right: until a write has ended, the key has its earlier content. */
async function* rightly(
  content: AsyncIterable<Uint8Array>,
  key: string,
  isRight: (read: Written) => boolean,
): AsyncGenerator<Uint8Array> {
  const read = measuring(content)
  yield* read.content
  if (!isRight(read.written())) throw new StorageDamaged(key)
}
