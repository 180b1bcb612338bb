import type { Readable } from 'node:stream'

/** A stored file, as `list` finds it. */
export interface StoredFile {
  key: string
  /** Size in bytes. */
  bytes: number
}

/**
 * Where whole files are kept, by keys such as `audit/<id>/2026-01.ndjson.gz`: names of `a-z 0-9 . _ -` that do not begin
 * with a dot, between slashes. Every method throws `InvalidFileKey` on another key.
 */
export interface FileStorage {
  /**
   * Writes a file under the key, replacing an existing one, atomically: after any failure or crash the key has its
   * earlier content. Resolves to the size in bytes once the file is safe on disk; throws what `content` throws.
   */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<{ bytes: number }>
  /** The bytes of a file. The stream fails with `FileMissing` when there is none. */
  read(key: string): Readable
  has(key: string): Promise<boolean>
  /** Removes a file; one that is not there is no error. */
  delete(key: string): Promise<void>
  /** All files below a folder (`audit/<id>`), or all there are for ''; ordered by name within each folder. */
  list(folder: string): AsyncIterable<StoredFile>
}

/** A key that no file can have. */
export class InvalidFileKey extends Error {
  override name = 'InvalidFileKey'

  constructor() {
    super('A file key is made of names of a-z, 0-9, ".", "_" and "-" that begin with no dot, between slashes')
  }
}

/** There is no file with this key. */
export class FileMissing extends Error {
  override name = 'FileMissing'
  readonly key: string

  constructor(key: string) {
    super(`There is no file ${key}`)
    this.key = key
  }
}

const MAX_LENGTH = 500
const KEY = /^[a-z0-9_-][a-z0-9._-]{0,199}(\/[a-z0-9_-][a-z0-9._-]{0,199})*$/

/** Throws `InvalidFileKey` unless a file may have this key. */
export function checkFileKey(key: string): void {
  if (key.length > MAX_LENGTH || !KEY.test(key)) throw new InvalidFileKey()
}
