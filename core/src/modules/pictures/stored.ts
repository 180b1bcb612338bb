import type { StoredKind } from '#kernel'
import { listPicturesElsewhere, movePicture } from './move.ts'

const PAGE = 200

/** Moves pictures: they are of people and of the installation, so not where only one tenant's things are meant. */
export const storedPictures: StoredKind = {
  name: 'pictures',
  async *list(ctx, { to, tenantId }) {
    if (tenantId !== null) return
    for (let after: string | null = null; ; ) {
      const ids = await listPicturesElsewhere(ctx, to.backend, { after, limit: PAGE })
      // Their size is in no row, and so small that nobody waits for it.
      for (const id of ids) yield { key: `pictures/${id}`, bytes: 0, move: () => movePicture(ctx, id, to.backend) }
      after = ids.at(-1) ?? null
      if (after === null) return
    }
  },
}
