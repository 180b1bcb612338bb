import {
  type Backend,
  Closed,
  type Ctx,
  defineJob,
  FileMissing,
  type FileStorage,
  HOURS,
  isSame,
  MINUTES,
  measure,
  OneOf,
  Type,
  Uuid,
  type Written,
} from '#kernel'
import { findFile } from '../queries.ts'
import type { FileRow } from '../table.ts'
import { piecePath } from '../uploads/pieces.ts'
import { updateBackend } from './sweep-queries.ts'

const BACKEND = OneOf(['local', 's3'])
/** Pieces that are removed at the same time. */
const AT_ONCE = 16

/** Removes what the storage has of a file that is gone. Tried for days: what is left in the end the sweep finds. */
export const deleteObject = defineJob('files.delete_object', {
  payload: Closed({
    backend: BACKEND,
    path: Type.String(),
    /** Of a resumable upload. */
    pieces: Type.Optional(Type.Integer()),
    /** The file itself stays: its pieces have been joined. */
    isJoined: Type.Optional(Type.Boolean()),
  }),
  maxAttempts: 20,
  // 10,000 pieces, where each takes a bucket a second or two.
  leaseMs: 20 * MINUTES,
  transaction: 'manual',
  outbound: true,
  handler: (ctx, payload) => removeObject(ctx, payload),
})

interface Removal {
  backend: Backend
  path: string
  pieces?: number
  isJoined?: boolean
}

async function removeObject(ctx: Ctx, { backend, path, pieces = 0, isJoined = false }: Removal): Promise<void> {
  const storage = ctx.storages.of(backend)
  for (let from = 0; from <= pieces; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, pieces + 1 - from) }, (_, at) => piecePath(path, from + at))
    await Promise.all(some.map((key) => storage.delete(key)))
  }
  if (!isJoined) await storage.delete(path)
}

/**
 * Removes the copy of a file that a storage has which is not the file's any more: only once the other one was read and is
 * the file, by its checksum. Where that has lost it, the copy is the file again.
 */
export const retireCopy = defineJob('files.retire_copy', {
  payload: Closed({ id: Uuid, backend: BACKEND, path: Type.String() }),
  maxAttempts: 20,
  // Both copies are read to their end, of files of many gigabytes too.
  leaseMs: 1 * HOURS,
  transaction: 'manual',
  outbound: true,
  handler: async (ctx, { id, backend, path }) => {
    const find = () => ctx.transaction(({ tx, tenantId }) => findFile(tx, tenantId, id), { readOnly: true })
    const file = await find()
    if (file?.storage_backend === backend) return
    if (file && !(await holds(ctx.storages.of(file.storage_backend), file))) await putBack(ctx, file, backend)
    // It may have been moved back while it was read.
    else if ((await find())?.storage_backend !== backend) await ctx.storages.of(backend).delete(path)
  },
})

/** Whether the storage of a file has as many bytes under its key as the file. */
export async function isThere(
  { storages }: Pick<Ctx, 'storages'>,
  file: Pick<FileRow, 'storage_backend' | 'storage_path' | 'size'>,
): Promise<boolean> {
  return (await storages.of(file.storage_backend).size(file.storage_path)) === file.size
}

/** What a file has to be. */
export const contentOf = (file: Pick<FileRow, 'size' | 'checksum_sha256'>): Written => ({
  bytes: file.size,
  sha256: file.checksum_sha256,
})

/** Whether a storage has this very file, by its checksum: it is read to its end. */
export async function holds(
  storage: FileStorage,
  file: Pick<FileRow, 'storage_path' | 'size' | 'checksum_sha256'>,
): Promise<boolean> {
  if ((await storage.size(file.storage_path)) !== file.size) return false
  try {
    return isSame(await measure(storage.read(file.storage_path)), contentOf(file))
  } catch (error) {
    if (error instanceof FileMissing) return false
    throw error
  }
}

async function putBack(ctx: Ctx, file: FileRow, to: Backend): Promise<void> {
  const place = { file: file.id, tenant_id: file.tenant_id, storage_backend: file.storage_backend }
  if (!(await holds(ctx.storages.of(to), file)))
    // Nothing is removed while nobody knows which one is right: the sweep says that it is missing.
    return ctx.log.error(place, 'neither storage has a file that was moved')
  const change = { from: file.storage_backend, to, now: ctx.clock.now() }
  await ctx.transaction(({ tx }) => updateBackend(tx, file, change))
  ctx.log.error(place, 'a storage has lost a file that was moved to it: it is where it was before')
}
