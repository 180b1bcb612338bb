import type { Ctx } from '#kernel'
import { lockCountsOf, updateCounts, updateUnreadLess } from '../queries.ts'
import { tellStreams } from '../stream/hub.ts'
import type { CountRow } from '../table.ts'
import { deleteOld, listNextExpiries, listOld, type Old, type Removed } from './upkeep-queries.ts'

/** Notifications removed in one transaction. */
const MOST = 2_000

/**
 * Removes what is over from one tenant's lists, and from the counts; false: there is more. Counts are locked first and in the
 * same order as everywhere.
 */
export async function removeOld(ctx: Ctx, old: Old, most = MOST): Promise<boolean> {
  const { tx, tenantId } = ctx
  const found = await listOld(tx, tenantId, old, most)
  const userIds = [...new Set(found.map(({ user_id }) => user_id))].sort()
  const counts = new Map((await lockCountsOf(tx, tenantId, userIds)).map((row) => [row.id, row]))
  const ids = found.map(({ id }) => id)
  const removed = await deleteOld(tx, tenantId, old, ids)
  const counted = Map.groupBy(
    removed.filter((each) => isCounted(each, counts.get(each.user_id))),
    ({ user_id }) => user_id,
  )
  const now = ctx.clock.now()
  await updateUnreadLess(tx, tenantId, new Map([...counted].map(([id, of]) => [id, of.length])), now)
  tellStreams(ctx, [...counted.keys()])
  const next = await listNextExpiries(tx, tenantId, userIds)
  for (const { tenant_id, id, next_expiry } of counts.values()) {
    const first = next.get(id) ?? null
    if (first !== next_expiry) await updateCounts(tx, { tenant_id, id }, { next_expiry: first })
  }
  return found.length < most
}

const isCounted = ({ read_at, seq }: Removed, counts: CountRow | undefined) =>
  read_at === null && seq !== null && counts !== undefined && seq > counts.read_to
