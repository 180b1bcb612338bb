import { every, everyTenant, fromNow, MINUTES } from '#kernel'
import { enqueueSending } from './send.ts'
import { listBehind, listTenantsBehind } from './upkeep-queries.ts'

/** What has been due for so long was forgotten: the job that was to send it was given up. */
const FORGOTTEN_MS = 2 * MINUTES

/** Enqueues sending of what is due and that no job is there for any more. */
export const findBacklog = every('*/10 * * * *', 'webhooks.find_backlog', (ctx) =>
  everyTenant(ctx, {
    name: 'webhooks.find_backlog',
    list: (tx, page) =>
      listTenantsBehind(tx, { ...page, due: fromNow(ctx.clock, -FORGOTTEN_MS), now: ctx.clock.now() }),
    work: async (inner, { tenant_id }) => {
      const { clock } = inner
      for (const { id } of await listBehind(inner.tx, tenant_id, {
        due: fromNow(clock, -FORGOTTEN_MS),
        now: clock.now(),
      }))
        await enqueueSending(inner, id)
    },
  }),
)
