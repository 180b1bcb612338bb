import { defineChannel, PUSH } from '#kernel'
import { pushOne } from './push-one.ts'
import { listSubscribers, listSubscriptions } from './push-queries.ts'
import { vapidOf } from './vapid.ts'

/** To the browsers that a person has subscribed, each by a job of its own. */
export const pushChannel = defineChannel({
  name: PUSH,
  isOpen: (core) => vapidOf(core) !== null,
  reaches: (ctx, people) =>
    listSubscribers(
      ctx.tx,
      ctx.tenantId,
      people.map(({ id }) => id),
    ),
  async send(ctx, { id: notification_id, person }) {
    await ctx.transaction(async (ctx) => {
      for (const { id } of await listSubscriptions(ctx.tx, ctx.tenantId, person.id))
        await ctx.enqueue(pushOne, { id, notification_id, failures: 0 }, { dedupeKey: `${id}:${notification_id}` })
    })
    return 'sent'
  },
})
