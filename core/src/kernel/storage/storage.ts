import type { Readable } from 'node:stream'

/** A kind of place where files are kept. */
export type Backend = 'local' | 's3'

/** A stored file, as `list` finds it. */
export interface StoredFile {
  key: string
  /** Size in bytes. */
  bytes: number
}

/** What was written, and found again in the storage afterwards. */
export interface Written {
  /** Size in bytes. */
  bytes: number
  /** SHA-256 of the content in hexadecimal. */
  sha256: string
}

/** A part of a file, both ends included, as a range of HTTP is. */
export interface ByteRange {
  start: number
  end: number
}

/** What an upload straight to the storage has to be; the storage refuses one that differs. */
export interface DirectUpload {
  bytes: number
  contentType: string
  expiresInSeconds: number
}

/** The request by which a client uploads straight to the storage. */
export interface DirectRequest {
  method: 'PUT'
  url: string
  /** To be sent with it exactly so. */
  headers: Readonly<Record<string, string>>
}

/**
 * Where whole files are kept, by keys such as `audit/<id>/2026-01.ndjson.gz`: names of `a-z 0-9 . _ -` that do not begin
 * with a dot, between slashes. Every method throws `InvalidFileKey` on another key.
 */
export interface FileStorage {
  readonly backend: Backend
  /** The largest file, in bytes, that a client can upload by itself. */
  readonly largestDirect: number
  /**
   * Writes a file under the key, replacing an existing one, atomically: until it is replaced, the key has its earlier content,
   * whatever fails; a failure after that (what was read again differs) may leave it without any. Resolves once the file is safe and was read again as it was sent; throws what `content` throws,
   * `StorageFull` when there is no room, `StorageDamaged` when something else came to lie there.
   */
  write(key: string, content: AsyncIterable<Uint8Array>, options?: { contentType?: string }): Promise<Written>
  /**
   * The bytes of a file, or those of a range of it. The stream fails with `FileMissing` when there is none. What is read
   * for a client says so: clients may read as slowly as they like, and keep nothing waiting but other clients.
   */
  read(key: string, range?: ByteRange, options?: { isForClient?: boolean }): Readable
  /** The size of a file in bytes; null when there is none. */
  size(key: string): Promise<number | null>
  has(key: string): Promise<boolean>
  /** Removes a file; one that is not there is no error. */
  delete(key: string): Promise<void>
  /** All files below a folder (`audit/<id>`), or all there are for ''; by their keys in the order of their characters. */
  list(folder: string): AsyncIterable<StoredFile>
  /** A request by which a client uploads a file under the key by itself; null where no client can reach the storage. */
  presignUpload(key: string, upload: DirectUpload): Promise<DirectRequest | null>
  /** Resolves to one sentence when files can be written and read; throws an Error that says what is wrong and what to do. */
  check(): Promise<string>
}

/** The storages of an installation. What is stored remembers its own, so that changing the setting strands nothing. */
export interface Storages {
  /** Where new files go: `FILE_STORAGE_BACKEND`. */
  readonly current: FileStorage
  /** Throws `StorageUnknown` for one that the settings do not describe. */
  of(backend: Backend): FileStorage
  /** All that the settings describe, the current one first. */
  readonly all: readonly FileStorage[]
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

/** The storage has no room left. Nothing of the file stays. */
export class StorageFull extends Error {
  override name = 'StorageFull'

  constructor(options?: ErrorOptions) {
    super('The file storage has no room left', options)
  }
}

/** What the storage holds is not what was sent to it. Nothing of the file stays. */
export class StorageDamaged extends Error {
  override name = 'StorageDamaged'
  readonly key: string

  constructor(key: string) {
    super(`The storage holds something else under ${key} than what was sent to it`)
    this.key = key
  }
}

/** The storage did not do what it was asked to. The message says what to do about it and holds nothing secret. */
export class StorageFailed extends Error {
  override name = 'StorageFailed'
  /** What the storage or the system called it (`AccessDenied`, `ECONNREFUSED`). */
  readonly reason: string

  constructor(message: string, reason: string) {
    super(message)
    this.reason = reason
  }
}

/** Files are in a storage that the settings no longer describe. */
export class StorageUnknown extends Error {
  override name = 'StorageUnknown'

  constructor(backend: string) {
    super(`Files are in the storage ${backend}, which the settings do not describe: set what they say about it again`)
  }
}

const MAX_LENGTH = 500
const KEY = /^[a-z0-9_-][a-z0-9._-]{0,199}(\/[a-z0-9_-][a-z0-9._-]{0,199})*$/

/** Throws `InvalidFileKey` unless a file may have this key. */
export function checkFileKey(key: string): void {
  if (!isFileKey(key)) throw new InvalidFileKey()
}

export function isFileKey(key: string): boolean {
  return key.length <= MAX_LENGTH && KEY.test(key)
}

/** Throws unless the range has at least one byte; what lies beyond the end of a file is left out when it is read. */
export function checkRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start)
    throw new RangeError('A range of bytes begins at 0 or later, and ends where it begins or later')
}
