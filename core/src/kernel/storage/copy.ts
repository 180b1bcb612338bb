import { FileMissing, type FileStorage, StorageDamaged, type Written } from './storage.ts'
import { isSame, measure } from './verified.ts'

/**
 * Copies a file to another storage under the same key, and says what lies there now: whoever knows what it has to be
 * compares before the first one is deleted. Interrupted at any point and repeated, it goes on; what is there already is
 * not sent again.
 * @throws FileMissing when neither storage has it, StorageDamaged when the copy is not what the first one holds
 */
export async function copyBetween(
  from: FileStorage,
  to: FileStorage,
  key: string,
  options?: { contentType?: string },
): Promise<Written> {
  if (from.backend === to.backend) throw new Error('A file is copied to another storage than its own')
  const [size, copied] = await Promise.all([from.size(key), to.size(key)])
  if (size === null) {
    // Moved by an earlier run, which was interrupted before it could say so.
    if (copied !== null) return measure(to.read(key))
    throw new FileMissing(key)
  }
  if (copied === size) {
    const [original, copy] = await Promise.all([measure(from.read(key)), measure(to.read(key))])
    if (isSame(original, copy)) return copy
  }
  const written = await to.write(key, from.read(key), options)
  if (written.bytes === size) return written
  await to.delete(key)
  throw new StorageDamaged(key)
}
