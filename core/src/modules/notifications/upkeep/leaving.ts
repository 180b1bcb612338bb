import { Closed, type Ctx, defineJob, Type, Uuid, within } from '#kernel'
import { userCreated, userJoined, userRemoved } from '../../members/index.ts'
import { deleteSendsOf } from '../delivery/send-queries.ts'
import { lockCounts, updateCounts } from '../queries.ts'
import { deleteUpTo } from './upkeep-queries.ts'

const BATCH = 1_000

/** Whoever leaves a tenant sees nothing of it any more, also when they come back: what they were told is hidden at once. */
export const hideFromLeaver = within(userRemoved, 'notifications.hide', async (ctx, { before }) => {
  if (!before?.id) return
  await deleteSendsOf(ctx.tx, ctx.tenantId, before.id)
  await hideAll(ctx, before.id)
})

/** Whoever comes back does not find either what they were told in the moment in which they left. */
export const hideFromReturners = [userJoined, userCreated].map((event) =>
  within(event, 'notifications.hide_before', async (ctx, { after }) => {
    if (after?.id) await hideAll(ctx, after.id)
  }),
)

async function hideAll(ctx: Ctx, userId: string): Promise<void> {
  const counts = await lockCounts(ctx.tx, ctx.tenantId, userId)
  if (!counts || counts.last_seq === counts.hidden_to) return
  const now = ctx.clock.now()
  const { last_seq: to } = counts
  const hidden = { unread: 0, read_to: to, read_all_at: now, hidden_to: to, next_expiry: null, updated_at: now }
  await updateCounts(ctx.tx, counts, hidden)
  await ctx.enqueue(removeHidden, { user_id: userId, to, at: now })
}

/** Removes it, so many in a transaction. */
export const removeHidden = defineJob('notifications.remove_hidden', {
  payload: Closed({ user_id: Uuid, to: Type.Integer(), at: Type.String() }),
  handler: async (ctx, payload) => {
    const { user_id, to, at } = payload
    const removed = await deleteUpTo(ctx.tx, { tenantId: ctx.tenantId, userId: user_id, to, at, limit: BATCH })
    if (removed === BATCH) await ctx.enqueue(removeHidden, payload)
  },
})
