import type { SealedKind } from '#kernel'
import { sealingContext } from './signing-keys.ts'

/** The private halves of the keys that are in use. */
export const sealedSigningKeys: SealedKind = {
  name: 'signing keys',
  async samples({ db, clock }) {
    const rows = await db.systemQuery<{ id: string; private_sealed: string }>(
      'select id, private_sealed from signing_keys where retire_at is null or retire_at > $1',
      [clock.now()],
    )
    return rows.map(({ id, private_sealed }) => ({ sealed: private_sealed, context: sealingContext(id) }))
  },
}
