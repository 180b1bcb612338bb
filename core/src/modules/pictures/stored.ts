import type { Ctx, Movable, Move, StoredKind } from '#kernel'
import { sizesOf } from './kept.ts'
import { listPicturesElsewhere, movePicture } from './move.ts'
import type { PictureRow } from './table.ts'

const PAGE = 200

/** Moves pictures: they are of people and of the installation, so not where only one tenant's things are meant. */
export const storedPictures: StoredKind = {
  name: 'pictures',
  // They are in nobody's folder; what a tenant shows goes by itself.
  foldersOf: () => [],
  async *list(ctx, move) {
    if (move.tenantId !== null) return
    for (let after: string | null = null; ; ) {
      const page = { to: move.to.backend, from: move.from, after, limit: PAGE }
      const pictures: Pick<PictureRow, 'id' | 'storage_backend'>[] = await listPicturesElsewhere(ctx, page)
      for (const picture of pictures) yield await movable(ctx, move, picture)
      after = pictures.at(-1)?.id ?? null
      if (after === null) return
    }
  },
}

async function movable(
  ctx: Ctx,
  move: Move,
  { id, storage_backend }: Pick<PictureRow, 'id' | 'storage_backend'>,
): Promise<Movable> {
  let bytes = 0
  try {
    for (const size of (await sizesOf(move.open(storage_backend), id)).values()) bytes += size
  } catch {
    // A storage that does not answer, or is not described, is told of when the picture is to be moved.
  }
  return { key: `pictures/${id}`, bytes, move: () => movePicture(ctx, move, id) }
}
