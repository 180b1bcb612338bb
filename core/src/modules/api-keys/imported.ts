import type { ImportRule, RestoreRule } from '#kernel'
import { listKnownKeys } from './queries.ts'
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

/**
 * A key that was revoked since stays revoked, and what it may do, where and until when stays as it is: more may have been taken from it. One that
 * nobody could use any more, since its hash is gone, does not come back.
 */
export const restoredKeys: RestoreRule = {
  keepsExtra: true,
  keeps: [
    ...['revoked_at', 'overlap_ends_at', 'counted_until', 'frozen_rights', 'reminded_days'],
    ...['scopes', 'store_ids', 'allowed_cidrs', 'expires_at', 'rate_limit_per_minute'],
    ...['last_used_at', 'last_used_ip', 'created_by'],
  ],
  async missing({ tx, tenantId }, rows) {
    const ids = rows.map(({ id }) => String(id))
    const known = new Set((await listKnownKeys(tx, tenantId, ids)).map(({ api_key_id }) => api_key_id))
    return ids.map((id) => (known.has(id) ? {} : null))
  },
}
