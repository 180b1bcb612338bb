import { Closed, defineJob, Type, Uuid } from '#kernel'
import { updateReadUpTo } from './upkeep-queries.ts'

const BATCH = 1_000

/** Marks one by one what a person has read by reading all, so many in a transaction. */
export const settleRead = defineJob('notifications.settle_read', {
  payload: Closed({ user_id: Uuid, to: Type.Integer(), at: Type.String() }),
  handler: async (ctx, payload) => {
    const { user_id, to, at } = payload
    const marked = await updateReadUpTo(ctx.tx, { tenantId: ctx.tenantId, userId: user_id, to, at, limit: BATCH })
    if (marked === BATCH) await ctx.enqueue(settleRead, payload)
  },
})
