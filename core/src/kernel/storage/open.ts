import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { createLocalStorage } from './local.ts'
import type { FileStorage } from './storage.ts'

/** The file storage of a configuration: local disk. Nothing is touched before the first file. */
export function openStorage({ dataDir }: Config): FileStorage {
  return createLocalStorage(join(dataDir, 'files'))
}
