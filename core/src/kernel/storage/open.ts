import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import { createLocalStorage } from './local.ts'
import { createS3Storage } from './s3.ts'
import { type FileStorage, type Storages, StorageUnknown } from './storage.ts'

/** The storages of a core, which it closes. */
export interface OpenStorages extends Storages {
  close(): Promise<void>
}

/** The file storages of a configuration: the disk, and a bucket where one is described. Nothing is touched before the first file. */
export function openStorages({ dataDir, files }: Pick<Config, 'dataDir' | 'files'>): OpenStorages {
  const s3 = files.s3 && createS3Storage(files.s3)
  const described: FileStorage[] = [createLocalStorage(join(dataDir, 'files')), ...(s3 ? [s3] : [])]
  const of: Storages['of'] = (backend) => {
    const found = described.find((storage) => storage.backend === backend)
    if (!found) throw new StorageUnknown(backend)
    return found
  }
  const current = of(files.backend)
  return {
    current,
    of,
    all: [current, ...described.filter((storage) => storage !== current)],
    close: async () => s3?.close(),
  }
}
