import type { Ctx } from '#kernel'
import { countExpired } from './queries.ts'
import type { CountRow } from './table.ts'

/** Without what has expired and is still to be removed. */
export async function unreadOf(ctx: Ctx, counts: CountRow): Promise<number> {
  const now = ctx.clock.now()
  if (counts.unread === 0 || counts.next_expiry === null || counts.next_expiry > now) return counts.unread
  return counts.unread - (await countExpired(ctx.tx, counts, now))
}
