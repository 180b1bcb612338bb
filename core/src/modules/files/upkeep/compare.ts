import { type Ctx, DAYS, type FileStorage, fromNow, isUuid, type StoredFile, timeOfId } from '#kernel'
import { listOwners, listSwept, type Swept } from './sweep-queries.ts'

/** What a storage and the rows of a tenant do not agree about. */
export type Finding =
  /** An object of a file, or a piece of an upload, that is not there: `bytes` that nobody counts. Its id says when it was made. */
  | { is: 'orphan' | 'piece'; object: StoredFile; madeMs: number }
  /** Under a name that nothing here makes. */
  | { is: 'unknown'; object: StoredFile }
  /** A second copy of a file whose row says for a day that it is elsewhere. */
  | { is: 'copy'; file: Swept; object: StoredFile }
  /** The storage of the row seems to be without the file, or to have something of another size. */
  | { is: 'absent'; file: Swept }
  /** A file that was missing is there. */
  | { is: 'found'; file: Swept }

/** How much was compared. */
export interface Compared {
  objects: number
  files: number
}

/** What is younger may be about to be written, moved or removed. */
const AGE_MS = 1 * DAYS
const PAGE = 1_000
/** Ids whose rows are asked for at once. */
const BATCH = 500

/**
 * Compares a storage with the rows of the tenant, both in the order of their keys, one page of each in memory. Changes nothing;
 * throws when either cannot be read to its end. What seems absent may have been moved or removed meanwhile: ask again.
 */
export async function* compare(ctx: Ctx, storage: FileStorage, compared: Compared): AsyncGenerator<Finding> {
  const strangers = new Strangers(ctx, 'orphan')
  const dayAgo = fromNow(ctx.clock, -AGE_MS)
  const described = new Set(ctx.storages.all.map(({ backend }) => backend))
  for await (const { object, file } of merge(storage.list(`files/${ctx.tenantId}`), files(ctx))) {
    if (object) compared.objects++
    if (!file) {
      if (object) yield* strangers.add(object)
      continue
    }
    const isHere = file.storage_backend === storage.backend
    if (isHere) compared.files++
    if (isHere && object?.bytes !== file.size) yield { is: 'absent', file }
    else if (isHere && file.missing_at !== null) yield { is: 'found', file }
    else if (!isHere && object && file.updated_at < dayAgo && described.has(file.storage_backend))
      yield { is: 'copy', file, object }
  }
  yield* strangers.rest()
  const pieces = new Strangers(ctx, 'piece')
  for await (const object of storage.list(`uploads/${ctx.tenantId}`)) yield* pieces.add(object)
  yield* pieces.rest()
}

async function* files(ctx: Ctx): AsyncGenerator<Swept> {
  for (let after: string | null = null; ; ) {
    const page = { after, limit: PAGE }
    const rows: Swept[] = await ctx.transaction(({ tx, tenantId }) => listSwept(tx, tenantId, page), { readOnly: true })
    yield* rows
    after = rows.at(-1)?.id ?? null
    if (rows.length < PAGE) return
  }
}

/** Pairs what has the same key; both ascend. */
async function* merge(
  objects: AsyncIterable<StoredFile>,
  rows: AsyncIterable<Swept>,
): AsyncGenerator<{ object?: StoredFile | undefined; file?: Swept | undefined }> {
  const [left, right] = [objects[Symbol.asyncIterator](), rows[Symbol.asyncIterator]()]
  try {
    let [object, file] = [await left.next(), await right.next()]
    while (!object.done || !file.done) {
      const order = orderOf(object.done ? null : object.value.key, file.done ? null : file.value.storage_path)
      yield {
        object: order <= 0 && !object.done ? object.value : undefined,
        file: order >= 0 && !file.done ? file.value : undefined,
      }
      if (order <= 0) object = await left.next()
      if (order >= 0) file = await right.next()
    }
  } finally {
    await Promise.all([left.return?.(), right.return?.()])
  }
}

function orderOf(key: string | null, path: string | null): number {
  if (key === path) return 0
  if (key === null) return 1
  return path === null || key < path ? -1 : 1
}

/** One of version 7, as all ids here: it says when it was made. */
const isOwnId = (id: string | undefined): id is string => isUuid(id) && id[14] === '7'

/** Objects without a row of a file, gathered: those that belong to no upload either, and are old enough, are orphans. */
class Strangers {
  readonly #ctx: Ctx
  readonly #is: 'orphan' | 'piece'
  readonly #oldestMs: number
  #gathered: { id: string; object: StoredFile }[] = []

  constructor(ctx: Ctx, is: 'orphan' | 'piece') {
    this.#ctx = ctx
    this.#is = is
    this.#oldestMs = ctx.clock.ms() - AGE_MS
  }

  async *add(object: StoredFile): AsyncGenerator<Finding> {
    const [, , name = '', ...deeper] = object.key.split('/')
    // An object lies under its id, with the number of whoever joined its pieces; a piece lies below it.
    const id = this.#is === 'orphan' ? name.replace(/-\d{1,10}$/, '') : name
    if (!isOwnId(id) || (deeper.length === 0) !== (this.#is === 'orphan')) yield { is: 'unknown', object }
    // There was a row before there was a byte, and an id whose row is gone never comes back.
    else if (timeOfId(id) < this.#oldestMs) this.#gathered.push({ id, object })
    if (this.#gathered.length >= BATCH) yield* this.rest()
  }

  async *rest(): AsyncGenerator<Finding> {
    const gathered = this.#gathered
    this.#gathered = []
    if (gathered.length === 0) return
    const ids = [...new Set(gathered.map(({ id }) => id))]
    const { uploads, paths } = await this.#ctx.transaction(({ tx, tenantId }) => listOwners(tx, tenantId, ids), {
      readOnly: true,
    })
    // What came late for an upload that is a file is nobody's.
    for (const { id, object } of gathered)
      if (!uploads.has(id) && !paths.has(object.key)) yield { is: this.#is, object, madeMs: timeOfId(id) }
  }
}
