import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { createLocalStorage } from './local.ts'
import type { FileStorage } from './storage.ts'

/** The file storage of a configuration. Nothing is touched before the first file. */
export function openStorage({ dataDir, files }: Config): FileStorage {
  return files.backend === 'local' ? createLocalStorage(join(dataDir, 'files')) : noStorage
}

/** Stands in for a bucket: whoever needs it is told so, and nobody else. */
const noStorage: FileStorage = {
  write: refuse,
  read: refuse,
  has: refuse,
  delete: refuse,
  list: refuse,
}

function refuse(): never {
  throw new Error('Files cannot be kept in a bucket here: it takes FILE_STORAGE_BACKEND=local')
}
