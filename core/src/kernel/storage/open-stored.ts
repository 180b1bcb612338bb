import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { ByteRange, FileStorage } from './storage.ts'

/**
 * Opens a file, or a range of it, for a client, before the answer that carries it begins: resolves once it is known to be there, and fails
 * as reading it does otherwise. Whoever does not pass the stream on destroys it.
 * @throws FileMissing when there is none
 */
export async function openStored(storage: FileStorage, key: string, range?: ByteRange): Promise<Readable> {
  const content = storage.read(key, range, { isForClient: true })
  try {
    await once(content, 'readable')
    return content
  } catch (error) {
    content.destroy()
    throw error
  }
}
