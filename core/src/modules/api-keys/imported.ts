import type { ImportRule } from '#kernel'
import { NewApiKey } from './schema.ts'

const { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute } = NewApiKey.properties

/** Keys themselves are in no export, so nothing is let in by these: they are there to be seen. */
export const importedKeys: ImportRule = {
  columns: { name, scopes, store_ids, allowed_cidrs, rate_limit_per_minute },
  anew: ({ clock }, { revoked_at }) => ({
    revoked_at: revoked_at ?? clock.now(),
    counted_until: clock.now(),
    frozen_rights: null,
  }),
}
