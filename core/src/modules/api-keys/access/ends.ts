import { type Clock, least } from '#kernel'
import type { ApiKeyRow } from '../table.ts'

type Ends = Pick<ApiKeyRow, 'expires_at' | 'overlap_ends_at'>

/** When a key ends by itself: it expires, or was replaced and its overlap is over. Null: never. */
export const endOf = ({ expires_at, overlap_ends_at }: Ends): string | null => least(expires_at, overlap_ends_at)

/** Whether a key may be used no more. */
export function hasEnded({ clock }: { clock: Clock }, key: Ends & Pick<ApiKeyRow, 'revoked_at'>): boolean {
  const end = endOf(key)
  return key.revoked_at !== null || (end !== null && end <= clock.now())
}
